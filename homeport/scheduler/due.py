"""What is to be done about a job at some moment: one pure function, time given.

A job's times up to now are decided on together. The latest one is run, if it is not too late for it; the others were
missed, because nobody was there. How that one goes is the overlap policy's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import islice, takewhile

from homeport.scheduler.schedules import Schedule

PROMPT = timedelta(seconds=90)
"""So late a run may always begin: the platform was busy, not away."""

LATEST = timedelta(hours=24)
"""Without a grace of its own a job may begin until its next time, but no later than this."""

MOST_COUNTED = 1000


class Overlap(Enum):
    """What happens when a job is due and its last run still goes on."""

    SKIP = "skip"  # this time is left out
    WAIT = "wait"  # it begins when the other has ended; one may wait
    ALLOW = "allow"  # they run beside each other


class Start(Enum):
    """How the latest due time goes on."""

    NOW = "now"
    WAIT = "wait"  # as soon as the run before it has ended
    SKIP = "skip"
    MISS = "miss"  # too late for it


@dataclass(frozen=True)
class Busy:
    """Earlier runs of a job that have not ended."""

    running: int = 0
    waiting: int = 0


@dataclass(frozen=True)
class Missed:
    """Due times that passed while nobody was there: `times` of them (`MOST_COUNTED` stands for that or more)."""

    times: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Decision:
    """`due` is the latest time, `next_at` the first one that is still to come."""

    due: datetime
    start: Start
    missed: Missed | None
    next_at: datetime


def decide(
    schedule: Schedule,
    next_at: datetime,
    now: datetime,
    *,
    overlap: Overlap = Overlap.SKIP,
    grace: timedelta | None = None,
    busy: Busy = Busy(),
) -> Decision | None:
    """None while `next_at`, the first time that nothing was decided about, has not come."""
    if next_at > now:
        return None
    due, upcoming = _last(schedule, next_at, now), schedule.next(now)
    missed = _until(schedule, next_at, due - timedelta(seconds=1))
    start = _start(overlap, busy)
    if now - due > _patience(grace, upcoming - due):
        start, missed = Start.MISS, _until(schedule, next_at, due)
    return Decision(due, start, missed, upcoming)


def _last(schedule: Schedule, first: datetime, until: datetime) -> datetime:
    """The last due time up to `until`; `first` is one of them.

    Looked for from ever further back instead of counted through: a week of every minute is ten thousand steps.
    """
    back = timedelta(hours=1)
    while (start := until - back) > first:
        passed = list(takewhile(lambda at: at <= until, schedule.after(start)))
        if passed:
            return passed[-1]
        back *= 24
    return max(takewhile(lambda at: at <= until, schedule.after(first)), default=first)


def _until(schedule: Schedule, first: datetime, until: datetime) -> Missed | None:
    """The due times from `first` to `until`, None if there is none."""
    if first > until:
        return None
    further = islice(takewhile(lambda at: at <= until, schedule.after(first)), MOST_COUNTED - 1)
    return Missed(1 + sum(1 for _ in further), first, _last(schedule, first, until))


def _patience(grace: timedelta | None, period: timedelta) -> timedelta:
    return max(PROMPT, min(period, LATEST) if grace is None else grace)


def _start(overlap: Overlap, busy: Busy) -> Start:
    if overlap is Overlap.ALLOW or not (busy.running or busy.waiting):
        return Start.NOW
    if overlap is Overlap.WAIT and not busy.waiting:
        return Start.WAIT
    return Start.SKIP
