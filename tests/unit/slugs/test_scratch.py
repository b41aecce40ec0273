from __future__ import annotations

import os
from pathlib import Path

from homeport.slugs import Scratch


def test_closing_twice_closes_nothing_of_somebody_elses(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.folder("work")
    scratch.close()
    assert not scratch.path.exists()
    other = os.open(tmp_path, os.O_RDONLY)  # gets the number that the lock had
    try:
        scratch.close()
        os.fstat(other)
    finally:
        os.close(other)
