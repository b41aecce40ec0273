"""What git has, and what it is told to pass over, decides what a push takes along."""

from __future__ import annotations

from pathlib import Path

from tests.unit.doctor.apps import FLASK, changed, found, said

SQLITE = "SQLite format 3\0"


def test_a_committed_env_file_is_an_error(tmp_path: Path) -> None:
    app = changed(FLASK, {".env": "SECRET_KEY=x\n", ".gitignore": ".env\n"})
    assert said(found(tmp_path, app, tracked=frozenset(app))) == ["error env_file .env"]
    assert said(found(tmp_path, app, tracked=frozenset(app) - {".env"})) == ["warning env_file .env"]


def test_a_committed_database_is_a_warning_and_something_else_of_that_name_is_not(tmp_path: Path) -> None:
    app = changed(FLASK, {"instance/blog.db": SQLITE, "words.db": "not a database\n"})
    assert said(found(tmp_path, app, tracked=frozenset(app))) == ["warning database_file instance/blog.db"]


def test_a_committed_virtual_environment_is_a_warning_and_is_not_looked_into(tmp_path: Path) -> None:
    app = changed(FLASK, {"venv/pyvenv.cfg": "", "venv/lib/app.py": 'app.secret_key = "x"\n'})
    assert said(found(tmp_path, app, tracked=frozenset(app))) == ["warning virtual_environment venv/pyvenv.cfg"]


def test_what_the_app_needs_and_git_passes_over_is_an_error(tmp_path: Path) -> None:
    app = changed(FLASK, {})
    findings = found(tmp_path, app, tracked=frozenset(app), ignored="config.py notes.txt")
    assert said(findings) == ["error left_out_by_git config.py"]
