"""`homeport …`: from the words that were typed to the command's function, and from what it raises to an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

from homeport.cli import errors
from homeport.cli.call import Call, World
from homeport.cli.errors import UnknownCommand
from homeport.cli.grammar import Command, Parsed, find, parse
from homeport.cli.table import BY_NAME, COMMANDS, ELSEWHERE, TOPICS
from homeport.cli.terminal import Terminal
from homeport.errors import HomeportError

INTERRUPTED = 130
HELP_FLAGS = ("--help", "-h")


def main() -> NoReturn:
    """The program. Never returns: it ends the process with the command's exit code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")  # a terminal in another encoding shows a question mark, not a crash
    sys.exit(run(sys.argv[1:], World(env=os.environ, terminal=Terminal(os.environ))))


def run(words: Sequence[str], world: World) -> int:
    """One command; its exit code."""
    try:
        code = _dispatch(words, world)
        world.terminal.stdout.flush()
    except KeyboardInterrupt:
        world.terminal.say()
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Keep the interpreter from failing once more when it closes stdout.
        _close_quietly()
        return 0
    except HomeportError as error:
        world.terminal.fail(errors.lines(error))
        return errors.exit_code(error)
    except Exception as error:
        if world.env.get("HOMEPORT_DEBUG"):
            raise
        world.terminal.fail(
            [
                f"Error: homeport itself failed: {type(error).__name__}: {error}",
                "Set HOMEPORT_DEBUG=1 to see where, and please report it.",
                "",
                "Error ID: internal_error",
            ]
        )
        return 1
    return code


def _dispatch(words: Sequence[str], world: World) -> int:
    if not words or words[0] in HELP_FLAGS:
        words = ["help", *words[1:]]
    elif words[0] in ("--version", "-v"):
        words = ["version"]
    command, rest = find(BY_NAME, words)
    if command is None:
        if words[0] in TOPICS and not [word for word in words[1:] if word not in HELP_FLAGS]:
            command, rest = BY_NAME["help"], [words[0]]
        else:
            raise unknown(words)
    if _asks_for_help(command, rest):
        command, rest = BY_NAME["help"], [command.name]
    call = Call(command, parse(command, rest), world, list(rest))
    return int(function(command)(call) or 0)


def _asks_for_help(command: Command, words: Sequence[str]) -> bool:
    """`--help` anywhere before `--`; but what follows a command for a dyno is that command's own."""
    for word in words:
        if word == "--" or (command.lenient and not word.startswith("-")):
            return False
        if word in HELP_FLAGS:
            return True
    return False


def function(command: Command) -> Callable[[Call], int | None]:
    """The command's own code, imported now."""
    module, _, name = command.run.partition(":")
    found: Callable[[Call], int | None] = getattr(import_module(f"homeport.cli.topics.{module}"), name)
    return found


def unknown(words: Sequence[str]) -> UnknownCommand:
    """The error for a name that is no command, with the nearest one that is."""
    typed = words[0]
    if typed.partition(":")[0] in ELSEWHERE:
        return UnknownCommand(
            f"{typed} is a command of Heroku's that Homeport does not have yet.",
            fix="Run homeport help for a list of available commands.",
        )
    import difflib

    names = [name for command in COMMANDS if not command.hidden for name in command.names]
    spaced = ":".join(word for word in words[:2] if not word.startswith("-"))
    near = difflib.get_close_matches(typed, names, n=1) or difflib.get_close_matches(spaced, names, n=1)
    topic = typed.partition(":")[0]
    page = f"homeport help {topic}" if topic in TOPICS else "homeport help"
    fix = f"Run {page} for a list of available commands."
    if near:
        fix = f"Did you mean {near[0]}? {fix}"
    return UnknownCommand(f"{typed} is not a homeport command.", fix=fix)


def _close_quietly() -> None:
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return


__all__ = ["Parsed", "main", "run"]
