"""`homeport config…`, as terminal sessions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from homeport.cli.transport import Reply
from tests.unit.cli.cli_session import Refusal, Session, Shown, failure, release

VARS = {"A": "1", "EMPTY": "", "URL": "postgres://u:p@h/db?x=1", "TEXT": 'it\'s "q"\nline 2'}
READ = {"GET /apps/demo/config-vars": VARS}


def test_config_vars_are_listed() -> None:
    assert Session(READ).type("config -a demo") == Shown(
        0,
        "=== demo Config Vars\n\nA:     1\nEMPTY: ''\nURL:   postgres://u:p@h/db?x=1\nTEXT:  it's \"q\"\nline 2\n",
    )


def test_config_vars_for_a_shell_and_for_programs() -> None:
    assert Session(READ).type("config -s -a demo") == Shown(
        0, 'A=1\nEMPTY=\nURL=\'postgres://u:p@h/db?x=1\'\nTEXT="it\'s \\"q\\"\\nline 2"\n'
    )
    assert Session({"GET /apps/demo/config-vars": {"Ä": "ö"}}).type("config -j -a demo") == Shown(
        0, '{\n  "Ä": "ö"\n}\n'
    )
    assert Session({"GET /apps/demo/config-vars": {}}).type("config -s -a demo") == Shown(0, "")


@pytest.mark.parametrize(
    ("line", "out"),
    [
        ("config:get A -a demo", "1\n"),
        ("config:get URL NOPE A -a demo", "postgres://u:p@h/db?x=1\n\n1\n"),
        ("config:get A URL -s -a demo", "A=1\nURL='postgres://u:p@h/db?x=1'\n"),
        ("config:get A --json -a demo", '{\n  "key": "A",\n  "value": "1"\n}\n'),
        (
            "config:get A NOPE --json -a demo",
            '[\n  {\n    "key": "A",\n    "value": "1"\n  },\n  {\n    "key": "NOPE",\n    "value": null\n  }\n]\n',
        ),
    ],
)
def test_single_values(line: str, out: str) -> None:
    assert Session(READ).type(line) == Shown(0, out)


@pytest.mark.parametrize("name", ["config:set", "config:add", "config set"])
def test_setting_tells_the_new_release_and_shows_what_was_set(name: str) -> None:
    session = Session(
        {
            "PATCH /apps/demo/config-vars": {"A": "1", "B": "x=y", "OLD": "0", "EMPTY": ""},
            "GET /apps/demo/releases": [release(12)],
        }
    )
    assert session.type(f"{name} A=1 B=x=y EMPTY= -a demo") == Shown(
        0, "A: 1\nB: x=y\n", "Setting A, B, EMPTY and restarting demo... done, v12\n"
    )
    assert session.requests == [
        'PATCH /apps/demo/config-vars {"A": "1", "B": "x=y", "EMPTY": ""}',
        "GET /apps/demo/releases",
    ]
    assert session.api.headers[1]["Range"] == "version ..; max=1, order=desc"


def test_unsetting_sends_null() -> None:
    session = Session({"PATCH /apps/demo/config-vars": {}, "GET /apps/demo/releases": [release(13)]})
    assert session.type("config:unset A B -a demo") == Shown(0, "", "Unsetting A, B and restarting demo... done, v13\n")
    assert session.requests[0] == 'PATCH /apps/demo/config-vars {"A": null, "B": null}'


def test_values_are_not_shown_while_they_are_sent() -> None:
    session = Session({"PATCH /apps/demo/config-vars": Refusal(422, "invalid_params", "A is too long")})
    assert session.type("config:set A=hunter2 -a demo") == Shown(
        2, "", "Setting A and restarting demo... !\n" + failure("A is too long", "invalid_params")
    )


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("config:set A -a demo", "A is invalid. Must be in the format FOO=bar."),
        ("config:set -a demo", "Usage: homeport config:set KEY1=VALUE1"),
        ("config:unset -a demo", "Usage: homeport config:unset KEY1"),
        ("config:get -a demo", "Missing 1 required arg:"),
    ],
)
def test_wrong_usage_sends_nothing(line: str, what: str) -> None:
    session = Session()
    shown = session.type(line)
    assert shown.code == 2
    assert what in shown.err
    assert session.requests == []


def editor(tmp_path: Path, script: str) -> str:
    """A program that edits its file by a shell script in which $1 is the file."""
    program = tmp_path / "editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return str(program)


@pytest.mark.slow
def test_edit_shows_the_difference_and_sends_only_that(tmp_path: Path) -> None:
    session = Session({**READ, "PATCH /apps/demo/config-vars": {}})
    session.env["EDITOR"] = editor(
        tmp_path, """sed -i -e 's/^A=.*/A="two words"/' -e /EMPTY/d "$1"; echo NEW=1 >>"$1" """
    )
    assert session.type("config:edit -a demo", typed="y\n") == Shown(
        0,
        "\nConfig Diff:\n- A=1\n+ A='two words'\n- EMPTY=\n+ NEW=1\n\n",
        "Fetching config... done\nUpdate config on demo with these values? [y/N] "
        "Verifying new config... done\nUpdating config... done\n",
    )
    assert session.requests[-1] == 'PATCH /apps/demo/config-vars {"A": "two words", "NEW": "1", "EMPTY": null}'


@pytest.mark.slow
def test_edit_of_one_key_is_of_its_bare_value(tmp_path: Path) -> None:
    session = Session({**READ, "PATCH /apps/demo/config-vars": {}})
    session.env["VISUAL"] = editor(tmp_path, 'printf "new\\nlines\\n" >"$1"')
    assert session.type("config:edit TEXT -a demo", typed="yes\n").code == 0
    assert session.requests[-1] == 'PATCH /apps/demo/config-vars {"TEXT": "new\\nlines"}'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "typed", "code", "said"),
    [
        ("true", "y\n", 0, "no changes to config"),
        ("echo B=1 >>$1", "n\n", 0, "Nothing was changed."),
        ("echo B=1 >>$1", "\n", 0, "Nothing was changed."),
        ("echo nonsense >$1", "y\n", 1, "Invalid line: nonsense"),
        ("exit 3", "y\n", 1, "ended with exit code 3"),
    ],
)
def test_edit_can_be_left_without_a_change(tmp_path: Path, script: str, typed: str, code: int, said: str) -> None:
    session = Session({**READ, "PATCH /apps/demo/config-vars": {}})
    session.env["EDITOR"] = editor(tmp_path, script)
    shown = session.type("config:edit -a demo", typed=typed)
    assert shown.code == code
    assert said in shown.err
    assert session.requests == ["GET /apps/demo/config-vars"]


@pytest.mark.slow
def test_edit_does_not_overwrite_what_somebody_else_changed_meanwhile(tmp_path: Path) -> None:
    versions = [Reply(200, {}, json.dumps(found).encode()) for found in (VARS, {**VARS, "A": "theirs"})]
    session = Session({"GET /apps/demo/config-vars": versions})
    session.env["EDITOR"] = editor(tmp_path, "echo B=1 >>$1")
    shown = session.type("config:edit -a demo", typed="y\n")
    assert shown.code == 1
    assert "Error ID: config_changed" in shown.err
