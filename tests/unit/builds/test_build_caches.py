from __future__ import annotations

from pathlib import Path

from homeport.builds import Builder
from homeport.home import Home
from homeport.slugs import Store


def test_caches_of_apps_that_are_gone_are_swept_up(tmp_path: Path) -> None:
    home = Home(tmp_path)
    builder = Builder(home, Store(home.slugs))
    builder.sweep(set())
    for app in ("lives", "gone"):
        (home.builds / "cache/apps" / app).mkdir(parents=True)
    builder.sweep({"lives"})
    assert [path.name for path in (home.builds / "cache/apps").iterdir()] == ["lives"]
    builder.close()
