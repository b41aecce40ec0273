"""Small apps that are well, to be broken one thing at a time; files by their paths."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from homeport.doctor.examination import findings
from homeport.doctor.findings import Finding
from homeport.doctor.project import Project
from homeport.doctor.registry import all_checks

App = Mapping[str, str | None]
"""None takes a file away."""

FLASK: App = {
    "Procfile": "web: gunicorn app:app\n",
    "requirements.txt": """\
Flask==3.1.3
Flask-SQLAlchemy==3.1.1
SQLAlchemy==2.1.9
gunicorn==27.0.1
psycopg[binary]==3.3.9
""",
    "app.json": '{"addons": ["heroku-postgresql:essential-0"]}',
    "app.py": """\
import os

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]
url = os.environ.get("DATABASE_URL", "sqlite:///app.db")
app.config["SQLALCHEMY_DATABASE_URI"] = url.replace("postgres://", "postgresql://", 1)
db = SQLAlchemy(app)

if __name__ == "__main__":
    app.run(debug=True)
""",
}

DJANGO: App = {
    "Procfile": "release: python manage.py migrate\nweb: gunicorn site1.wsgi\n",
    "requirements.txt": """\
Django==5.2.19
dj-database-url==3.1.2
gunicorn==27.0.1
psycopg[binary]==3.3.9
whitenoise==6.12.0
""",
    "app.json": '{"addons": ["heroku-postgresql"]}',
    "manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")\n',
    "site1/__init__.py": "",
    "site1/wsgi.py": """\
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")
application = get_wsgi_application()
""",
    "site1/settings.py": """\
import os
from pathlib import Path
import dj_database_url

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = os.environ.get("DEBUG") == "1"
SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.admin", "django.contrib.staticfiles", "blog"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "whitenoise.middleware.WhiteNoiseMiddleware"]
DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
""",
    "blog/__init__.py": "",
    "blog/models.py": "from django.db import models\n\n\nclass Post(models.Model):\n    title = models.CharField()\n",
    "blog/migrations/__init__.py": "",
    "blog/migrations/0001_initial.py": "",
}

FASTAPI: App = {
    "Procfile": "web: uvicorn app:app --host 0.0.0.0 --port $PORT\n",
    "requirements.txt": "fastapi==0.165.0\nuvicorn==0.54.0\n",
    "app.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
}


def changed(app: App, change: App) -> dict[str, str]:
    return {path: text for path, text in {**app, **change}.items() if text is not None}


def replaced(app: App, path: str, *pairs: tuple[str, str]) -> dict[str, str | None]:
    """One file with texts in it replaced; each must be there."""
    text = app[path] or ""
    for old, new in pairs:
        assert old in text, f"{old!r} is not in {path}"
        text = text.replace(old, new)
    return {path: text}


def project(folder: Path, app: App, *, tracked: frozenset[str] | None = None, ignored: str = "") -> Project:
    """The app in a folder of its own, without git."""
    written = changed(app, {})
    for path, text in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return Project(folder, list(written), tracked=tracked, ignored=frozenset(ignored.split()))


def found(folder: Path, app: App, **git: object) -> tuple[Finding, ...]:
    """What all checks find."""
    return findings(project(folder, app, **git), all_checks())  # type: ignore[arg-type]


def said(findings: tuple[Finding, ...]) -> list[str]:
    """`error target_missing Procfile:1`, in the order of a report."""
    return [f"{finding.severity.value} {finding.id} {finding.place}" for finding in findings]
