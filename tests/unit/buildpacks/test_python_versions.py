from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from homeport.buildpacks import BuildFailed, FailureId
from homeport.buildpacks.python.interpreters import Found, find, pick
from homeport.buildpacks.python.known import Limit
from homeport.buildpacks.python.selection import Circumstances, effective
from homeport.buildpacks.python.versions import DEFAULT, Request, caret, of_its_time, requested


def source(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / name.replace("__", ".").replace("DOT", ".")).write_text(text)
    return tmp_path


def test_nothing_is_asked_for(tmp_path: Path) -> None:
    assert requested(tmp_path, lockfile="requirements.txt") is None


@pytest.mark.parametrize("text", ["3.12\n", "# why\n\n 3.12 \r\n", "\ufeff3.12"])
def test_the_python_version_file(tmp_path: Path, text: str) -> None:
    (tmp_path / ".python-version").write_text(text)
    assert requested(tmp_path, lockfile=None) == Request(".python-version", (3, 12))


def test_runtime_txt_comes_first(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("3.12")
    (tmp_path / "runtime.txt").write_text("python-3.8.18\n")
    assert requested(tmp_path, lockfile=None) == Request("runtime.txt", (3, 8, 18))


def test_the_lock_files(tmp_path: Path) -> None:
    (tmp_path / "Pipfile.lock").write_text(json.dumps({"_meta": {"requires": {"python_version": "3.9"}}}))
    assert requested(tmp_path, lockfile="Pipfile.lock") == Request("Pipfile.lock", (3, 9))
    (tmp_path / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.10,<3.13"\n')
    found = requested(tmp_path, lockfile="uv.lock")
    assert found is not None
    assert found.text == "<3.13,>=3.10"
    assert requested(tmp_path, lockfile="requirements.txt") is None


@pytest.mark.parametrize(
    ("constraint", "inside", "outside"),
    [
        ("^3.8", "3.13.1", "4.0"),
        ("~3.8", "3.8.20", "3.9"),
        (">=3.8,<3.11", "3.10.2", "3.11"),
        ("3.9.*", "3.9.1", "3.10"),
    ],
)
def test_poetrys_constraints(constraint: str, inside: str, outside: str) -> None:
    assert caret(constraint).contains(inside)
    assert not caret(constraint).contains(outside)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".python-version", "latest"),
        (".python-version", "python-3.12"),
        (".python-version", '"3.12"'),
        (".python-version", "3.12\n3.11\n"),
        (".python-version", ""),
        (".python-version", "3.x"),
        ("runtime.txt", "3.12"),
        ("runtime.txt", "python-3"),
        ("runtime.txt", "pypy-3.9"),
    ],
)
def test_what_is_no_version_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BuildFailed) as caught:
        requested(tmp_path, lockfile=None)
    assert caught.value.failure is FailureId.PYTHON_VERSION_INVALID
    assert "3.12" in caught.value.fix


@pytest.mark.parametrize("name", ["python-version", ".python_version", ".python-version.txt", ".Python-version"])
def test_misspelt_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("3.12")
    with pytest.raises(BuildFailed) as caught:
        requested(tmp_path, lockfile=None)
    assert caught.value.failure is FailureId.PYTHON_VERSION_MISSPELT
    assert name in caught.value.what


@pytest.mark.parametrize(
    ("day", "version"),
    [
        ("2015-01-01", (3, 6)),
        ("2018-12-20", (3, 6)),
        ("2019-06-01", (3, 7)),
        ("2020-04-20", (3, 8)),
        ("2021-12-01", (3, 9)),
        ("2022-12-01", (3, 10)),
        ("2030-01-01", (3, 13)),
    ],
)
def test_the_python_of_a_time(day: str, version: tuple[int, int]) -> None:
    assert of_its_time(date.fromisoformat(day)) == version


def named(version: tuple[int, ...]) -> Request:
    return Request(".python-version", version)


def test_what_the_app_names_counts() -> None:
    assert effective(named((3, 8)), Circumstances(day=date(2022, 1, 1))).version == (3, 8)


