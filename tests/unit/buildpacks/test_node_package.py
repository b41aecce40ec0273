from __future__ import annotations

import json
from pathlib import Path

import pytest

from homeport.buildpacks import BuildFailed
from homeport.buildpacks.node import command_lines
from homeport.buildpacks.node.modules import changed_since
from homeport.buildpacks.node.package import Manager, read
from homeport.buildpacks.node.ranges import Range, newest
from homeport.buildpacks.node.runtime import find

NPM_LOCK = '{"lockfileVersion": 3, "packages": {}}'
BERRY_LOCK = "__metadata:\n  version: 8\n"
EVERY = ["18.1.0", "20.11.1", "20.20.2", "22.0.0", "23.0.0-rc.1"]


def source(folder: Path, package: object, **files: str) -> Path:
    (folder / "package.json").write_text(package if isinstance(package, str) else json.dumps(package))
    for name, text in files.items():
        (folder / name.replace("__", "-").replace("_", ".")).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("20.x", ["20.11.1", "20.20.2"]),
        ("20", ["20.11.1", "20.20.2"]),
        (">= 18", ["18.1.0", "20.11.1", "20.20.2", "22.0.0"]),
        ("^20.12", ["20.20.2"]),
        ("~20.11", ["20.11.1"]),
        ("18 - 20", ["18.1.0", "20.11.1", "20.20.2"]),
        (">=18 <22", ["18.1.0", "20.11.1", "20.20.2"]),
        ("20.11.1 || 22", ["20.11.1", "22.0.0"]),
        ("v20.11.1", ["20.11.1"]),
        ("=20.11.1", ["20.11.1"]),
        ("lts/*", ["18.1.0", "20.11.1", "20.20.2", "22.0.0"]),
        ("16", []),
    ],
)
def test_ranges(text: str, fits: list[str]) -> None:
    wanted = Range(text)
    assert wanted.understood
    assert [version for version in EVERY if wanted.fits(version)] == fits


def test_what_is_no_range_fits_everything_and_says_so() -> None:
    wanted = Range("the newest please")
    assert not wanted.understood
    assert wanted.fits("20.0.0")
    assert not wanted.fits("no version")


def test_the_newest_is_no_prerelease() -> None:
    assert newest(EVERY) == "22.0.0"
    assert newest(["20.2.0", "v20.10.0", "nonsense"]) == "20.10.0"
    assert newest([]) is None


@pytest.mark.parametrize(
    ("files", "declared", "manager"),
    [
        ({"package__lock_json": NPM_LOCK}, None, Manager.NPM),
        ({"yarn_lock": "# yarn lockfile v1\n"}, None, Manager.YARN),
        ({"yarn_lock": BERRY_LOCK}, "yarn@4.5.0", Manager.BERRY),
        ({"pnpm__lock_yaml": "lockfileVersion: '9.0'\n"}, None, Manager.PNPM),
        ({}, "pnpm@9.1.0+sha512.abc", Manager.PNPM),
        ({}, None, Manager.NPM),
    ],
)
def test_the_lock_file_says_which_manager(
    tmp_path: Path, files: dict[str, str], declared: str | None, manager: Manager
) -> None:
    document = {"dependencies": {"ms": "*"}, **({"packageManager": declared} if declared else {})}
    package = read(source(tmp_path, document, **files))
    assert package.manager is manager
    if declared:
        assert package.wants[manager.program] == declared.split("@")[1].split("+")[0]


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"a": 1,}', "[" * 100_000])
def test_what_is_no_package(tmp_path: Path, text: str) -> None:
    with pytest.raises(BuildFailed) as caught:
        read(source(tmp_path, text))
    assert caught.value.id == "package_json_invalid"


def test_two_lock_files_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed) as caught:
        read(source(tmp_path, {}, package__lock_json=NPM_LOCK, yarn_lock=""))
    assert caught.value.id == "node_lockfiles_conflict"


def test_strange_types_are_passed_over(tmp_path: Path) -> None:
    package = read(
        source(tmp_path, {"engines": ["node"], "scripts": {"build": 7, "start": " node . "}, "packageManager": 5})
    )
    assert package.wants == {}
    assert dict(package.scripts) == {"start": "node ."}


@pytest.mark.parametrize(
    ("more", "lock", "shared"),
    [
        ({}, NPM_LOCK, True),
        ({"scripts": {"build": "vite build"}}, NPM_LOCK, True),
        ({"scripts": {"postinstall": "node patch.js"}}, NPM_LOCK, False),
        ({"workspaces": ["a"]}, NPM_LOCK, False),
        ({}, '{"packages": {"node_modules/a": {"resolved": "a", "link": true}}}', False),
        ({}, '{"packages": {"node_modules/a": {"resolved": "file:a.tgz"}}}', False),
        ({}, '{"packages": {"node_modules/a": {"resolved": "https://x/profile:a.tgz"}}}', True),
    ],
)
def test_what_depends_on_more_than_its_lock_file_is_not_shared(
    tmp_path: Path, more: dict[str, object], lock: str, shared: bool
) -> None:
    package = read(source(tmp_path, {"dependencies": {"a": "1"}, **more}, package__lock_json=lock))
    assert package.self_contained is shared


def test_herokus_own_script_stands_in_for_build(tmp_path: Path) -> None:
    assert (
        read(source(tmp_path, {"scripts": {"build": "a", "heroku-postbuild": "b"}})).build_script == "heroku-postbuild"
    )


def test_config_vars_of_heroku(tmp_path: Path) -> None:
    package = read(source(tmp_path, {}, package__lock_json=NPM_LOCK))
    assert command_lines.install(package, {}, development=True) == ["npm", "ci", "--include=dev"]
    assert command_lines.install(package, {"USE_NPM_INSTALL": "true"}, development=True)[1] == "install"
    assert command_lines.prunes(package, {})
    assert not command_lines.prunes(package, {"NPM_CONFIG_PRODUCTION": "false"})
    assert not command_lines.prunes(package, {"NODE_ENV": "staging"})
    assert not command_lines.wants_development({"NPM_CONFIG_PRODUCTION": "true"})


def test_programs_of_the_machine_are_found_without_starting_them(tmp_path: Path) -> None:
    for folder in ("bin", ".nvm/versions/node/v18.0.0/bin"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "node").write_text("#!/bin/false\n")
        (tmp_path / folder / "node").chmod(0o755)
    (tmp_path / "dead").mkdir()
    (tmp_path / "dead" / "node").write_text("not executable")
    found = find({"PATH": f"relative:{tmp_path}/dead:{tmp_path}/bin", "HOME": str(tmp_path)})
    assert found[0] == tmp_path / "bin" / "node"
    assert tmp_path / ".nvm/versions/node/v18.0.0/bin/node" in found
    assert tmp_path / "dead" / "node" not in found


def test_writing_into_node_modules_is_noticed(tmp_path: Path) -> None:
    for name in ("a/index.js", ".cache/x"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("old")
    newest_file = max(path.stat().st_ctime_ns for path in tmp_path.rglob("*"))
    assert not changed_since(tmp_path, newest_file)
    assert changed_since(tmp_path, newest_file - 1) or changed_since(tmp_path, 0)
    (tmp_path / "a" / "index.js").unlink()
    assert not changed_since(tmp_path, 0)  # what tools keep for themselves does not count
