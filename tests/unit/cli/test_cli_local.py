"""What `homeport local` reads and decides; what it runs is tested with real processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeport.cli.errors import UsageError
from homeport.cli.local import environment, plan, procfile, read, read_files
from homeport.errors import HomeportError
from tests.unit.cli.cli_session import Session

TYPES = {"web": "serve", "worker": "work", "release": "migrate"}


def planned(*asked: str, **more: str) -> dict[str, str]:
    """Names and ports."""
    variables = {"PORT": more["file_port"]} if "file_port" in more else {}
    outer = {"PORT": more["shell_port"]} if "shell_port" in more else {}
    workers = plan(
        TYPES, asked=asked, concurrency=more.get("concurrency", ""), variables=variables, outer=outer,
        port=more.get("port"),
    )  # fmt: skip
    return {worker.name: worker.env["PORT"] for worker in workers}


def test_every_type_but_release_runs_once_on_ports_a_hundred_apart() -> None:
    assert planned() == {"web.1": "5006", "worker.1": "5106"}


def test_types_and_quantities_can_be_asked_for() -> None:
    assert planned("web=2,worker") == {"web.1": "5006", "web.2": "5007", "worker.1": "5106"}
    assert planned("worker", "web=1") == {"worker.1": "5006", "web.1": "5106"}
    assert planned("release") == {"release.1": "5006"}
    assert planned(concurrency="web=2") == {"web.1": "5006", "web.2": "5007", "worker.1": "5106"}
    assert planned("web=0") == {}


def test_the_nearest_port_counts() -> None:
    assert planned("web", port="5000", file_port="6000", shell_port="7000") == {"web.1": "5000"}
    assert planned("web", file_port="6000", shell_port="7000") == {"web.1": "6000"}
    assert planned("web", shell_port="7000") == {"web.1": "7000"}


@pytest.mark.parametrize("asked", ["nope", "web=x", "web=-1", "web=51", "web="])
def test_what_no_procfile_has(asked: str) -> None:
    with pytest.raises(UsageError):
        planned(asked)


@pytest.mark.parametrize("port", ["x", "0", "65536", "-1", "٥"])
def test_what_is_no_port(port: str) -> None:
    with pytest.raises(HomeportError, match="not a port"):
        planned(port=port)


def test_files_go_before_the_shell_and_python_does_not_hold_back() -> None:
    (worker,) = plan({"web": "serve"}, asked=(), concurrency="", variables={"A": "1"}, outer={"A": "2"}, port=None)
    assert worker.env["A"] == "1"
    assert worker.env["PYTHONUNBUFFERED"] == "1"
    assert worker.env["FOREMAN_WORKER_NAME"] == "web.1"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1\nB = two words \n", {"A": "1", "B": "two words"}),
        ("export A=1", {"A": "1"}),
        ("# comment\n\nA=1 # comment\nB=a#b", {"A": "1", "B": "a#b"}),
        ("A=\"one # two\"\nB='three # four'", {"A": "one # two", "B": "three # four"}),
        ("A=\"line\\nbreak\"\nB='line\\nbreak'", {"A": "line\nbreak", "B": "line\\nbreak"}),
        ('KEY="-----BEGIN\nabc\n-----END"', {"KEY": "-----BEGIN\nabc\n-----END"}),
        ("A=\nB=''", {"A": "", "B": ""}),
        ("A=$HOME\nB=${A}", {"A": "$HOME", "B": "${A}"}),
        ("URL=postgres://u:p@h/db?x=1", {"URL": "postgres://u:p@h/db?x=1"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=1\nA=2", {"A": "2"}),
        ('{"A": "1", "db": {"host": "x", "port": 5}}', {"A": "1", "DB_HOST": "x", "DB_PORT": "5"}),
    ],
)
def test_variables_in_files(text: str, values: dict[str, str]) -> None:
    complaints: list[str] = []
    assert environment.parse(text, complaints.append) == values
    assert complaints == []


def test_lines_that_are_no_variables_are_passed_over_without_their_text() -> None:
    complaints: list[str] = []
    assert environment.parse("A=1\nsecret words here\n'=x\nB=2", complaints.append) == {"A": "1", "B": "2"}
    assert complaints == ["line 2", "line 3"] or complaints == ["line 2"]
    assert not any("secret" in complaint for complaint in complaints)


def test_later_files_win_and_must_be_there_when_named(tmp_path: Path) -> None:
    first, second, missing = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    first.write_text("A=1\nB=1")
    second.write_text("B=2")
    said: list[str] = []
    assert read_files([first, second], said.append, optional=False) == {"A": "1", "B": "2"}
    assert read_files([first, missing], said.append, optional=True) == {"A": "1", "B": "1"}
    with pytest.raises(HomeportError, match="no file"):
        read_files([missing], said.append, optional=False)
    with pytest.raises(HomeportError, match="cannot be read"):
        read_files([tmp_path], said.append, optional=True)


def test_procfiles_are_read_as_builds_read_them() -> None:
    said: list[str] = []
    text = "# comment\nweb: serve --port $PORT\nworker:work\nnonsense\n\nweb: better\r\n"
    assert procfile.parse(text, said.append) == {"web": "better", "worker": "work"}
    assert said == ["line 4: nonsense"]


def test_what_is_no_procfile_says_what_to_do(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(HomeportError, match="There is no") as caught:
        read(tmp_path / "Procfile", said.append)
    assert "--start-cmd" in caught.value.fix
    (tmp_path / "procfile").write_text("web: serve")
    with pytest.raises(HomeportError, match="but a procfile") as caught:
        read(tmp_path / "Procfile", said.append)
    assert caught.value.fix == "Rename it: git mv procfile Procfile"
    (tmp_path / "empty").write_text("# nothing\n")
    with pytest.raises(HomeportError, match="has no process types"):
        read(tmp_path / "empty", said.append)


def test_it_needs_no_platform() -> None:
    session = Session({}, local=None)
    assert session.type("local:version").code == 0
    assert session.api.requests == []
