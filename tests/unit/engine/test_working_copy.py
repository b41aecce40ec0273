from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from homeport.engine import working_copy


@pytest.fixture
def code(tmp_path: Path) -> Path:
    code = tmp_path / "code"
    (code / "package" / "empty").mkdir(parents=True)
    (code / "package" / "module.py").write_text("1 + 1")
    (code / "run").write_bytes(b"#!/bin/sh\n" + bytes(200_000))
    (code / "run").chmod(0o755)
    os.utime(code / "run", ns=(1_000_000_007, 2_000_000_009))
    return code


def copy_of(code: Path, links: dict[str, Path] | None = None) -> Path:
    home = code.parent / "home"
    working_copy.make(code, home, links or {})
    return home


def test_files_modes_and_times_are_kept(code: Path) -> None:
    home = copy_of(code)
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*")) == [
        "package",
        "package/empty",
        "package/module.py",
        "run",
    ]
    assert (home / "run").read_bytes() == (code / "run").read_bytes()
    assert (home / "run").stat().st_mode & 0o777 == 0o755
    assert (home / "run").stat().st_mtime_ns == 2_000_000_009
    assert home.stat().st_mode & 0o777 == 0o700


def test_what_is_read_only_in_the_slug_can_be_written_in_the_copy(code: Path) -> None:
    (code / "run").chmod(0o444)
    (code / "package").chmod(0o555)
    home = copy_of(code)
    assert (home / "run").stat().st_mode & 0o777 == 0o644
    assert (home / "package").stat().st_mode & 0o777 == 0o755
    (code / "package").chmod(0o755)


def test_the_copy_is_no_second_name_of_the_slug(code: Path) -> None:
    home = copy_of(code)
    (home / "package" / "module.py").write_text("changed")
    assert (code / "package" / "module.py").read_text() == "1 + 1"


def test_symbolic_links_stay_links_and_are_never_followed(code: Path) -> None:
    outside = code.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (code / "to-file").symlink_to("package/module.py")
    (code / "to-outside").symlink_to(outside)
    (code / "dangling").symlink_to("/nowhere/at/all")
    (code / "loop").symlink_to("loop")
    home = copy_of(code)
    assert (home / "to-file").readlink() == Path("package/module.py")
    assert (home / "to-file").read_text() == "1 + 1"
    assert (home / "to-outside").readlink() == outside
    assert (home / "dangling").readlink() == Path("/nowhere/at/all")
    assert (home / "loop").is_symlink()


def test_pipes_are_left_out(code: Path) -> None:
    os.mkfifo(code / "pipe")
    assert not (copy_of(code) / "pipe").exists()


def test_links_appear_and_win(code: Path) -> None:
    layer = code.parent / "layer"
    layer.mkdir()
    (layer / "tool").write_text("the layer's")
    (code / ".heroku" / "python").mkdir(parents=True)
    (code / ".heroku" / "python" / "tool").write_text("the slug's")
    (code / ".heroku" / "other").write_text("kept")
    home = copy_of(code, {".heroku/python": layer, "run": layer})
    assert (home / ".heroku" / "python").readlink() == layer
    assert (home / "run").readlink() == layer
    assert (home / ".heroku" / "other").read_text() == "kept"
    assert (layer / "tool").read_text() == "the layer's"


def test_a_link_is_not_led_out_of_home_by_a_link_in_the_slug(code: Path) -> None:
    outside = code.parent / "outside"
    outside.mkdir()
    (code / ".heroku").symlink_to(outside)
    home = copy_of(code, {".heroku/python": code})
    assert (home / ".heroku" / "python").readlink() == code
    assert not list(outside.iterdir())


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", ""])
def test_a_link_outside_home_is_refused(code: Path, path: str) -> None:
    with pytest.raises(ValueError, match="below HOME"):
        copy_of(code, {path: code})


@pytest.mark.parametrize("number", [errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP])
def test_file_systems_without_copy_file_range(code: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    assert (copy_of(code) / "run").read_bytes() == (code / "run").read_bytes()


def test_a_full_disk_is_not_hidden(code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    with pytest.raises(OSError, match="No space"):
        copy_of(code)
