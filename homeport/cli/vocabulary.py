"""The flags and arguments that many commands share, and the two ways to write a row of the command table."""

from __future__ import annotations

from typing import Any

from homeport.cli.grammar import Argument, Command, Flag

APP = Flag("app", "app to run command against", char="a", value="value")
REMOTE = Flag("remote", "git remote of app to use", char="r", value="value")
NEW_REMOTE = Flag("remote", 'the git remote to create, default "heroku"', char="r", value="value")
JSON = Flag("json", "output in json format", char="j")
LONG_JSON = Flag("json", "output in json format")
SHELL = Flag("shell", "output in shell format", char="s")
CONFIRM = Flag("confirm", "name of the app, to go ahead without being asked", char="c", value="value")
DYNO = Flag("dyno-name", "name of the dyno (such as web.1)", char="d", value="value", aliases=("dyno",))
TYPE = Flag(
    "process-type",
    "name of the process type (such as web)",
    char="p",
    value="value",
    aliases=("ps", "type"),
    excludes=("dyno-name",),
)
INDEX = Flag("index", "the 1-based index in the list of buildpacks", char="i", value="value", number=True)
ENVIRONMENT = Flag("env", "environment variables to set (use ';' to split multiple vars)", char="e", value="value")
SIZE = Flag("size", "dyno size", char="s", value="value")
RUN_TYPE = Flag("type", "process type", value="value")

HOSTNAME = Argument("hostname", "full hostname of the domain")
RELEASE = Argument("release", "version of the release, such as v12 (default: the last one)", required=False)
BUILD = Argument("build", "ID of the build (default: the last one)", required=False)
FEATURE = Argument("feature", "name of the feature")
BUILDPACK = Argument("buildpack", "URL or namespace/name of the buildpack")
DYNO_BY_NAME = Argument("dyno", "name of the dyno (better: --dyno-name)", required=False)
APP_BY_NAME = Argument("app", "name of the app (better: --app)", required=False)
EMAIL = Argument("email", "email address of the user")
COMMAND = Argument("COMMAND", "what to run, as in a shell", required=False, many=True)


def num(summary: str) -> Flag:
    """How many of a list to show."""
    return Flag("num", summary, char="n", value="value", number=True)


def accepted(name: str, char: str = "") -> Flag:
    """A switch that the official CLI has and that changes nothing here."""
    return Flag(name, "accepted for the official CLI's sake", char=char, hidden=True)


def some(name: str, summary: str = "") -> Argument:
    """Any number of arguments, none too."""
    return Argument(name, summary, required=False, many=True)


def command(name: str, run: str, summary: str, *grammar: Argument | Flag, **more: Any) -> Command:
    """A row; `run` is `module:function` under `homeport.cli.topics`."""
    arguments = tuple(part for part in grammar if isinstance(part, Argument))
    flags = tuple(part for part in grammar if isinstance(part, Flag))
    return Command(name, run, summary, arguments, flags, **more)


def on_app(name: str, run: str, summary: str, *grammar: Argument | Flag, **more: Any) -> Command:
    """A row for a command on one app: --app and --remote, and an app is found without them where there can be one."""
    return command(name, run, summary, *grammar, APP, REMOTE, **{"needs_app": "yes", **more})
