"""Reading a stranger's folder: nothing is followed out of it, nothing is run, nothing makes the doctor fail."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from homeport.doctor.examination import findings
from homeport.doctor.project import Project
from homeport.doctor.registry import all_checks, named
from homeport.doctor.source import Source
from homeport.errors import NotFound
from tests.unit.doctor.apps import FLASK, changed, found, project, replaced, said


def test_links_that_lead_out_of_the_folder_are_not_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text('SECRET = "AKIAIOSFODNN7EXAMPLE"\n')
    (tmp_path / "app").mkdir()
    app = project(tmp_path / "app", changed(FLASK, {}))
    (tmp_path / "app" / "config.py").symlink_to(outside)
    seen = Project(app.root, [*app.files, "config.py"])
    assert seen.text("config.py") is None
    assert findings(seen, all_checks()) == ()


def test_the_code_of_an_app_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    code = f"open({str(mark)!r}, 'w')\nimport os\nos._exit(3)\n"
    found(
        tmp_path / "app",
        changed(FLASK, {"app.py": code, "config.py": code, "gunicorn.conf.py": code, "conftest.py": code}),
    )
    assert not mark.exists()
    assert "app" not in sys.modules


@pytest.mark.parametrize(
    "text",
    ["\0", "(" * 5000, "x = " + "-" * 20000 + "1", "f(" * 300 + ")" * 300, "\x0c\n", "def f(:\n", "x = '\\d'\n"],
    ids=["a NUL", "brackets without end", "deep signs", "deep calls", "a form feed", "a slip", "a strange escape"],
)
def test_files_that_nobody_meant_do_not_stop_it(tmp_path: Path, text: str) -> None:
    found(tmp_path, changed(FLASK, {"config.py": text, "Procfile": text, "requirements.txt": text, "app.json": text}))


@pytest.mark.parametrize("manifest", ["[]", "{", '{"addons": 3}', '{"addons": [null, {"plan": 1}]}', "null"])
def test_a_strange_app_json_names_no_add_ons(tmp_path: Path, manifest: str) -> None:
    assert "heroku-postgresql" not in project(tmp_path, changed(FLASK, {"app.json": manifest})).addons


def test_bytes_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    app = project(tmp_path, changed(FLASK, {"templates/a.html": "", "config.py": ""}))
    (tmp_path / "templates/a.html").write_bytes(b"\xff\xfe\x00http://localhost")
    (tmp_path / "config.py").write_bytes(b"\x80abc")
    assert findings(app, all_checks()) == ()


def test_a_comment_waves_a_finding_through(tmp_path: Path) -> None:
    for comment, expected in (
        ("# homeport: ok secret_in_source", []),
        ("# homeport: ok", []),
        ("# homeport: ok like_search", ["warning secret_in_source app.py:7"]),
    ):
        app = changed(FLASK, replaced(FLASK, "app.py", ('os.environ["SECRET_KEY"]', f'"dev"  {comment}')))
        assert said(found(tmp_path, app)) == expected


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    secret = "AKIAIOSFODNN7EXAMPLE"
    url = "postgres://admin:hunter22@db.example.org:5432/app"
    app = changed(FLASK, replaced(FLASK, "app.py", ("import os\n", f'import os\nKEY = "{secret}"\nURL = "{url}"\n')))
    shown = str(found(tmp_path, app))
    assert "secret_in_source" in shown
    assert secret not in shown
    assert "hunter22" not in shown


def test_only_what_dynos_load_is_looked_at(tmp_path: Path) -> None:
    stray = 'import pandas\n\nAPI_SECRET_KEY = "x"\nsqlite3.connect("a.db")\n'
    assert found(tmp_path, changed(FLASK, {"scripts/import_data.py": stray, "notebook.py": stray})) == ()


def test_names_that_a_module_has() -> None:
    text = "import os.path\nfrom x import y as z\na = b = 1\nfor c in ():\n    d = 1\n\n\ndef f():\n    e = 1\n"
    assert Source("m.py", text).bound == frozenset({"os", "z", "a", "b", "c", "d", "f"})
    assert Source("m.py", "from x import *\n").bound is None
    assert Source("m.py", "def __getattr__(name): ...\n").bound is None


def test_every_check_has_a_help_page() -> None:
    for check in all_checks():
        assert check.title.endswith((".", ":")) or "`" in check.title, check.id
        assert len(check.help.splitlines()) > 3, f"{check.id} says too little"
        assert named(check.id) is check
    with pytest.raises(NotFound):
        named("no_such_check")


def test_every_check_stands_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/check-an-app.md").read_text()
    missing = [check.id for check in all_checks() if f"`{check.id}`" not in page]
    assert not missing
