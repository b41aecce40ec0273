"""The rows of the command table for running an app without the platform."""

from __future__ import annotations

from homeport.cli.grammar import Argument, Command, Flag
from homeport.cli.vocabulary import LONG_JSON, command, some

_ENV = Flag("env", "files with variables, separated by commas (default: .env)", char="e", value="value")
_PORT = Flag("port", "port of the first process (default: PORT, or 5006)", char="p", value="value")

LOCAL_TOPICS = {"local": "run an app on this machine, without the platform"}

LOCAL_COMMANDS: tuple[Command, ...] = (
    command(
        "check",
        "check:check",
        "look at an app's source for what will go wrong on a dyno, before a push",
        Argument("path", "folder of the app (default: this one)", required=False),
        Flag("fix", "mend what can be mended without touching code; each mend is proved, or taken back"),
        Flag("force", "mend files with uncommitted changes, too"),
        Flag("strict", "fail for warnings, too"),
        Flag("list", "list the checks", excludes=("fix",)),
        Flag("explain", "show what a check is about", value="id", excludes=("fix", "list")),
        LONG_JSON,
        examples=("check", "check backend --strict", "check --fix", "check --explain sqlite_database"),
        own=True,
    ),
    command(
        "local",
        "local:start",
        "run the processes of the Procfile side by side",
        some("process", "process types, such as web or web=2,worker (default: all but release)"),
        _ENV,
        _PORT,
        Flag("procfile", "use a different Procfile", char="f", value="value"),
        Flag("concurrency", "how many of a process type, such as web=2,worker=0", char="m", value="value"),
        Flag("start-cmd", "command to run as web when no Procfile is present", value="value"),
        aliases=("local:start",),
        examples=("local", "local web", "local web=2,worker", "local -f Procfile.dev -e .env,.env.local -p 5000"),
    ),
    command(
        "local:run",
        "local:run",
        "run a one-off command with the variables of .env",
        Argument("COMMAND", "what to run", many=True),
        _ENV,
        _PORT,
        examples=("local:run python manage.py migrate",),
        lenient=True,
    ),
    command("local:version", "local:version", "display the version of what runs the processes"),
)
