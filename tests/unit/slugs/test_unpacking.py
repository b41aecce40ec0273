from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from homeport.errors import TooLarge
from homeport.slugs import unpack, unpacking


def packed(path: Path, *sizes: int) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for number, size in enumerate(sizes):
            entry = tarfile.TarInfo(f"file{number}")
            entry.size = size
            tar.addfile(entry, io.BytesIO(bytes(size)))
    return path


def test_what_is_within_its_limits_is_unpacked(tmp_path: Path) -> None:
    unpack(packed(tmp_path / "a.tgz", 10, 90), tmp_path / "out", most_bytes=100)
    assert sorted(path.stat().st_size for path in (tmp_path / "out").iterdir()) == [10, 90]


def test_a_small_archive_of_many_zeros_is_given_up_before_it_fills_the_disk(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "bomb.tgz", 50, 1_000_000)
    assert bomb.stat().st_size < 2_000
    with pytest.raises(TooLarge):
        unpack(bomb, tmp_path / "out", most_bytes=1000)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["file0"]


def test_an_archive_may_have_so_many_files_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_ENTRIES", 2)
    with pytest.raises(TooLarge):
        unpack(packed(tmp_path / "many.tgz", 0, 0, 0), tmp_path / "out")
