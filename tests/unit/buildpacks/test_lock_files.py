from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from homeport.buildpacks import BuildFailed, FailureId
from homeport.buildpacks.python import locks, poetry
from homeport.buildpacks.python.poetry import Edge
from homeport.buildpacks.python.requirements import Local


def pipfile(tmp_path: Path, default: dict[str, Any], sources: list[dict[str, str]] | None = None) -> Path:
    (tmp_path / "Pipfile").write_text('[packages]\nsix = "*"\n')
    meta = {"sources": sources or [{"url": "https://pypi.org/simple"}]}
    document = {"_meta": meta, "default": default, "develop": {"x": {}}}
    (tmp_path / "Pipfile.lock").write_text(json.dumps(document))
    return tmp_path


def test_pipenv(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    lock = locks.pipenv(
        pipfile(
            tmp_path,
            {
                "six": {"version": "==1.16.0", "hashes": ["sha256:aa", "sha256:bb"], "markers": "os_name == 'posix'"},
                "celery": {"version": "==5.0", "extras": ["redis"]},
                "thing": {"git": "https://host/thing.git", "ref": "abc", "subdirectory": "python"},
                "lib": {"path": "./lib", "editable": True},
            },
        )
    )
    assert lock.lines == (
        "six==1.16.0 ; os_name == 'posix' --hash=sha256:aa --hash=sha256:bb",
        "celery[redis]==5.0",
        "thing @ git+https://host/thing.git@abc#subdirectory=python",
        f"-e {tmp_path / 'lib'}",
    )
    assert lock.locals == (Local("lib", True),)
    assert lock.pins["six"] == "1.16.0"
    assert lock.names == {"six"}


def test_pypi_itself_is_left_to_the_operator_and_other_indexes_are_kept(tmp_path: Path) -> None:
    assert locks.pipenv(pipfile(tmp_path, {}, [{"url": "https://pypi.org/simple"}])).lines == ()
    private = [{"url": "https://pypi.org/simple/"}, {"url": "https://$USER:${TOKEN}@host/simple"}]
    lock = locks.pipenv(pipfile(tmp_path, {}, private))
    assert lock.lines == ("--extra-index-url https://${USER}:${TOKEN}@host/simple",)
    assert lock.variables == {"USER", "TOKEN"}
    assert locks.pipenv(pipfile(tmp_path, {}, [{"url": "https://host/x"}])).lines == ("--index-url https://host/x",)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"_meta": {}, "default": {"six": {}}}', '{"_meta": 1}'])
def test_a_broken_pipfile_lock_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "Pipfile.lock").write_text(text)
    with pytest.raises(BuildFailed) as caught:
        locks.pipenv(tmp_path)
    assert caught.value.failure is FailureId.LOCKFILE_INVALID


def test_a_package_outside_of_the_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed):
        locks.pipenv(pipfile(tmp_path, {"lib": {"path": "../lib"}}))


def package(name: str, version: str = "1.0", **more: Any) -> dict[str, Any]:
    return {"name": name, "version": version, **more}


def test_poetry_2_says_which_group_a_package_is_in() -> None:
    packages = [
        package("a", groups=["main"]),
        package("b", groups=["dev"]),
        package("c", groups=["main", "dev"], markers={"main": "os_name == 'nt'", "dev": "x"}),
        package("d", groups=["main"], markers="sys_platform == 'win32'"),
    ]
    assert poetry.by_group(packages) == {
        ("a", "1.0"): "",
        ("c", "1.0"): "os_name == 'nt'",
        ("d", "1.0"): "sys_platform == 'win32'",
    }


def test_older_formats_are_followed_from_the_roots() -> None:
    packages = [
        package("web", dependencies={"core": ">=1", "Win": {"version": "*", "markers": "os_name == 'nt'"}}),
        package("core"),
        package("win", dependencies={"deep": "*"}),
        package("deep"),
        package("unused"),
    ]
    assert poetry.by_reach(packages, [Edge("web")]) == {
        ("web", "1.0"): "",
        ("core", "1.0"): "",
        ("win", "1.0"): "os_name == 'nt'",
        ("deep", "1.0"): "os_name == 'nt'",
    }


