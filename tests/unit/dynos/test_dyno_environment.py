from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from homeport.dynos.environment import Code, Launch, Metadata, environment, one_off_command, spec, trusting
from homeport.engine import Terminal


class Layers:
    def path(self, key: str) -> Path:
        return Path("/layers") / key


PROFILE = {"PATH": "{app}/.heroku/python/bin:/usr/bin", "DATA": "{layer:data-1}/x"}


def launch(**changes: object) -> Launch:
    values: dict[str, object] = {
        "id": "id-1",
        "name": "web.1",
        "type": "web",
        "command": "gunicorn app:app",
        "size": "Basic",
        "code": Code("code-1", ("python-1",), PROFILE, {}),
        "config": {},
    }
    return Launch(**(values | changes))  # type: ignore[arg-type]


def env(**changes: object) -> dict[str, str]:
    return environment(launch(**changes), Layers())


def test_the_engine_gets_the_code_and_the_python_layer_where_heroku_has_it() -> None:
    made = spec(launch(), Layers())
    assert (made.id, made.name, made.code) == ("id-1", "web.1", Path("/layers/code-1"))
    assert made.links == {".heroku/python": Path("/layers/python-1")}
    assert made.wants_port
    assert made.memory_mb == 512
    assert made.terminal is None


def test_the_command_is_an_argument_and_no_part_of_a_script() -> None:
    command = """echo '"$(rm -rf ~)"' `id` \\ ; exit 3"""
    argv = spec(launch(command=command), Layers()).argv
    assert argv[4:] == (command,)
    assert argv[:2] == ("/bin/bash", "-c")
    assert command not in argv[2]


def test_tls_clients_trust_the_platform_unless_the_app_says_otherwise() -> None:
    machine = trusting(Path("/tls/bundle.pem"))
    given = spec(launch(config={"REQUESTS_CA_BUNDLE": "mine.pem"}), Layers(), machine).env
    assert given["REQUESTS_CA_BUNDLE"] == "mine.pem"
    assert {given[name] for name in ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")} == {"/tls/bundle.pem"}


def test_only_web_gets_a_port() -> None:
    assert not spec(launch(type="worker", name="worker.1"), Layers()).wants_port


def test_app_stays_for_the_engine_and_layers_are_found() -> None:
    assert env()["PATH"] == "{app}/.heroku/python/bin:/usr/bin"
    assert env()["DATA"] == "/layers/data-1/x"


def test_a_config_var_that_holds_the_engines_word_for_home_is_guarded_and_named() -> None:
    made = spec(launch(config={"FORMAT": "{app} {level}", "PLAIN": "x"}), Layers())
    assert "{app}" not in made.env["FORMAT"]
    assert made.argv[5:] == ("FORMAT",)


def test_who_wins() -> None:
    code = Code("c", (), {"A": "profile", "B": "profile", "C": "profile", "WEB_CONCURRENCY": "7"}, {})
    made = env(code=code, config={"B": "config", "C": "config", "DYNO": "config"}, extra={"C": "extra"})
    assert (made["A"], made["B"], made["C"], made["DYNO"]) == ("profile", "config", "extra", "web.1")
    assert made["WEB_CONCURRENCY"] == "7"
    assert env(config={"WEB_CONCURRENCY": "9"})["WEB_CONCURRENCY"] == "9"


def test_web_concurrency_follows_the_size() -> None:
    assert env()["WEB_CONCURRENCY"] == "2"
    assert env(size="Standard-2X")["WEB_CONCURRENCY"] == "4"


def test_there_is_a_path_and_a_language_without_a_buildpack() -> None:
    made = env(code=Code("c", (), {}, {}))
    assert "/usr/bin" in made["PATH"]
    assert made["LANG"] == "C.UTF-8"


def test_metadata_is_there_when_asked_for() -> None:
    metadata = Metadata(
        "app-id", "demo", "demo.localhost", 12, datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC), "Deploy abc", "abc"
    )
    made = env(metadata=metadata)
    assert made["HEROKU_APP_NAME"] == "demo"
    assert made["HEROKU_RELEASE_VERSION"] == "v12"
    assert made["HEROKU_RELEASE_CREATED_AT"] == "2026-01-02T03:04:05Z"
    assert made["HEROKU_SLUG_COMMIT"] == "abc"
    assert made["HEROKU_DYNO_ID"] == "id-1"
    assert not [name for name in env() if name.startswith("HEROKU_")]


@pytest.mark.parametrize(
    ("extra", "terminal"),
    [
        ({"COLUMNS": "120", "LINES": "40", "TERM": "xterm-256color"}, Terminal(120, 40, "xterm-256color")),
        ({"COLUMNS": "0", "LINES": "0"}, Terminal()),
        ({"COLUMNS": "wide", "LINES": "-4"}, Terminal()),
        ({"COLUMNS": "999999999999"}, Terminal()),
        ({}, Terminal()),
    ],
)
def test_the_terminal_is_the_clients(extra: dict[str, str], terminal: Terminal) -> None:
    made = launch(name="run.1234", type="run", attached=True, extra=extra)
    assert spec(made, Layers()).terminal == terminal
    assert not environment(made, Layers()).keys() & {"COLUMNS", "LINES", "TERM"}, "the engine sets them"


def test_without_a_terminal_what_the_client_sent_stays() -> None:
    made = launch(name="run.1234", type="run", attached=True, force_no_tty=True, extra={"TERM": "dumb"})
    assert spec(made, Layers()).terminal is None
    assert environment(made, Layers())["TERM"] == "dumb"


TYPES = {"web": "gunicorn app:app", "my-worker": "python work.py"}


@pytest.mark.parametrize(
    ("asked", "run"),
    [
        ("bash", "bash"),
        ("my-worker 42 --fast", "python work.py 42 --fast"),
        ("  my-worker", "python work.py"),
        ("web", "gunicorn app:app"),
        ("webby", "webby"),
        ("echo web", "echo web"),
        ("my-worker ; echo done", "python work.py ; echo done"),
        ("'web'", "'web'"),
        ("", ""),
    ],
)
def test_a_first_word_that_is_a_process_type_stands_for_its_command(asked: str, run: str) -> None:
    assert one_off_command(asked, TYPES) == run


def test_config_vars_do_not_show_when_a_launch_is_printed() -> None:
    assert "hunter2" not in repr(launch(config={"PASSWORD": "hunter2"}, extra={"TOKEN": "hunter2"}))
