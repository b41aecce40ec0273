"""One look at all jobs: one transaction in which everything that is due is decided on and written down.

Killed before it commits, the next one finds the same times due; killed afterwards, all that is to be done stands in
rows.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from homeport import dynos
from homeport.errors import Conflict, HomeportError
from homeport.scheduler import records, runs
from homeport.scheduler.due import MOST_COUNTED, Missed, Overlap, Start, decide
from homeport.scheduler.runs import Status
from homeport.state import App, JobRun, ScheduledJob

PUT_OFF = timedelta(minutes=10)

_log = logging.getLogger("homeport.scheduler")

BY = "scheduler@addons.heroku.com"
"""Who starts the dynos, in Heroku's logs."""


@dataclass(frozen=True)
class Line:
    """For an app's log."""

    app_id: str
    source: str
    speaker: str
    text: str


@dataclass(frozen=True)
class Turn:
    """What is left to do outside of the transaction. `next_at`: when something will be due, if anything will."""

    lines: tuple[Line, ...]
    ended: tuple[JobRun, ...]
    next_at: datetime | None


def take(session: Session, now: datetime, changed: Collection[str] | None) -> Turn:
    """`changed` are the apps whose releases may have changed since the last turn; None: nobody knows which."""
    if changed is None:
        apps = {app.id for app in records.to_be_aligned(session)}
        runs.prune_removed(session, at=now)
    else:
        apps = set(changed)
    # A release that is current by now may not want what is due any more.
    for app_id in apps | {job.app_id for job in _due(session, now) if records.is_declared(job)}:
        if (app := session.get(App, app_id)) is not None:
            records.align(session, app, now=now)
    lines: list[Line] = []
    for run in runs.give_up_lost(session, at=now):
        lines.append(_say(run.app_id, f"{run.job_name} ({run.dyno}) was lost: {_lower(run.detail)}"))
    for job in _due(session, now):
        if records.in_force(session, job):
            lines += _decide_alone(session, job, now)
    for run in runs.waiting(session):
        lines += _go_on(session, run, now)
    session.flush()
    ended = tuple(runs.without_output(session))
    upcoming = session.scalar(select(func.min(ScheduledJob.next_at)).where(ScheduledJob.next_at > now))
    return Turn(tuple(lines), ended, upcoming)


def _due(session: Session, now: datetime) -> Sequence[ScheduledJob]:
    return session.scalars(select(ScheduledJob).where(ScheduledJob.next_at <= now)).all()


def run_now(session: Session, job: ScheduledJob, now: datetime) -> tuple[JobRun, list[Line]]:
    """Because somebody asks for it. Raises `Conflict` (`job_running`, `too_many_one_offs`), `Invalid` (`no_code`)."""
    busy, policy = runs.busy(session, job), records.overlap_of(job)
    occupied = bool(busy.running or busy.waiting)
    if occupied and (policy is Overlap.SKIP or (policy is Overlap.WAIT and busy.waiting)):
        raise Conflict(
            f"{job.name} runs already.",
            id="job_running",
            why="Its overlap policy leaves out what is due while a run goes on.",
            fix=f"Wait for it to end, or let runs overlap: `homeport scheduler:update {job.name} --overlap allow`.",
        )
    run = runs.note(session, job, Status.WAITING, due=None, at=now)
    if occupied and policy is Overlap.WAIT:
        return run, []
    lines = _begin(session, job, run, now)
    runs.prune(session, job.id)
    return run, lines


def _decide_alone(session: Session, job: ScheduledJob, now: datetime) -> list[Line]:
    """A job that nothing can be decided about must not keep the others from running."""
    try:
        with session.begin_nested():
            return _decide(session, job, now)
    except Exception:
        _log.exception("nothing can be decided about job %s; looking at it again in %s", job.id, PUT_OFF)
        job.next_at = now + PUT_OFF
        return []


def _decide(session: Session, job: ScheduledJob, now: datetime) -> list[Line]:
    decision = decide(
        records.schedule_of(job),
        job.next_at,
        now,
        overlap=records.overlap_of(job),
        grace=records.grace_of(job),
        busy=runs.busy(session, job),
    )
    if decision is None:
        return []
    job.next_at = decision.next_at
    lines = _note_missed(session, job, decision.missed, now) if decision.missed else []
    if decision.start is Start.SKIP:
        lines += _note_skipped(session, job, decision.due, now)
    elif decision.start is not Start.MISS:
        run = runs.note(session, job, Status.WAITING, due=decision.due, at=now)
        if decision.start is Start.NOW:
            lines += _try_to_begin(session, job, run, now)
    runs.prune(session, job.id)
    return lines


def _go_on(session: Session, run: JobRun, now: datetime) -> list[Line]:
    """A run that waits begins when the one before it has ended."""
    job = session.get(ScheduledJob, run.job_id) if run.job_id is not None else None
    if job is None or not records.in_force(session, job):
        runs.give_up(run, Status.SKIPPED, "Its job was removed while it waited", at=now)
        return []
    if runs.busy(session, job).running:
        return []
    return _try_to_begin(session, job, run, now)


def _try_to_begin(session: Session, job: ScheduledJob, run: JobRun, now: datetime) -> list[Line]:
    try:
        return _begin(session, job, run, now)
    except HomeportError as error:
        runs.give_up(run, Status.SKIPPED, error.what.rstrip("."), at=now)
        return [_say(job.app_id, f"Skipped {job.name}: {_lower(error.what)}")]


def _begin(session: Session, job: ScheduledJob, run: JobRun, now: datetime) -> list[Line]:
    runs.begin(session, job, run, at=now)
    return [Line(job.app_id, "app", "api", dynos.one_off_started(job.command, BY))]


def _note_skipped(session: Session, job: ScheduledJob, due: datetime, now: datetime) -> list[Line]:
    detail = "The run before it still went on"
    runs.note(session, job, Status.SKIPPED, due=due, at=now, detail=detail)
    return [_say(job.app_id, f"Skipped {job.name}, due at {_written(due)}: the run before it still goes on")]


def _note_missed(session: Session, job: ScheduledJob, missed: Missed, now: datetime) -> list[Line]:
    often = f"{missed.times} times" if missed.times < MOST_COUNTED else f"{MOST_COUNTED} times or more"
    when = f"at {_written(missed.last)}"
    if missed.times > 1:
        when = f"{often}, from {_written(missed.first)} to {_written(missed.last)}"
    run = runs.note(session, job, Status.MISSED, due=missed.last, at=now, detail=f"The platform was not running {when}")
    run.times = missed.times
    return [_say(job.app_id, f"Missed {job.name}, due {when}: the platform was not running")]


def _say(app_id: str, text: str) -> Line:
    return Line(app_id, "heroku", "scheduler", text)


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
