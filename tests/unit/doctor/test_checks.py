"""Every check on an app that is broken in one way, and on the same app mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeport.doctor.registry import all_checks
from tests.unit.doctor.apps import DJANGO, FASTAPI, FLASK, App, changed, found, replaced, said

APP_PY = "app.py"
NEEDS = "requirements.txt"
SETTINGS = "site1/settings.py"


def procfile(text: str) -> dict[str, str | None]:
    return {"Procfile": f"{text}\n"}


def flask(*pairs: tuple[str, str]) -> dict[str, str | None]:
    return replaced(FLASK, APP_PY, *pairs)


def settings(*pairs: tuple[str, str]) -> dict[str, str | None]:
    return replaced(DJANGO, SETTINGS, *pairs)


URL = 'url = os.environ.get("DATABASE_URL", "sqlite:///app.db")'
REWRITTEN = 'url.replace("postgres://", "postgresql://", 1)'
DB = 'DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{BASE_DIR / \'db.sqlite3\'}")}'
SQLITE = '"ENGINE": "django.db.backends.sqlite3"'
UPLOAD = "\n\n@app.post('/')\ndef upload():\n    file = request.files['picture']\n    {}\n"
IN_MEMORY = "io.BytesIO(file.read())"

BROKEN: list[tuple[App, App, list[str]]] = [
    # the Procfile
    (FLASK, {"Procfile": None, "procfile": "web: gunicorn app:app"}, ["error procfile_misspelt procfile"]),
    (FLASK, {"Procfile": None, "Procfile.txt": "web: gunicorn app:app"}, ["error procfile_misspelt Procfile.txt"]),
    (FLASK, {"Procfile": None}, ["warning procfile_missing Procfile"]),
    (FLASK, {"Procfile": None, APP_PY: "import flask\n"}, ["error procfile_missing Procfile"]),
    (FLASK, procfile("web: gunicorn app:app\nworker work"), ["warning procfile_lines Procfile:2"]),
    (FLASK, {"Procfile": "# nothing yet\n"}, ["error procfile_lines Procfile"]),
    (FLASK, {"Procfile": "gunicorn app:app\n"}, ["error build_refused Procfile"]),
    (FLASK, procfile("worker: python app.py"), ["error web_missing Procfile"]),
    (FLASK, procfile("server: gunicorn app:app"), ["error web_missing Procfile:1"]),
    # what it names
    (FLASK, procfile("web: gunicorn run:app"), ["error target_missing Procfile:1"]),
    (FLASK, procfile("web: gunicorn app"), ["error target_missing Procfile:1"]),
    (FLASK, procfile("web: gunicorn app:application"), ["error target_missing Procfile:1"]),
    (FLASK, procfile("web: gunicorn app.py"), ["error target_missing Procfile:1"]),
    (FLASK, procfile("web: gunicorn app:app\nworker: python work.py"), ["error target_missing Procfile:2"]),
    (FLASK, procfile("release: python manage.py migrate\nweb: gunicorn app:app"), ["error target_missing Procfile:1"]),
    (DJANGO, procfile("web: gunicorn mysite.wsgi"), ["error target_missing Procfile:1"]),
    (FASTAPI, procfile("web: uvicorn main:app --host 0.0.0.0 --port $PORT"), ["error target_missing Procfile:1"]),
    (FLASK, replaced(FLASK, NEEDS, ("gunicorn==27.0.1\n", "")), ["error server_missing Procfile:1"]),
    (FASTAPI, replaced(FASTAPI, NEEDS, ("uvicorn==0.54.0\n", "")), ["error server_missing Procfile:1"]),
    (FLASK, procfile("web: gunicorn app:app\nworker: celery -A app worker"), ["error server_missing Procfile:2"]),
    # the port
    (FLASK, procfile("web: gunicorn app:app -b 127.0.0.1:8000"), ["error port_not_bound Procfile:1"]),
    (FLASK, procfile("web: gunicorn --bind=0.0.0.0:5000 app:app"), ["error port_not_bound Procfile:1"]),
    (FLASK, {"gunicorn.conf.py": 'bind = "127.0.0.1:8000"\n'}, ["error port_not_bound gunicorn.conf.py:1"]),
    (FASTAPI, procfile("web: uvicorn app:app"), ["error port_not_bound Procfile:1"]),
    (FASTAPI, procfile("web: uvicorn app:app --port $PORT"), ["error port_not_bound Procfile:1"]),
    (FASTAPI, procfile("web: uvicorn app:app --host 0.0.0.0 --port 8000"), ["error port_not_bound Procfile:1"]),
    (FLASK, procfile("web: flask run"), ["error port_not_bound Procfile:1", "warning development_server Procfile:1"]),
    (DJANGO, procfile("web: python manage.py runserver"),
     ["error port_not_bound Procfile:1", "warning development_server Procfile:1"]),
    (FLASK, {**procfile("web: python app.py"), **flask(("app.run(debug=True)", "app.run(port=5000)"))},
     ["error port_not_bound app.py:13", "warning development_server Procfile:1"]),
    # servers and debugging
    (FLASK, procfile("web: gunicorn --reload app:app"), ["warning development_server Procfile:1"]),
    (FLASK, procfile("web: flask run --host 0.0.0.0 --port $PORT"), ["warning development_server Procfile:1"]),
    (FLASK, procfile("web: flask run --debug --host 0.0.0.0 --port $PORT"),
     ["error debug_mode Procfile:1", "warning development_server Procfile:1"]),
    (FLASK, procfile("web: FLASK_DEBUG=1 gunicorn app:app"), ["error debug_mode Procfile:1"]),
    (FLASK, {**procfile("web: python app.py"),
             **flask(("app.run(debug=True)", 'app.run(debug=True, host="0.0.0.0", port=int(os.environ["PORT"]))'))},
     ["error debug_mode app.py:13", "warning development_server Procfile:1"]),
    (FLASK, flask(("app.secret_key", 'app.config["DEBUG"] = True\napp.secret_key')), ["warning debug_mode app.py:7"]),
    (FLASK, flask(('if __name__ == "__main__":\n    app.run(debug=True)', "app.run()")),
     ["error app_run_at_import app.py:12"]),
    (DJANGO, settings(('os.environ.get("DEBUG") == "1"', "True")), ["error debug_mode site1/settings.py:6"]),
    (DJANGO, settings(('os.environ.get("DEBUG") == "1"', 'bool(os.environ.get("DEBUG", "False"))')),
     ["warning debug_mode site1/settings.py:6"]),
    # dependencies
    (FLASK, flask(("import os\n", "import os\nimport requests\n")), ["error package_missing app.py:2"]),
    (FLASK, flask(("import os\n", "import os\nfrom PIL import Image\n")), ["error package_missing app.py:2"]),
    (FLASK, flask(("import os\n", "import os\nimport quibble\n")), ["warning package_missing app.py:2"]),
    (FLASK, flask(("if __name__", "def read():\n    import yaml\n\n\nif __name__")),
     ["warning package_missing app.py:13"]),
    (DJANGO, replaced(DJANGO, NEEDS, ("whitenoise==6.12.0\n", "")), ["error package_missing site1/settings.py:10"]),
    (DJANGO, {NEEDS: f"{DJANGO[NEEDS]}boto3\n",
              **replaced(DJANGO, "blog/models.py", ("models.CharField()", "models.ImageField()"))},
     ["error package_missing blog/models.py:5"]),
    (FLASK, {NEEDS: None}, ["error build_refused requirements.txt"]),
    (FLASK, {"poetry.lock": ""}, ["error build_refused requirements.txt"]),
    (FLASK, {".python-version": "latest\n"}, ["error build_refused .python-version"]),
    # the database
    (FLASK, flask((URL, 'url = "sqlite:///app.db"')), ["error sqlite_database app.py:8"]),
    (DJANGO, settings((DB, "DATABASES = {'default': {" + SQLITE + "}}"), ("import dj_database_url\n", "")),
     ["error sqlite_database site1/settings.py:10"]),
    (FLASK, {APP_PY: "import sqlite3\nfrom flask import Flask, g\n\napp = Flask(__name__)\n\n\ndef db():\n"
                     "    if 'db' not in g:\n        g.db = sqlite3.connect('blog.db')\n    return g.db\n",
             "app.json": None},
     ["error sqlite_database app.py:9"]),
    (FLASK, {"app.json": None}, ["warning sqlite_fallback app.py:8"]),
    (FLASK, replaced(FLASK, NEEDS, ("psycopg[binary]==3.3.9\n", "")), ["error postgres_driver app.py:8"]),
    (DJANGO, replaced(DJANGO, NEEDS, ("psycopg[binary]==3.3.9\n", "")), ["error postgres_driver requirements.txt"]),
    (FLASK, flask((REWRITTEN, "url")), ["error postgres_scheme app.py:8"]),
    (FLASK, flask(("if __name__", 'broker = Celery(broker="redis://localhost:6379/0")\n\nif __name__')),
     ["error localhost_service app.py:12"]),
    (FLASK, flask(("if __name__", 'found = db.select(Post).where(Post.title.like("%a%"))\n\nif __name__')),
     ["warning like_search app.py:12"]),
    (DJANGO, {"blog/migrations/0001_initial.py": None}, ["error migrations_missing blog/models.py:4"]),
    (FLASK, {NEEDS: f"{FLASK[NEEDS]}Flask-Migrate==4.1.0\n",
             **flask(("if __name__", "Migrate(app, db)\n\nif __name__"))}, ["error migrations_missing app.py:12"]),
    (FLASK, flask(("    app.run(debug=True)", "    db.create_all()")), ["error migrations_missing app.py:13"]),
    (FLASK, {NEEDS: f"{FLASK[NEEDS]}Flask-Migrate==4.1.0\n", "migrations/versions/0001.py": "",
             **flask(("if __name__", "db.create_all()\n\nif __name__"))}, ["warning tables_at_import app.py:12"]),
    # what strangers see, and what does not last
    (FLASK, flask(('os.environ["SECRET_KEY"]', '"dev"')), ["warning secret_in_source app.py:7"]),
    (FLASK, flask(('os.environ["SECRET_KEY"]', 'os.environ.get("SECRET_KEY", "dev")')),
     ["warning secret_in_source app.py:7"]),
    (FLASK, flask(("import os\n", 'import os\nKEY = "AKIAIOSFODNN7EXAMPLE"\n')), ["error secret_in_source app.py:2"]),
    (DJANGO, settings(('os.environ["SECRET_KEY"]', '"django-insecure-abc"')),
     ["warning secret_in_source site1/settings.py:7"]),
    (FLASK, {".env": "SECRET_KEY=x\n"}, ["warning env_file .env"]),
    (FLASK, flask(("if __name__", UPLOAD.format("file.save('uploads/' + file.filename)") + "\n\nif __name__")),
     ["error uploads_on_disk app.py:17"]),
    (DJANGO, {**settings(("STATIC_URL", 'MEDIA_ROOT = BASE_DIR / "media"\nSTATIC_URL')),
              **replaced(DJANGO, "blog/models.py", ("models.CharField()", "models.FileField()"))},
     ["error uploads_on_disk blog/models.py:5"]),
    # Django
    (DJANGO, settings(('["*"]', "[]")), ["error allowed_hosts site1/settings.py:8"]),
    (DJANGO, settings(('["*"]', '["localhost"]')), ["error allowed_hosts site1/settings.py:8"]),
    (DJANGO, settings(('STATIC_ROOT = BASE_DIR / "staticfiles"\n', "")), ["warning static_files site1/settings.py:12"]),
    (DJANGO, settings((', "whitenoise.middleware.WhiteNoiseMiddleware"', "")),
     ["warning static_files site1/settings.py:12"]),
    (DJANGO, {"site1/settings.py": None, "site1/settings/__init__.py": "", "site1/settings/dev.py": DJANGO[SETTINGS],
              "site1/settings/production.py": DJANGO[SETTINGS],
              **replaced(DJANGO, "site1/wsgi.py", ("site1.settings", "site1.settings.dev"))},
     ["warning django_settings site1/settings/dev.py"]),
    # the front end
    (FLASK, {"templates/a.html": '<script>fetch("http://localhost:5000/api")</script>'},
     ["error localhost_link templates/a.html:1"]),
    (FLASK, {"client/src/api.js": "\nconst BASE = 'http://127.0.0.1:5000';\n"},
     ["error localhost_link client/src/api.js:2"]),
    # the code itself
    (FLASK, {"app.py": f"{FLASK[APP_PY]}\nprint 'hello'\n"}, ["error syntax_error app.py:15"]),
]  # fmt: skip


@pytest.mark.parametrize(("app", "change", "expected"), BROKEN, ids=[" and ".join(case[2]) for case in BROKEN])
def test_what_is_broken_is_found_and_nothing_else(tmp_path: Path, app: App, change: App, expected: list[str]) -> None:
    assert said(found(tmp_path, changed(app, change))) == expected


MENDED: list[tuple[App, App]] = [
    (FLASK, {}),
    (DJANGO, {}),
    (FASTAPI, {}),
    (FLASK, procfile("web: gunicorn -w 2 -k gthread --threads 4 -b 0.0.0.0:$PORT --access-logfile - app:app")),
    (FLASK, procfile("web: exec python -m gunicorn --preload app:app")),
    (FLASK, procfile("web: newrelic-admin run-program gunicorn app:app")),
    (FLASK, procfile("release: flask --app app shell -c pass\nweb: gunicorn 'app:create_app()'")
     | flask(("app = Flask", "def create_app():\n    return app\n\n\napp = Flask"))),
    (FLASK, {"app.py": None, "shop/__init__.py": FLASK[APP_PY], **procfile("web: gunicorn shop:app")}),
    (FLASK, {"app.py": None, "src/app.py": FLASK[APP_PY], **procfile("web: gunicorn --chdir src app:app")}),
    (FLASK, {"gunicorn.conf.py": 'import os\nbind = "0.0.0.0:" + os.environ.get("PORT", "8000")\n'}),
    (FLASK, {**procfile("web: uwsgi --http :$PORT --module app:app"), NEEDS: f"{FLASK[NEEDS]}uWSGI\n"}),
    (FLASK, {**procfile("web: waitress-serve --listen=*:$PORT app:app"), NEEDS: f"{FLASK[NEEDS]}waitress\n"}),
    (FASTAPI, procfile("web: uvicorn --factory app:app --host=0.0.0.0 --port=${PORT:-5000} --workers 2")),
    (FASTAPI, {**procfile("web: gunicorn -k uvicorn.workers.UvicornWorker app:app"),
               NEEDS: f"{FASTAPI[NEEDS]}gunicorn\n"}),
    (FASTAPI, {**procfile("web: hypercorn app:app --bind 0.0.0.0:$PORT"), NEEDS: f"{FASTAPI[NEEDS]}hypercorn\n"}),
    (DJANGO, {**procfile("web: daphne -b 0.0.0.0 -p $PORT site1.asgi:application"), NEEDS: f"{DJANGO[NEEDS]}daphne\n",
              "site1/asgi.py": "application = object()\n"}),
    (FLASK, {"app.py": None, "backend/app.py": FLASK[APP_PY], **procfile("web: cd backend && gunicorn app:app")}),
    (FLASK, procfile("web: bin/start")),
    (FASTAPI, procfile("web: ./start.sh --port 8000")),
    # imports that are somebody's after all
    (FLASK, flask(("import os\n", "import os\nimport click, jinja2, werkzeug\n"))),
    (FLASK, flask(("import os\n", "import os\ntry:\n    import ujson\nexcept ImportError:\n    ujson = None\n"))),
    (FLASK, flask(("import os\n", "import os\nimport tools\n")) | {"tools.py": ""}),
    (FLASK, {"seed.py": "import faker\n", "tests/test_app.py": "import pytest\n"}),
    (FLASK, flask(("import os\n", "import os\nif os.environ.get('SENTRY_DSN'):\n    import sentry_sdk\n"))),
    (FLASK, flask(("import os\n", "import os\nimport boto3\n")) | {NEEDS: f"{FLASK[NEEDS]}boto3\n"}),
    # databases
    (FLASK, flask((URL, 'url = os.environ["DATABASE_URL"]'))),
    (FLASK, flask((URL, 'url = os.getenv("DATABASE_URL") or "sqlite:///" + os.path.join("x", "app.db")'))),
    (FLASK, {"config.py": "class TestConfig:\n    SQLALCHEMY_DATABASE_URI = 'sqlite:///test.db'\n"}),
    (FLASK, flask(("if __name__",
                   'if os.environ.get("DATABASE_URL") is None:\n    url = "sqlite:///x.db"\n\nif __name__'))),
    (FLASK, flask(("if __name__",
                   'broker = os.environ.get("REDIS_URL", "redis://localhost:6379")\n\nif __name__'))),
    (FLASK, flask(("if __name__", 'found = Post.title.ilike("%a%")\n\nif __name__'))),
    (FLASK, flask(("if __name__", 'found = func.lower(Post.title).like(words.lower())\n\nif __name__'))),
    (FLASK, flask(("if __name__", UPLOAD.format(f"picture = {IN_MEMORY}") + "\n\nif __name__"))),
    (DJANGO, settings(("STATIC_URL", 'MEDIA_ROOT = BASE_DIR / "media"\nSTATIC_URL'))
     | replaced(DJANGO, "blog/models.py", ("models.CharField()", "models.ImageField()"))
     | {NEEDS: f"{DJANGO[NEEDS]}django-storages[s3]\nPillow\n"}),
    # settings that say it in other ways
    (FLASK, flask(('os.environ["SECRET_KEY"]', 'os.environ.get("SECRET_KEY") or secrets.token_hex(32)'))),
    (FLASK, {"config.py": "class DevelopmentConfig:\n    DEBUG = True\n    SECRET_KEY = 'dev'\n"}),
    (DJANGO, settings(('os.environ.get("DEBUG") == "1"', 'config("DEBUG", default=False, cast=bool)'))),
    (DJANGO, settings(('["*"]', 'os.environ.get("ALLOWED_HOSTS", "localhost").split(",")'))),
    (DJANGO, settings(('["*"]', '["blog.example.com"]'))),
    (DJANGO, {"site1/settings.py": "from .base import *\n\nDEBUG = False\nALLOWED_HOSTS = ['*']\n",
              "site1/base.py": (DJANGO[SETTINGS] or "").replace('["*"]', "[]").replace(
                  'os.environ.get("DEBUG") == "1"', "True")}),
    # the front end
    (FLASK, {"client/src/api.js": "const BASE = import.meta.env.VITE_API || 'http://localhost:5000';\n"}),
    (FLASK, {"client/src/api.js": "// at home: http://localhost:5000\nfetch('/api');\n"}),
    (FLASK, {"vite.config.js": "export default { server: { proxy: { '/api': 'http://localhost:5000' } } };\n"}),
    (FLASK, {"templates/help.html": "<p>At home it is at http://localhost:5000.</p>"}),
    (FLASK, {".env": "SECRET_KEY=x\n", ".gitignore": ".env\n"}),
]  # fmt: skip


@pytest.mark.parametrize(("app", "change"), MENDED, ids=range(len(MENDED)))
def test_what_is_right_is_let_be(tmp_path: Path, app: App, change: App) -> None:
    assert [finding.what for finding in found(tmp_path, changed(app, change))] == []


def test_every_check_has_found_something_above() -> None:
    tried = {expected.split()[1] for _, _, lines in BROKEN for expected in lines}
    elsewhere = {"left_out_by_git", "database_file", "virtual_environment"}  # those need git: test_git_checks.py
    assert {check.id for check in all_checks()} - tried == elsewhere
