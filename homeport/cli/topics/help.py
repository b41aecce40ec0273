"""`homeport help`, `commands`, `version`: all told from the command table."""

from __future__ import annotations

import sys

from homeport import __version__
from homeport.cli.call import Call
from homeport.cli.entry import unknown
from homeport.cli.grammar import Argument, Command, Flag, find
from homeport.cli.table import BY_NAME, COMMANDS, TOPICS


def version(call: Call) -> None:
    python = ".".join(str(part) for part in sys.version_info[:3])
    call.terminal.out(f"homeport/{__version__} {sys.platform} python-{python}")


def list_commands(call: Call) -> None:
    rows = sorted((command for command in COMMANDS if not command.hidden), key=lambda command: command.name)
    if call.has("json"):
        call.terminal.json([_described(command) for command in rows])
        return
    longest = max(len(command.name) for command in rows)
    for command in rows:
        call.terminal.out(f"{command.name.ljust(longest)}  {command.summary}")


def _described(command: Command) -> dict[str, object]:
    return {
        "id": command.name,
        "summary": command.summary,
        "aliases": list(command.aliases),
        "usage": usage(command),
        "heroku": None if command.own else f"heroku {command.name}",
        "flags": {
            flag.name: {"char": flag.char or None, "takesValue": not flag.is_switch, "summary": flag.summary}
            for flag in command.flags
            if not flag.hidden
        },
    }


def help_page(call: Call) -> None:
    words = call.arguments
    if not words:
        call.terminal.out(front_page())
        return
    command, rest = find(BY_NAME, words)
    if command is not None and not rest:
        call.terminal.out(page(command))
    elif words[0] in TOPICS and len(words) == 1:
        call.terminal.out(topic_page(words[0]))
    else:
        raise unknown(words)


def front_page() -> str:
    own = [command for command in COMMANDS if command.own]
    others = [command for command in COMMANDS if not (command.own or command.hidden)]
    short = sorted((name, command.summary) for command in others for name in command.names if ":" not in name)
    return "\n".join(
        [
            "Heroku's command line for the platform on your own machine",
            "",
            "USAGE",
            "  $ homeport COMMAND",
            "",
            "PLATFORM",
            *_columns([(command.name, command.summary) for command in own]),
            "",
            "TOPICS",
            *_columns(sorted(TOPICS.items())),
            "",
            "COMMANDS",
            *_columns(short),
            "",
            "Help for one of them: homeport help COMMAND",
        ]
    )


def topic_page(topic: str) -> str:
    return "\n".join([TOPICS[topic], "", "USAGE", f"  $ homeport {topic}:COMMAND", "", *_commands_of(topic)])


def page(command: Command) -> str:
    lines = [command.summary, "", "USAGE", f"  $ homeport {usage(command)}"]
    arguments = [(argument.name, argument.summary) for argument in command.arguments if argument.summary]
    if arguments:
        lines += ["", "ARGUMENTS", *_columns(arguments)]
    flags = [(_flag_column(flag), flag.summary) for flag in sorted(command.flags, key=_flag_order) if not flag.hidden]
    if flags:
        lines += ["", "FLAGS", *_columns(flags)]
    if command.aliases:
        lines += ["", "ALIASES", *(f"  $ homeport {alias}" for alias in command.aliases)]
    if command.examples:
        lines += ["", "EXAMPLES", *(f"  $ homeport {example}" for example in command.examples)]
    if command.name in TOPICS and (more := _commands_of(command.name, but=command.name)):
        lines += ["", *more]
    return "\n".join(lines)


def usage(command: Command) -> str:
    """`config:get KEY... -a <value> [-j] [-r <value>] [-s]`"""
    words = [command.name, *(_argument(argument) for argument in command.arguments)]
    for flag in sorted(command.flags, key=_flag_order):
        if not flag.hidden:
            name = f"-{flag.char}" if flag.char else f"--{flag.name}"
            word = name if flag.is_switch else f"{name} <{flag.value}>"
            required = flag.name == "app" and command.needs_app == "yes"
            words.append(word if required else f"[{word}]")
    return " ".join(words)


def _argument(argument: Argument) -> str:
    name = argument.name + ("..." if argument.many else "")
    return name if argument.required else f"[{name}]"


def _flag_order(flag: Flag) -> tuple[bool, str]:
    return (not flag.char, flag.name)


def _flag_column(flag: Flag) -> str:
    char = f"-{flag.char}, " if flag.char else "    "
    return f"{char}--{flag.name}" + ("" if flag.is_switch else f"=<{flag.value}>")


def _commands_of(topic: str, but: str = "") -> list[str]:
    rows = [row for row in COMMANDS if row.topic == topic and not row.hidden and row.name != but]
    if not rows:
        return []
    return ["COMMANDS", *_columns([(row.name, row.summary) for row in sorted(rows, key=lambda row: row.name)])]


def _columns(rows: list[tuple[str, str]]) -> list[str]:
    longest = max(len(name) for name, _ in rows)
    return [f"  {name.ljust(longest)}  {summary}".rstrip() for name, summary in rows]
