"""Heroku's grammar, word by word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.cli.errors import UsageError
from homeport.cli.grammar import Argument, Command, Flag, Parsed, find, parse
from homeport.cli.table import BY_NAME

APP = Flag("app", "", char="a", value="value")
JSON = Flag("json", "", char="j")
ALL = Flag("all", "", char="A")
NUM = Flag("num", "", char="n", value="value", number=True)
DYNO = Flag("dyno-name", "", char="d", value="value", aliases=("dyno",))
TYPE = Flag("process-type", "", char="p", value="value", excludes=("dyno-name",))

LIST = Command("list", "x:y", "", (Argument("KEY", many=True, required=False),), (APP, JSON, ALL, NUM, DYNO, TYPE))
TWO = Command("two", "x:y", "", (Argument("one", "the first"), Argument("other", "", required=False)), (APP,))
RUN = Command("run", "x:y", "", (Argument("COMMAND", many=True),), (APP, ALL), lenient=True)


@pytest.mark.parametrize("words", ["-a demo", "-ademo", "-a=demo", "--app demo", "--app=demo"])
def test_every_spelling_of_a_value_is_the_same(words: str) -> None:
    assert parse(LIST, words.split()) == Parsed(options={"app": "demo"})


def test_flags_and_arguments_may_be_mixed() -> None:
    assert parse(LIST, "A -j B --app demo C".split()) == Parsed(frozenset({"json"}), {"app": "demo"}, ("A", "B", "C"))


def test_short_switches_may_be_joined_and_the_last_may_take_a_value() -> None:
    assert parse(LIST, ["-jAn5"]) == Parsed(frozenset({"json", "all"}), {"num": "5"})


def test_an_alias_is_the_flag_itself() -> None:
    assert parse(LIST, "--dyno web.1".split()).options == {"dyno-name": "web.1"}


def test_after_two_dashes_everything_is_an_argument() -> None:
    assert parse(LIST, "-j -- --app -x --".split()) == Parsed(frozenset({"json"}), {}, ("--app", "-x", "--"))


def test_a_value_may_begin_with_a_dash_and_may_be_empty() -> None:
    assert parse(LIST, ["--app", "-j"]).options == {"app": "-j"}
    assert parse(LIST, ["--app="]).options == {"app": ""}


def test_numbers_are_checked_when_they_are_read() -> None:
    assert parse(LIST, "-n 12".split()).number("num") == 12
    assert parse(LIST, []).number("num") is None
    with pytest.raises(UsageError, match="--num expects a whole number, not 'many'"):
        parse(LIST, "-n many".split())


@pytest.mark.parametrize(
    ("command", "words", "what"),
    [
        (LIST, "--nope", "Nonexistent flag: --nope"),
        (LIST, "-z", "Nonexistent flag: -z"),
        (LIST, "-a", "Flag --app expects a value"),
        (LIST, "--json=yes", "Flag --json takes no value"),
        (LIST, "-d web.1 -p web", "--process-type cannot be given together with --dyno-name"),
        (TWO, "", "Missing 1 required arg:\none  the first"),
        (TWO, "a b c", "Unexpected argument: c"),
        (TWO, "a b c d", "Unexpected arguments: c, d"),
    ],
)
def test_what_is_wrong_is_said(command: Command, words: str, what: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(command, words.split())
    assert raised.value.what == what
    assert raised.value.fix == f"See more help: homeport help {command.name}"


def test_a_lenient_command_passes_on_what_it_does_not_know() -> None:
    parsed = parse(RUN, "python manage.py migrate --noinput -v 2 -a demo".split())
    assert parsed == Parsed(options={"app": "demo"}, arguments=tuple("python manage.py migrate --noinput -v 2".split()))


def test_a_lenient_command_does_not_take_a_joined_flag_of_the_dynos_command_for_its_own() -> None:
    assert parse(RUN, "-a demo ls -al".split()) == Parsed(options={"app": "demo"}, arguments=("ls", "-al"))
    assert parse(RUN, "-ademo ls".split()) == Parsed(options={"app": "demo"}, arguments=("ls",))


@pytest.mark.parametrize(
    ("line", "name", "rest"),
    [
        ("config:set A=1", "config:set", ["A=1"]),
        ("config set A=1", "config:set", ["A=1"]),
        ("config -a demo", "config", ["-a", "demo"]),
        ("config -a demo set", "config", ["-a", "demo", "set"]),
        ("ps web", "ps", ["web"]),
        ("apps stacks set heroku-24", "apps:stacks:set", ["heroku-24"]),
        ("stack set heroku-24", "apps:stacks:set", ["heroku-24"]),
        ("create demo", "apps:create", ["demo"]),
        ("run detached ls", "run:detached", ["ls"]),
        ("run python manage.py", "run", ["python", "manage.py"]),
    ],
)
def test_names_are_spelled_with_colons_or_with_spaces(line: str, name: str, rest: list[str]) -> None:
    command, left = find(BY_NAME, line.split())
    assert command is not None
    assert (command.name, left) == (name, rest)


def test_no_name_is_no_command() -> None:
    assert find(BY_NAME, ["nope", "set"]) == (None, ["nope", "set"])
    assert find(BY_NAME, ["-a", "demo"]) == (None, ["-a", "demo"])


@given(st.lists(st.text(min_size=1, max_size=6)))
def test_words_after_two_dashes_come_through_untouched(words: list[str]) -> None:
    for command in (LIST, RUN):
        if words:
            assert parse(command, ["-a", "demo", "--", *words]) == Parsed(
                options={"app": "demo"}, arguments=tuple(words)
            )


@given(st.lists(st.text(alphabet="-aAjn=1x ", min_size=1, max_size=6), max_size=6))
def test_any_words_are_parsed_or_refused(words: list[str]) -> None:
    try:
        parsed = parse(LIST, words)
    except UsageError:
        return
    assert set(parsed.options) <= {"app", "num"}
    assert parsed.switches <= {"json", "all"}
