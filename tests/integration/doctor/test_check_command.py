"""`homeport check` as it is typed, on folders with and without git."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from homeport.doctor import all_checks
from tests.integration.doctor.test_mending import app, commit
from tests.unit.cli.cli_session import Session
from tests.unit.doctor.apps import FLASK, changed, replaced

DEV_KEY = replaced(FLASK, "app.py", ('os.environ["SECRET_KEY"]', '"dev"'))


def test_a_clean_app(tmp_path: Path) -> None:
    shown = Session().type(f"check {app(tmp_path, FLASK)}")
    assert shown.code == 0
    assert shown.out == f"{len(all_checks())} checks, 4 files: nothing found. Deploy it: git push heroku main\n"


def test_an_error_is_shown_with_its_place_and_what_to_do(tmp_path: Path) -> None:
    app(tmp_path, changed(FLASK, {"Procfile": "web: gunicorn run:app\n"}))
    shown = Session().type(f"check {tmp_path}")
    assert shown.code == 1
    assert (
        shown.out
        == """\
=== Errors

Procfile:1  target_missing
  web serves run:app, and there is no run.py.
  The process would end as soon as it starts, and visitors would see that the app has crashed (H10).
  Before the colon stands the file without .py, after it the name of the app object in it.

  This app looks like:

    web: gunicorn app:app

1 error in 4 files. More about one: homeport check --explain target_missing
"""
    )


def test_warnings_fail_only_when_they_are_told_to(tmp_path: Path) -> None:
    app(tmp_path, changed(FLASK, DEV_KEY))
    shown = Session().type(f"check {tmp_path}")
    assert shown.code == 0
    assert "=== Warnings" in shown.out
    assert Session().type(f"check {tmp_path} --strict").code == 1


def test_json_is_for_scripts(tmp_path: Path) -> None:
    app(tmp_path, changed(FLASK, DEV_KEY))
    document = json.loads(Session().type(f"check {tmp_path} --json").out)
    assert (document["errors"], document["warnings"]) == (0, 1)
    [finding] = document["findings"]
    assert (finding["id"], finding["severity"], finding["file"], finding["line"]) == (
        "secret_in_source", "warning", "app.py", 7,
    )  # fmt: skip


def test_fix_shows_what_it_does_and_what_is_left(tmp_path: Path) -> None:
    app(tmp_path, changed(FLASK, {**DEV_KEY, "Procfile": None, "procfile": "web: gunicorn app:app\n"}))
    shown = Session().type(f"check {commit(tmp_path)} --fix")
    assert shown.code == 0
    assert "Fixed: Your Procfile is named procfile.\n  rename from procfile\n  rename to Procfile\n" in shown.out
    assert "1 thing fixed; look at it with git diff, then commit it. 1 warning in 4 files." in shown.out


def test_colours_are_for_terminals(tmp_path: Path) -> None:
    app(tmp_path, changed(FLASK, DEV_KEY))
    assert "\x1b[" not in Session().type(f"check {tmp_path}").out
    assert "\x1b[33m" in Session(colour=True).type(f"check {tmp_path}").out


def test_what_is_shown_of_a_stranger_cannot_steer_the_terminal(tmp_path: Path) -> None:
    name = "a\x1b]0;title\x07.js"
    app(tmp_path, changed(FLASK, {name: "fetch('http://localhost:5000')\n"}))
    shown = Session(colour=True).type(f"check {tmp_path}")
    assert "localhost_link" in shown.out
    assert "\x1b]0" not in shown.out


def test_checks_are_listed_and_explained() -> None:
    listed = Session().type("check --list").out
    assert [line.split()[0] for line in listed.splitlines()] == [check.id for check in all_checks()]
    for check in all_checks():
        assert check.help.splitlines()[0] in Session().type(f"check --explain {check.id}").out


@pytest.mark.parametrize(
    ("typed", "code", "id"),
    [
        ("check {}/nowhere", 1, "no_such_folder"),
        ("check {}/empty", 1, "nothing_to_check"),
        ("check --explain nothing", 1, "not_found"),
        ("check --force", 2, "usage"),
        ("check --list --fix", 2, "usage"),
    ],
)
def test_wrong_usage(tmp_path: Path, typed: str, code: int, id: str) -> None:
    (tmp_path / "empty").mkdir()
    shown = Session().type(typed.format(tmp_path))
    assert shown.code == code
    assert f"Error ID: {id}" in shown.err


def test_a_folder_that_git_passes_over_is_looked_at_all_the_same(tmp_path: Path) -> None:
    app(tmp_path, {".gitignore": "build/\n", **{f"build/{path}": text for path, text in FLASK.items()}})
    commit(tmp_path)
    assert "4 files: nothing found" in Session().type(f"check {tmp_path / 'build'}").out


def test_a_repository_cannot_have_anything_run(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    folder = commit(app(tmp_path / "app", FLASK))
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    hook.chmod(0o755)
    subprocess.run(["git", "-C", str(folder), "config", "core.fsmonitor", str(hook)], check=True)
    assert Session().type(f"check {folder}").code == 0
    assert not mark.exists()


@pytest.mark.slow
def test_no_platform_is_needed(tmp_path: Path) -> None:
    app(tmp_path / "app", FLASK)
    done = subprocess.run(
        [sys.executable, "-m", "homeport", "check"],
        cwd=tmp_path / "app",
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing found" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app"], "no home was made"
