"""Lines on disk: bounded, whole again after any crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeport.logs.segments import Segments


def record(seq: int, text: str = "text") -> str:
    return f"{seq} 2026-01-01T00:00:00.000000+00:00 app[web.1]: {text}"


def records(first: int, last: int) -> list[str]:
    return [record(seq) for seq in range(first, last + 1)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "app"


def opened(folder: Path, keep: int = 10) -> tuple[Segments, list[str]]:
    segments = Segments(folder, keep)
    return segments, segments.load()


def test_loading_what_was_never_written_makes_no_folder(folder: Path) -> None:
    segments, loaded = opened(folder)
    assert loaded == []
    assert not folder.exists()
    segments.close()


def test_the_last_lines_come_back_in_order(folder: Path) -> None:
    segments, _ = opened(folder)
    for seq in range(1, 26):
        segments.append([record(seq, f"text ☕ {seq}")])
    segments.close()
    assert opened(folder)[1] == [record(seq, f"text ☕ {seq}") for seq in range(16, 26)]


def test_files_are_private(folder: Path) -> None:
    segments, _ = opened(folder)
    segments.append(records(1, 1))
    segments.close()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "current.log").stat().st_mode & 0o777 == 0o600


def test_disk_use_is_bounded_by_lines(folder: Path) -> None:
    segments, _ = opened(folder)
    for first in range(1, 1000, 3):
        segments.append(records(first, first + 2))
        lines = sum(path.read_bytes().count(b"\n") for path in folder.iterdir())
        assert lines <= 2 * (10 + 3)
    assert len(list(folder.iterdir())) == 2
    segments.close()


def test_disk_use_is_bounded_by_bytes(folder: Path) -> None:
    segments, _ = opened(folder)
    for seq in range(1, 40):
        segments.append([record(seq, "x" * 200_000)])  # larger than any line that is ever handed down
        assert sum(path.stat().st_size for path in folder.iterdir()) < 2 * (10 * 10_200 + 200_100)
    segments.close()


@pytest.mark.parametrize(
    "torn", [b"26", b"26 2026-01-01T00:00:00.0", b"26 2026-01-01T00:00:00.000000+00:00 app[web.1]: ha"]
)
def test_a_torn_end_is_left_out_and_merges_with_nothing(folder: Path, torn: bytes) -> None:
    segments, _ = opened(folder)
    segments.append(records(21, 25))
    segments.close()
    with (folder / "current.log").open("ab") as file:
        file.write(torn)
    segments, loaded = opened(folder)
    assert loaded == records(21, 25)
    segments.append(records(26, 27))
    segments.close()
    assert opened(folder)[1] == records(21, 27)


def test_damaged_lines_in_the_middle_are_left_out(folder: Path) -> None:
    segments, _ = opened(folder)
    segments.append([*records(1, 2), "\0\0\0\0", "rubbish", record(1, "again"), *records(5, 6)])
    segments.close()
    with (folder / "current.log").open("ab") as file:
        file.write(b"\xff\xfe\n")
    assert opened(folder)[1] == [*records(1, 2), *records(5, 6)]


def test_a_crash_between_the_two_steps_of_a_rotation_loses_nothing(folder: Path) -> None:
    segments, _ = opened(folder)
    segments.append(records(1, 10))
    segments.close()
    (folder / "current.log").rename(folder / "previous.log")
    segments, loaded = opened(folder)
    assert loaded == records(1, 10)
    segments.append(records(11, 12))
    segments.close()
    assert opened(folder)[1] == records(3, 12)


def test_rewriting_replaces_everything(folder: Path) -> None:
    segments, _ = opened(folder)
    for seq in range(1, 16):
        segments.append(records(seq, seq))
    segments.rewrite(records(14, 20))
    segments.append(records(21, 21))
    segments.close()
    assert opened(folder)[1] == records(14, 21)
    assert [path.name for path in folder.iterdir()] == ["current.log"]


def test_a_failed_rewrite_leaves_the_old_lines(folder: Path) -> None:
    segments, _ = opened(folder)
    segments.append(records(1, 3))
    (folder / "current.new").mkdir()  # in the way
    with pytest.raises(OSError, match=r"current\.new"):
        segments.rewrite(records(3, 4))
    assert opened(folder)[1] == records(1, 3)
    segments.close()


def test_what_cannot_be_read_is_not_taken_for_empty(folder: Path) -> None:
    (folder / "current.log").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        Segments(folder, 10).load()


def test_removing_removes_everything_and_twice_is_fine(folder: Path) -> None:
    segments, _ = opened(folder)
    segments.append(records(1, 3))
    segments.remove()
    assert not folder.exists()
    segments.remove()
