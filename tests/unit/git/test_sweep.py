import os
import time
from pathlib import Path

from homeport.git import Repositories


def test_repositories_of_apps_that_are_gone_are_removed_but_no_young_ones(tmp_path: Path) -> None:
    for name in ("kept", "gone", "young"):
        (tmp_path / f"{name}.git").mkdir()
        if name != "young":
            an_hour_ago = time.time() - 3600
            os.utime(tmp_path / f"{name}.git", (an_hour_ago, an_hour_ago))
    Repositories(tmp_path).sweep({"kept"})
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["kept.git", "young.git"]
