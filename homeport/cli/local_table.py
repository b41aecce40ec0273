"""The rows of the command table for running an app without the platform."""

from __future__ import annotations

from homeport.cli.grammar import Argument, Command, Flag
from homeport.cli.vocabulary import command, some

_ENV = Flag("env", "files with variables, separated by commas (default: .env)", char="e", value="value")
_PORT = Flag("port", "port of the first process (default: PORT, or 5006)", char="p", value="value")

LOCAL_TOPICS = {"local": "run an app on this machine, without the platform"}

LOCAL_COMMANDS: tuple[Command, ...] = (
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
