"""The command table is the single source: it has to be whole."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from pathlib import Path

import pytest

import homeport
from homeport.cli.entry import function
from homeport.cli.grammar import Command
from homeport.cli.table import BY_NAME, COMMANDS, ELSEWHERE, TOPICS
from homeport.cli.topics.help import page, usage

by_name = pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])


def test_every_name_belongs_to_one_command() -> None:
    names = Counter(name for command in COMMANDS for name in command.names)
    assert [name for name, count in names.items() if count > 1] == []
    assert set(names) == set(BY_NAME)


@by_name
def test_a_command_has_code_that_takes_a_call(command: Command) -> None:
    assert len(inspect.signature(function(command)).parameters) == 1


@by_name
def test_a_commands_flags_are_told_apart(command: Command) -> None:
    names = Counter(name for flag in command.flags for name in (flag.name, *flag.aliases))
    chars = Counter(flag.char for flag in command.flags if flag.char)
    assert max(names.values(), default=1) == 1
    assert max(chars.values(), default=1) == 1


@by_name
def test_only_the_last_argument_takes_many_and_required_ones_come_first(command: Command) -> None:
    assert not any(argument.many for argument in command.arguments[:-1])
    required = [argument.required for argument in command.arguments]
    assert required == sorted(required, reverse=True)


@by_name
def test_what_a_flag_excludes_is_a_flag_of_the_same_command(command: Command) -> None:
    flags = {flag.name for flag in command.flags}
    assert {name for flag in command.flags for name in flag.excludes} <= flags


@by_name
def test_a_command_on_an_app_lets_it_be_named(command: Command) -> None:
    flags = {flag.name for flag in command.flags}
    assert not command.needs_app or {"app", "remote"} <= flags


@by_name
def test_a_command_has_a_help_page_with_its_examples(command: Command) -> None:
    shown = page(command)
    assert usage(command) in shown
    for example in command.examples:
        assert f"  $ homeport {example}" in shown


@by_name
def test_an_examples_first_words_are_the_command(command: Command) -> None:
    for example in command.examples:
        assert BY_NAME[example.split()[0]] is command


def test_lists_have_json() -> None:
    lists = [c for c in COMMANDS if c.run.partition(":")[2].startswith("list_")]
    assert len(lists) > 10
    assert [command.name for command in lists if "json" not in {flag.name for flag in command.flags}] == []


def test_a_topic_that_is_not_here_yet_has_no_commands() -> None:
    assert {command.topic for command in COMMANDS} & ELSEWHERE == set()
    assert set(BY_NAME) & ELSEWHERE == set()


def test_every_command_with_a_colon_is_in_a_topic() -> None:
    assert {command.topic for command in COMMANDS if ":" in command.name} <= set(TOPICS)
    assert set(TOPICS) <= {command.topic for command in COMMANDS}


def test_what_the_server_tells_people_to_type_can_be_typed_here() -> None:
    """`in_our_words` puts `homeport` in front of these."""
    package = Path(homeport.__file__).parent
    told = {
        command
        for path in package.rglob("*.py")
        for command in re.findall(r"(?:`|[\"\n]  |\\n  )heroku ([a-z][a-z:_-]*[a-z])", path.read_text())
    }
    assert "addons:services" in told
    theirs = {command for command in told if command.partition(":")[0] in ELSEWHERE}  # left as they are
    assert sorted(told - theirs - set(BY_NAME) - set(TOPICS)) == []
