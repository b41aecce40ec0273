"""A small conda channel made on the spot: hand-made packages, and the Python that the tests run with as one of them."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import platform
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "/opt/placeholder/" + "_" * 120
SUBDIR = {"x86_64": "linux-64", "aarch64": "linux-aarch64"}[platform.machine()]
VERSION = ".".join(map(str, sys.version_info[:3]))
_MINOR = f"python{sys.version_info[0]}.{sys.version_info[1]}"
_LEFT_OUT = {"__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "site-packages",
             "dist-packages", "ensurepip", "pydoc_data"}  # fmt: skip


@dataclass
class Made:
    """A package: `files` are texts by path, in which PREFIX stands for the environment; `tree` are files to copy,
    `links` symbolic links."""

    name: str
    version: str
    files: Mapping[str, str] = field(default_factory=dict)
    depends: Sequence[str] = ()
    noarch: str | None = "generic"
    tree: Mapping[str, Path] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    def write(self, channel: Path) -> None:
        subdir = "noarch" if self.noarch else SUBDIR
        build = "0"
        index = {
            "name": self.name, "version": self.version, "build": build, "build_number": 0, "arch": None,
            "platform": None, "subdir": subdir, "depends": list(self.depends), "license": "MIT", "timestamp": 1,
            **({"noarch": self.noarch} if self.noarch else {}),
        }  # fmt: skip
        folder = channel / subdir
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.name}-{self.version}-{build}.tar.bz2"
        with tarfile.open(file, "w:bz2", compresslevel=1) as tar:
            paths = [*self._texts(tar), *self._tree(tar)]
            _add(tar, "info/index.json", json.dumps(index).encode())
            _add(tar, "info/files", "\n".join(str(path["_path"]) for path in paths).encode())
            _add(tar, "info/paths.json", json.dumps({"paths_version": 1, "paths": paths}).encode())

    def _texts(self, tar: tarfile.TarFile) -> Iterator[dict[str, object]]:
        for name, text in self.files.items():
            data = text.encode()
            _add(tar, name, data, mode=0o755 if name.startswith("bin/") else 0o644)
            entry = _entry(name, data)
            if PREFIX in text:
                entry |= {"prefix_placeholder": PREFIX, "file_mode": "text"}
            yield entry

    def _tree(self, tar: tarfile.TarFile) -> Iterator[dict[str, object]]:
        for name, path in self.tree.items():
            tar.add(path.resolve(), name, recursive=False)
            yield _entry(name, path.read_bytes())
        for name, target in self.links.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
            yield {
                "_path": name,
                "path_type": "softlink",
                "sha256": hashlib.sha256(b"").hexdigest(),
                "size_in_bytes": 0,
            }


def _entry(name: str, data: bytes) -> dict[str, object]:
    return {
        "_path": name,
        "path_type": "hardlink",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_in_bytes": len(data),
    }


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    tar.addfile(info, io.BytesIO(data))


def machine_python() -> Made:
    """The Python of the tests without what no test needs, in the places where conda's has it."""
    base = Path(sys.base_prefix)
    library = base / "lib" / _MINOR
    tree: dict[str, Path] = {f"bin/{_MINOR}": Path(os.path.realpath(sys.executable))}
    for path in base.glob("lib/libpython*.so*"):
        tree[f"lib/{path.name}"] = path
    for directory, folders, names in os.walk(library):
        folders[:] = [name for name in folders if name not in _LEFT_OUT and not name.startswith("config-")]
        for file in names:
            path = Path(directory, file)
            tree[f"lib/{_MINOR}/{path.relative_to(library)}"] = path
    files = {f"lib/{_MINOR}/site-packages/README.txt": "packages go here\n"}
    links = {"bin/python": _MINOR, "bin/python3": _MINOR}
    return Made("python", VERSION, files, noarch=None, tree=tree, links=links)


def write_channel(folder: Path, packages: Sequence[Made]) -> Path:
    """Write packages and the index of them."""
    from rattler.index import index_fs

    for package in packages:
        package.write(folder)
    for subdir in ("noarch", SUBDIR):
        (folder / subdir).mkdir(parents=True, exist_ok=True)
    asyncio.run(index_fs(folder))
    return folder
