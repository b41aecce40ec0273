"""The rows of the command table that concern scheduled jobs."""

from __future__ import annotations

from homeport.cli.grammar import Argument, Command, Flag
from homeport.cli.vocabulary import CONFIRM, JSON, SIZE, num, on_app, some

_JOB = Argument("JOB", "name of the job")

_EVERY = Flag("every", "10m, hour or day", char="e", value="interval", excludes=("cron",))
_AT = Flag("at", "when: 04:30 for a day, :30 for an hour", value="time")
_CRON = Flag("cron", "a cron expression, such as '30 4 * * 1-5'", value="expression")
_ZONE = Flag("timezone", "whose clock it goes by, such as Europe/Berlin (default UTC)", char="z", value="zone")
_OVERLAP = Flag("overlap", "skip, wait or allow, when the last run still goes on (default skip)", value="policy")
_GRACE = Flag("grace", "how late it may begin after a downtime: 30m, 2h, 0 or default", value="span")
_NAME = Flag("name", "name of the job", char="n", value="value")
_WISHES = (_EVERY, _AT, _CRON, _ZONE, SIZE, _OVERLAP, _GRACE, _NAME)

SCHEDULER_TOPICS = {"scheduler": "run commands at their times"}

SCHEDULER_COMMANDS: tuple[Command, ...] = (
    on_app("scheduler", "scheduler:list_jobs", "list the scheduled jobs of an app", JSON, own=True),
    on_app(
        "scheduler:add",
        "scheduler:add",
        "run a command, or a process type, again and again",
        some("COMMAND", "what to run, as in a shell"),
        *_WISHES,
        JSON,
        examples=(
            'scheduler:add "python manage.py clearsessions" --every day --at 04:30',
            "scheduler:add sync --every 10m --overlap wait",
            "scheduler:add \"python report.py\" --cron '0 8 * * 1-5' --timezone Europe/Berlin",
        ),
        own=True,
    ),
    on_app(
        "scheduler:update",
        "scheduler:update",
        "change a scheduled job",
        _JOB,
        Flag("command", "what to run", value="value"),
        *_WISHES,
        JSON,
        examples=("scheduler:update clearsessions --at 05:00 --every day",),
        own=True,
    ),
    on_app("scheduler:remove", "scheduler:remove", "remove a scheduled job", _JOB, CONFIRM, own=True),
    on_app(
        "scheduler:run",
        "scheduler:run",
        "run a scheduled job now",
        _JOB,
        Flag("wait", "wait for its end, show what it said, and end with its exit code", char="w"),
        JSON,
        own=True,
    ),
    on_app(
        "scheduler:history",
        "scheduler:history",
        "show what became of scheduled runs, newest first",
        Argument("JOB", "name of the job (default: all)", required=False),
        num("number of runs to show (default 20)"),
        JSON,
        own=True,
    ),
    on_app(
        "scheduler:logs",
        "scheduler:logs",
        "show what a run has said",
        Argument("JOB", "name of a job, for its last run, or of a run: scheduler.1234", required=False),
        JSON,
        examples=("scheduler:logs clearsessions", "scheduler:logs scheduler.1234 -a example"),
        own=True,
    ),
)
