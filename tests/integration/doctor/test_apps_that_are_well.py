"""The apps that we hand out come out clean: what the doctor says of them is said to everybody who begins with one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from homeport import starters
from homeport.doctor import examine

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/README.md"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    report = examine(ROOT / "examples" / name)
    assert [f"{finding.place} {finding.id}: {finding.what}" for finding in report.findings] == []
    assert report.files > 10


@pytest.mark.slow
@pytest.mark.parametrize("starter", starters.STARTERS, ids=lambda starter: starter.name)
def test_starters(starter: starters.Starter, tmp_path: Path) -> None:
    folder = tmp_path / f"my-{starter.name}"
    starters.make(starter, folder)
    assert [f"{finding.place} {finding.id}: {finding.what}" for finding in examine(folder).findings] == []


# The examples, broken as the documents that they follow tell it: each pitfall is found where it stands.
PITFALLS = [
    ("flaskr", "requirements.txt", "psycopg[binary]==3.3.9\n", "", "postgres_driver flaskr/config.py"),
    ("flaskr", "flaskr/models.py", "column.icontains(words, autoescape=True)", "column.like(f'%{words}%')",
     "like_search flaskr/models.py"),
    ("flaskr", "Procfile", "run:app", "flaskr:app", "target_missing Procfile"),
    ("wiki", "wiki/settings/heroku.py", 'env.list("ALLOWED_HOSTS", default=["*"])', '["localhost"]',
     "allowed_hosts wiki/settings/heroku.py"),
    ("wiki", "wiki/settings/heroku.py", "DEBUG = False", "DEBUG = True", "debug_mode wiki/settings/heroku.py"),
    ("wiki", "wiki/settings/base.py", 'STATIC_ROOT = BASE_DIR / "staticfiles"\n', "",
     "static_files wiki/settings/base.py"),
    ("ticketshop", "client/src/api.js", "`/api${path}`", '"http://localhost:5050/api"',
     "localhost_link client/src/api.js"),
    ("ticketshop", "Procfile", "gunicorn -w 1 -k gthread --threads 4 app:app", "flask run --port 5050",
     "port_not_bound Procfile"),
    ("wordcount", "Procfile", "--app app:celery", "--app work:celery", "target_missing Procfile"),
    ("wordcount", "requirements.txt", "gunicorn==27.0.1\n", "", "server_missing Procfile"),
    ("marketplace", "requirements.txt", "Pillow==13.0.0\n", "", "package_missing market/pictures.py"),
]  # fmt: skip


@pytest.mark.parametrize(("example", "path", "old", "new", "expected"), PITFALLS, ids=lambda value: str(value)[:40])
def test_examples_that_are_broken(tmp_path: Path, example: str, path: str, old: str, new: str, expected: str) -> None:
    folder = tmp_path / example
    ignored = shutil.ignore_patterns("node_modules", ".venv", "instance", "dist", ".*_cache")
    shutil.copytree(ROOT / "examples" / example, folder, ignore=ignored)
    text = (folder / path).read_text()
    assert old in text
    (folder / path).write_text(text.replace(old, new))
    findings = examine(folder).findings
    assert expected in [f"{finding.id} {finding.path}" for finding in findings]
    assert {finding.path for finding in findings} == {expected.split()[1]}, "what was not touched is not blamed"
