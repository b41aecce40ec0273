from __future__ import annotations

import time
from pathlib import Path

import pytest

from homeport.buildpacks.python.guess import Entry, Guess, find, process_types

FLASK = {"flask": "3.0.3", "gunicorn": "22.0.0"}
MANAGE = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{}")\n'


def write(tmp_path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"app.py": "app = Flask(__name__)"}, "gunicorn app:app"),
        ({"main.py": "import flask\nserver: flask.Flask = flask.Flask(__name__)"}, "gunicorn main:server"),
        ({"wsgi.py": "from shop import create_app\n\napplication = create_app()\n"}, "gunicorn wsgi:application"),
        ({"shop/__init__.py": "def create_app(test=None):\n    app = Flask('x')\n    return app\n"},
         "gunicorn 'shop:create_app()'"),
        ({"shop/__init__.py": "", "shop/app.py": "app = Flask('x')\n"}, "gunicorn shop.app:app"),
        ({"app.py": "print('no web')", "main.py": "app = Flask('x')"}, "gunicorn main:app"),
    ],
)  # fmt: skip
def test_flask(tmp_path: Path, files: dict[str, str], command: str) -> None:
    assert process_types(write(tmp_path, files), FLASK) == Guess(command)


def test_flask_without_a_server_runs_its_own_and_says_so(tmp_path: Path) -> None:
    guess = process_types(write(tmp_path, {"app.py": "app = Flask(__name__)"}), {"flask": "3.0"})
    assert guess.web == "FLASK_APP='app:app' flask run --host 0.0.0.0 --port $PORT"
    assert "web: gunicorn app:app" in guess.caution


def test_waitress_serves_flask_too(tmp_path: Path) -> None:
    guess = process_types(write(tmp_path, {"app.py": "app = Flask(__name__)"}), {"flask": "3.0", "waitress": "3.0"})
    assert guess == Guess("waitress-serve --listen=0.0.0.0:$PORT app:app")


def test_django(tmp_path: Path) -> None:
    files = {"manage.py": MANAGE.format("pages.settings"), "pages/wsgi.py": ""}
    guess = process_types(write(tmp_path, files), {"django": "4.2", "gunicorn": "22"})
    assert guess == Guess("gunicorn pages.wsgi")


def test_django_with_split_settings_in_a_subfolder(tmp_path: Path) -> None:
    files = {"site/manage.py": MANAGE.format("config.settings.production"), "site/config/wsgi.py": ""}
    guess = process_types(write(tmp_path, files), {"django": "4.2", "gunicorn": "22"})
    assert guess == Guess("gunicorn --chdir site config.wsgi")


def test_django_without_gunicorn_runs_its_own_server_and_says_so(tmp_path: Path) -> None:
    files = {"manage.py": MANAGE.format("pages.settings"), "pages/wsgi.py": ""}
    guess = process_types(write(tmp_path, files), {"django": "4.2"})
    assert guess.web == "python manage.py runserver --noreload 0.0.0.0:$PORT"
    assert "web: gunicorn pages.wsgi" in guess.caution


@pytest.mark.parametrize(
    ("packages", "command"),
    [
        ({"fastapi": "0.115", "uvicorn": "0.30"}, "uvicorn main:app --host 0.0.0.0 --port $PORT --proxy-headers"),
        ({"fastapi": "0.115", "hypercorn": "0.17"}, "hypercorn main:app --bind 0.0.0.0:$PORT"),
        ({"fastapi": "0.115"}, ""),
    ],
)
def test_fastapi(tmp_path: Path, packages: dict[str, str], command: str) -> None:
    guess = process_types(write(tmp_path, {"main.py": "from fastapi import FastAPI\napp = FastAPI()\n"}), packages)
    assert guess.web == command
    assert bool(guess.caution) == (not command)


def test_a_procfile_ends_all_guessing(tmp_path: Path) -> None:
    files = {"app.py": "app = Flask(__name__)", "Procfile": ""}
    assert process_types(write(tmp_path, files), FLASK) == Guess()


def test_without_an_idea_it_says_what_to_do(tmp_path: Path) -> None:
    guess = process_types(write(tmp_path, {"script.py": "print(1)"}), {"requests": "2"})
    assert guess.process_types == {}
    assert "Procfile" in guess.caution


def test_an_app_that_is_only_mentioned_is_none(tmp_path: Path) -> None:
    write(tmp_path, {"app.py": "# app = Flask(__name__)\ndef helper():\n    app = Flask(__name__)\n"})
    assert find(tmp_path, "Flask") is None


@pytest.mark.parametrize("line", ["def create_app():\n", "def create_app(", "app = \n"])
def test_no_file_is_searched_for_long(tmp_path: Path, line: str) -> None:
    """It holds up the platform meanwhile: 200 KB of factories once took a minute."""
    write(tmp_path, {"app.py": line * (200_000 // len(line))})
    began = time.process_time()
    assert find(tmp_path, "Flask") is None
    assert time.process_time() - began < 5


def test_a_factory_needs_its_framework(tmp_path: Path) -> None:
    write(tmp_path, {"app.py": "def create_app():\n    return Flask(__name__)\n"})
    assert find(tmp_path, "Flask") == Entry("app", "create_app", factory=True)
    assert find(tmp_path, "FastAPI") is None
