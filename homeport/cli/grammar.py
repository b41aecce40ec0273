"""Heroku's grammar: what a command line means, decided from the command table alone.

Flags may stand anywhere; `-a demo`, `-ademo`, `-a=demo`, `--app demo` and `--app=demo` are the same; short switches
may be joined (`-jA`); after `--` everything is an argument. These are the rules of the official CLI's parser (oclif 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from homeport.cli.errors import UsageError


@dataclass(frozen=True)
class Flag:
    """`value` names what the flag takes; without it the flag is a switch. `excludes` are flags it cannot stand with."""

    name: str
    summary: str
    char: str = ""
    value: str = ""
    aliases: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    number: bool = False
    hidden: bool = False

    @property
    def is_switch(self) -> bool:
        return not self.value


@dataclass(frozen=True)
class Argument:
    """A positional argument; `many` takes all that are left and is the last one."""

    name: str
    summary: str = ""
    required: bool = True
    many: bool = False


@dataclass(frozen=True)
class Command:
    """One row of the command table.

    `run` is `module:function` under `homeport.cli.topics`. `needs_app`: "yes" (from --app, the environment or the git
    remotes), "maybe" (used when there is one) or "" (none). `lenient` commands take flags that they do not know as
    arguments: they belong to the command that runs in the dyno. `own` commands are not Heroku's.
    """

    name: str
    run: str
    summary: str
    arguments: tuple[Argument, ...] = ()
    flags: tuple[Flag, ...] = ()
    aliases: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    needs_app: str = ""
    lenient: bool = False
    hidden: bool = False
    own: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    @property
    def topic(self) -> str:
        return self.name.partition(":")[0]


@dataclass(frozen=True)
class Parsed:
    """What was typed, in the command's own terms."""

    switches: frozenset[str] = frozenset()
    options: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()

    def number(self, name: str) -> int | None:
        """The value of a flag that takes a number (checked when it was parsed)."""
        value = self.options.get(name)
        return None if value is None else int(value)


def find(commands: Mapping[str, Command], words: Sequence[str]) -> tuple[Command | None, list[str]]:
    """The command that the first words name, and the words after it.

    `config:set A=1` and `config set A=1` are the same: the longest name that the leading words spell wins, so that
    `ps web` is still `ps` with an argument.
    """
    leading: list[str] = []
    for word in words:
        if word.startswith("-") or len(leading) == 3:
            break
        leading.append(word)
    for count in range(len(leading), 0, -1):
        command = commands.get(":".join(leading[:count]))
        if command is not None:
            return command, list(words[count:])
    return None, list(words)


def parse(command: Command, words: Iterable[str]) -> Parsed:
    """Raises `UsageError` for what the command does not know, lacks, or cannot have together."""
    waiting = list(words)
    switches: set[str] = set()
    options: dict[str, str] = {}
    arguments: list[str] = []
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            arguments += waiting
            break
        if word == "-" or not word.startswith("-"):
            arguments.append(word)
            continue
        flag, given = _flag(command, word)
        if command.lenient and arguments and not word.startswith("--") and len(word) > 2:
            flag = None  # `run ls -al` asks ls for its long list, not us for the app "l"
        if flag is None:
            if not command.lenient:
                raise UsageError(f"Nonexistent flag: {word}", command=command.name)
            arguments.append(word)
        elif flag.is_switch:
            switches.add(flag.name)
            if given:
                _refuse_value(command, flag, word, waiting, given)
        else:
            if given is None:
                if not waiting:
                    raise UsageError(f"Flag --{flag.name} expects a value", command=command.name)
                given = waiting.pop(0)
            options[flag.name] = _checked(command, flag, given)
    _check_company(command, {*switches, *options})
    _check_arguments(command, arguments)
    return Parsed(frozenset(switches), options, tuple(arguments))


def _flag(command: Command, word: str) -> tuple[Flag | None, str | None]:
    """The flag that a word names and what stands in the same word after it (None: nothing)."""
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        for flag in command.flags:
            if name == flag.name or name in flag.aliases:
                return flag, value if equals else None
        return None, None
    for flag in command.flags:
        if flag.char and word[1] == flag.char:
            rest = word[2:]
            if flag.is_switch:
                return flag, rest or None
            return flag, rest.removeprefix("=") if rest else None
    return None, None


def _refuse_value(command: Command, flag: Flag, word: str, waiting: list[str], given: str) -> None:
    """`-jA` is `-j -A`; `--json=yes` is a mistake."""
    if word.startswith("--"):
        raise UsageError(f"Flag --{flag.name} takes no value", command=command.name)
    waiting.insert(0, f"-{given}")


def _checked(command: Command, flag: Flag, given: str) -> str:
    if flag.number and not given.removeprefix("-").isdecimal():
        raise UsageError(f"Flag --{flag.name} expects a whole number, not {given!r}", command=command.name)
    return given


def _check_company(command: Command, given: set[str]) -> None:
    for flag in command.flags:
        clash = given.intersection(flag.excludes)
        if flag.name in given and clash:
            raise UsageError(f"--{flag.name} cannot be given together with --{min(clash)}", command=command.name)


def _check_arguments(command: Command, given: Sequence[str]) -> None:
    needed = [argument for argument in command.arguments if argument.required]
    if len(given) < len(needed):
        missing = needed[len(given) :]
        rows = [f"{argument.name}  {argument.summary}".rstrip() for argument in missing]
        plural = "s" if len(missing) > 1 else ""
        raise UsageError("\n".join([f"Missing {len(missing)} required arg{plural}:", *rows]), command=command.name)
    if any(argument.many for argument in command.arguments):
        return
    extra = given[len(command.arguments) :]
    if extra:
        raise UsageError(f"Unexpected argument{'s' * (len(extra) > 1)}: {', '.join(extra)}", command=command.name)
