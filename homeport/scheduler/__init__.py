"""The scheduler: jobs that run at their times as one-off dynos, and what became of each time."""

from homeport.scheduler.due import Overlap
from homeport.scheduler.durations import duration
from homeport.scheduler.loop import Scheduler
from homeport.scheduler.records import (
    SERVICE,
    Wish,
    add,
    addon,
    align,
    check,
    find,
    is_declared,
    jobs,
    overlap,
    remove,
    schedule_of,
    update,
    wish_from,
    wish_of,
)
from homeport.scheduler.runs import Status, ended, find_run, history, latest
from homeport.scheduler.schedules import Schedule, every, schedule

__all__ = [
    "SERVICE",
    "Overlap",
    "Schedule",
    "Scheduler",
    "Status",
    "Wish",
    "add",
    "addon",
    "align",
    "check",
    "duration",
    "ended",
    "every",
    "find",
    "find_run",
    "history",
    "is_declared",
    "jobs",
    "latest",
    "overlap",
    "remove",
    "schedule",
    "schedule_of",
    "update",
    "wish_from",
    "wish_of",
]