def test_a_package_is_needed_where_any_way_to_it_is_open() -> None:
    packages = [
        package("one", dependencies={"shared": {"version": "*", "markers": "a == '1'"}}),
        package("two", dependencies={"shared": {"version": "*", "markers": "b == '2'"}}),
        package("shared"),
    ]
    roots = [Edge("one"), Edge("two")]
    assert poetry.by_reach(packages, roots)["shared", "1.0"] == "(a == '1') or (b == '2')"
    assert poetry.by_reach(packages, [*roots, Edge("shared")])["shared", "1.0"] == ""


def test_circles_end() -> None:
    packages = [
        package("a", dependencies={"b": {"version": "*", "markers": "x == '1'"}}),
        package("b", dependencies={"a": {"version": "*", "markers": "y == '2'"}}),
    ]
    assert poetry.by_reach(packages, [Edge("a")])[("b", "1.0")] == "x == '1'"


def test_optional_dependencies_come_with_their_extra_only() -> None:
    packages = [
        package("web", dependencies={"fast": {"version": "*", "optional": True}}, extras={"speed": ["fast (>=1)"]}),
        package("fast"),
    ]
    assert ("fast", "1.0") not in poetry.by_reach(packages, [Edge("web")])
    assert ("fast", "1.0") in poetry.by_reach(packages, [Edge("web", frozenset({"speed"}))])


def test_the_roots_of_both_forms_of_pyproject() -> None:
    table = {"python": "^3.8", "Six": "^1", "win": {"version": "*", "platform": "win32"}}
    own = {"tool": {"poetry": {"dependencies": table}}}
    assert list(poetry.root_edges(own)) == [Edge("six"), Edge("win", marker='sys_platform == "win32"')]
    standard = {"project": {"dependencies": ["Six>=1", "idna[all]; os_name == 'nt'"]}}
    assert list(poetry.root_edges(standard)) == [Edge("six"), Edge("idna", frozenset({"all"}), 'os_name == "nt"')]


def test_several_constraints_for_several_pythons() -> None:
    value = [{"version": "1", "python": "<3.8"}, {"version": "2", "python": ">=3.8"}]
    edges = list(poetry.root_edges({"tool": {"poetry": {"dependencies": {"numpy": value}}}}))
    assert [edge.marker for edge in edges] == ['python_full_version < "3.8"', 'python_full_version >= "3.8"']


def project(tmp_path: Path, lock: str, toml: str = '[tool.poetry.dependencies]\nsix = "*"\n') -> Path:
    (tmp_path / "pyproject.toml").write_text(toml)
    (tmp_path / "poetry.lock").write_text(lock)
    return tmp_path


def test_a_lock_without_a_root_is_outdated(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed) as caught:
        locks.poetry(project(tmp_path, '[[package]]\nname = "idna"\nversion = "1"\n'))
    assert caught.value.failure is FailureId.LOCKFILE_OUTDATED
    assert "six" in caught.value.why


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n", '[[package]]\nversion = "1"\n'])
def test_a_broken_poetry_lock_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BuildFailed) as caught:
        locks.poetry(project(tmp_path, text))
    assert caught.value.failure is FailureId.LOCKFILE_INVALID


def test_an_app_that_is_no_package_is_not_installed_itself(tmp_path: Path) -> None:
    lock = '[[package]]\nname = "six"\nversion = "1.16.0"\n'
    toml = '[tool.poetry]\nname = "my-shop"\n[tool.poetry.dependencies]\nsix = "*"\n[build-system]\nrequires = []\n'
    assert locks.poetry(project(tmp_path, lock, toml)).lines == ("six==1.16.0",)
    (tmp_path / "my_shop").mkdir()
    assert locks.poetry(tmp_path).lines == ("six==1.16.0", f"-e {tmp_path}")
