"""Taking the commands of a Procfile apart."""

from __future__ import annotations

import pytest

from homeport.doctor.commands import Command, Target, parse


def only(text: str) -> Command:
    [command] = parse("web", text)
    return command


@pytest.mark.parametrize(
    ("text", "program", "target"),
    [
        ("gunicorn app:app", "gunicorn", Target("app", "app")),
        ("gunicorn -w 4 -k gthread --threads=4 shop.wsgi", "gunicorn", Target("shop.wsgi")),
        ("bin/gunicorn 'app:create_app()'", "gunicorn", Target("app", "create_app", called=True)),
        ("""gunicorn "app:create_app('prod')" --preload""", "gunicorn", Target("app", "create_app", called=True)),
        ("python3 -m gunicorn --preload app:app", "gunicorn", Target("app", "app")),
        ("python -u -m uvicorn main:app --port $PORT", "uvicorn", Target("main", "app")),
        ("FLASK_APP=run.py exec flask run", "flask", Target("run")),
        ("flask --app shop:create_app run", "flask", Target("shop", "create_app")),
        ("uv run uvicorn --factory api.main:build", "uvicorn", Target("api.main", "build", made=True)),
        ("celery -A tasks.celery worker -l INFO", "celery", Target("tasks.celery")),
        (
            "waitress-serve --listen=*:$PORT --call app:create_app",
            "waitress-serve",
            Target("app", "create_app", made=True),
        ),
        ("gunicorn $APP", "gunicorn", None),
        ("./start.sh", "start.sh", None),
    ],
)
def test_what_is_served(text: str, program: str, target: Target | None) -> None:
    command = only(text)
    assert (command.program, command.target) == (program, target)


def test_options_in_every_spelling() -> None:
    for text in ("gunicorn -b :80 a:b", "gunicorn -b:80 a:b", "gunicorn --bind=:80 a:b", "gunicorn --bind :80 a:b"):
        assert only(text).option("-b", "--bind") == ":80"
        assert only(text).arguments == ["a:b"]
    assert only("gunicorn -b :80 --bind :81 a:b").options("-b", "--bind") == [":80", ":81"]
    assert only("gunicorn a:b").option("-b", "--bind") is None


def test_several_commands_in_one_line() -> None:
    found = parse("web", "python manage.py migrate && gunicorn 'shop.wsgi' ; echo over", line=3)
    assert [command.program for command in found] == ["python", "gunicorn", "echo"]
    assert found[0].script == "manage.py"
    assert {command.line for command in found} == {3}


def test_what_only_a_shell_understands_is_nothing() -> None:
    assert parse("web", "gunicorn 'app:app") == []
    assert parse("web", "") == []
    assert only("python -c 'import app'").script is None