@pytest.mark.parametrize(
    ("circumstances", "version"),
    [
        (Circumstances(), DEFAULT),
        (Circumstances(previous="3.10.13"), (3, 10)),
        (Circumstances(limit=Limit("django", "2.2", (3, 11))), (3, 11)),
        (Circumstances(limit=Limit("django", "2.2", (3, 11)), previous="3.12.1"), (3, 11)),
        (Circumstances(limit=Limit("django", "2.2", (3, 11)), previous="3.9.1"), (3, 9)),
        (Circumstances(day=date(2020, 4, 20), previous="3.12.1"), (3, 8)),
        (Circumstances(day=date(2020, 4, 20), limit=Limit("x", "1", (3, 7))), (3, 7)),
    ],
)
def test_what_counts_for_an_app_that_names_none(circumstances: Circumstances, version: tuple[int, int]) -> None:
    request = effective(None, circumstances)
    assert (request.version, request.named, request.firm) == (version, False, False)


def test_python_2_is_refused_and_an_old_python_3_only_without_permission() -> None:
    for lenient in (False, True):
        with pytest.raises(BuildFailed) as caught:
            effective(named((2, 7, 18)), Circumstances(lenient=lenient))
        assert caught.value.failure is FailureId.PYTHON_VERSION_TOO_OLD
    with pytest.raises(BuildFailed):
        effective(named((3, 5)), Circumstances())
    assert not effective(named((3, 5)), Circumstances(lenient=True)).firm


ON_THIS_MACHINE = ((3, 13, 0), (3, 11, 7), (3, 11, 2), (3, 11), (3, 8, 18), (3, 6, 15))
HERE = [Found(version, Path(f"/{version}")) for version in ON_THIS_MACHINE]


def versions(request: Request) -> list[tuple[int, ...]]:
    return [found.version for found in pick(request, HERE)]


def test_the_exact_version_comes_first() -> None:
    assert versions(named((3, 11, 2)))[0] == (3, 11, 2)
    assert versions(named((3, 11, 7)))[0] == (3, 11, 7)


def test_the_nearest_patch_stands_in() -> None:
    assert versions(named((3, 8, 2))) == [(3, 8, 18)]
    assert versions(named((3, 11, 3)))[:2] == [(3, 11), (3, 11, 2)]  # the unknown patch is asked first


def test_a_minor_version_means_its_newest_patch() -> None:
    assert versions(named((3, 11)))[0] == (3, 11, 7)


def test_no_other_minor_version_stands_in_for_a_named_one() -> None:
    assert versions(named((3, 12))) == []


def test_without_being_firm_the_nearest_minor_version_stands_in() -> None:
    assert versions(Request("the default", (3, 12), named=False, firm=False))[:2] == [(3, 13, 0), (3, 11, 7)]
    assert versions(Request("the default", (3, 7), named=False, firm=False))[0] == (3, 8, 18)


def test_a_range_takes_what_is_nearest_to_the_preferred_one() -> None:
    within = caret(">=3.8,<3.12")
    assert versions(Request("pyproject.toml", within=within))[0] == (3, 11, 7)
    assert versions(Request("pyproject.toml", within=within, preferred=(3, 8)))[0] == (3, 8, 18)


def program(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def test_interpreters_are_found_without_starting_them(tmp_path: Path) -> None:
    program(tmp_path / ".pyenv/versions/3.8.18/bin/python3.8")
    program(tmp_path / ".pyenv/versions/my-env/bin/python3.8")
    program(tmp_path / "own/cpython-3.12.4-linux-x86_64-gnu/bin/python3.12")
    program(tmp_path / "bin/python3.10")
    program(tmp_path / "venv/bin/python3.9")
    (tmp_path / "venv/pyvenv.cfg").write_text("")
    environ = {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin:{tmp_path}/venv/bin:relative"}
    found = [entry for entry in find(environ, tmp_path / "own") if entry.path.is_relative_to(tmp_path)]
    assert [entry.version for entry in found] == [(3, 12, 4), (3, 10), (3, 8, 18)]


def test_interpreters_that_may_not_be_read_are_passed_over(tmp_path: Path) -> None:
    program(tmp_path / ".pyenv/versions/3.8.18/bin/python3.8")
    (tmp_path / ".pyenv/versions/3.8.18/bin/python3.8").chmod(0o600)
    found = find({"HOME": str(tmp_path), "PATH": ""}, tmp_path / "own")
    assert all(not entry.path.is_relative_to(tmp_path) for entry in found)
