from __future__ import annotations

import os
import time
from pathlib import Path

from homeport.builds import Builder
from homeport.home import Home
from homeport.slugs import Store


def test_caches_of_apps_that_are_gone_are_swept_up_but_no_young_ones(tmp_path: Path) -> None:
    home = Home(tmp_path)
    builder = Builder(home, Store(home.slugs))
    builder.sweep(set())
    an_hour_ago = time.time() - 3600
    for app in ("lives", "gone", "young"):
        cache = home.builds / "cache/apps" / app
        cache.mkdir(parents=True)
        if app != "young":
            os.utime(cache, (an_hour_ago, an_hour_ago))
    builder.sweep({"lives"})
    assert sorted(path.name for path in (home.builds / "cache/apps").iterdir()) == ["lives", "young"]
    builder.close()
