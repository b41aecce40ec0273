from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest

from homeport.buildpacks.python import editables, layers


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "layer/lib/python3.11/site-packages"
    folder.mkdir(parents=True)
    return folder


def test_paths_into_the_source_leave_the_layer(tmp_path: Path, packages: Path) -> None:
    source = tmp_path / "source"
    (packages / "a.pth").write_text(f"{source}/src\n{source}\n/elsewhere\nimport x\n")
    (packages / "b.pth").write_text(f"{source}/src\n{source}-other\n")
    assert sorted(editables.relocate(tmp_path / "layer", source)) == [".", "src"]
    assert (packages / "a.pth").read_text() == "/elsewhere\nimport x\n"
    assert (packages / "b.pth").read_text() == f"{source}-other\n"


def test_import_hooks_look_below_the_apps_folder(
    tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    finder = packages / "__editable___thing_1_0_finder.py"
    finder.write_text(f"MAPPING: dict[str, str] = {{'thing': '{source}/lib/thing', 'top': \"{source}\", 'no': '/x'}}\n")
    stale = packages / "__pycache__" / f"{finder.stem}.cpython-311.pyc"
    stale.parent.mkdir()
    stale.write_bytes(b"")
    editables.relocate(tmp_path / "layer", source)
    monkeypatch.setenv(editables.APP, "/home/dyno")
    mapping = runpy.run_path(os.fspath(finder))["MAPPING"]
    assert mapping == {"thing": "/home/dyno/lib/thing", "top": "/home/dyno", "no": "/x"}
    assert not stale.exists()


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"thing/views.py": "x = 2"}, False),
        ({"templates/home.html": "new"}, False),
        ({"setup.py": "other"}, True),
        ({"pyproject.toml": "other"}, True),
        ({"thing/__init__.py": "__version__ = '2'"}, True),
        ({"thing/fast.pyx": "cdef int x"}, True),
        ({"thing/new/views.py": "x = 1"}, True),
        ({"README.md": "other"}, True),
    ],
)
def test_what_makes_an_editable_package_be_installed_again(tmp_path: Path, change: dict[str, str], again: bool) -> None:
    files = dict.fromkeys(("setup.py", "pyproject.toml", "README.md", "thing/__init__.py", "thing/views.py"), "x")
    before = editables.definition(write(tmp_path / "a", files))
    assert editables.definition(write(tmp_path / "b", files)) == before
    assert (editables.definition(write(tmp_path / "b", change)) != before) is again


def test_a_package_that_is_copied_is_installed_again_for_every_change(tmp_path: Path) -> None:
    before = editables.identity(write(tmp_path, {"lib/setup.py": "x", "lib/a.py": "1"}), "lib", editable=False)
    assert editables.identity(write(tmp_path, {"lib/a.py": "2"}), "lib", editable=False) != before


def test_installed_packages_are_read_from_their_folders(packages: Path) -> None:
    for name in ("Flask-3.0.3.dist-info", "zope.interface-6.0.dist-info", "old_thing-1.2-py3.11.egg-info", "flask"):
        (packages / name).mkdir()
    assert layers.installed(packages.parents[2]) == {"flask": "3.0.3", "old-thing": "1.2", "zope-interface": "6.0"}


def test_keys_hide_what_they_are_made_of_and_differ_by_salt() -> None:
    inputs = {"settings": {"PIP_EXTRA_INDEX_URL": "https://user:password@host"}, "files": {"r.txt": b"six"}}
    key = layers.key(inputs, b"salt")
    assert key == layers.key(inputs, b"salt")
    assert key.startswith("python-")
    assert "password" not in key
    assert key != layers.key(inputs, b"other")
    assert key != layers.key({**inputs, "files": {"r.txt": b"six\n"}}, b"salt")


def test_the_salt_is_made_once_and_private(tmp_path: Path) -> None:
    salt = layers.salt(tmp_path)
    assert layers.salt(tmp_path) == salt
    assert len(salt) == 32
    assert (tmp_path / "salt").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["salt"]
