"""Runs as records: what became of each time of a job.

A run and its one-off dyno are written down in one transaction and have the same id. So a time is run once or not at
all, whenever the platform is killed, and the dyno's end always finds the run that it belongs to.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, undefer

from homeport import dynos
from homeport.dynos import Why
from homeport.errors import NotFound
from homeport.scheduler.due import Busy
from homeport.state import App, Dyno, JobRun, ScheduledJob, now, touch

TYPE = "scheduler"
"""The process type of the dynos, as on Heroku: scheduler.1234."""

KEPT_RUNS = 200
"""Of each job."""

KEPT_AFTER_REMOVAL = timedelta(days=30)
"""The history of a job that is gone."""

KEPT_OUTPUT = 16 * 1024
"""Characters of what a run has said."""


class Status(Enum):
    """What became of a due time."""

    WAITING = "waiting"  # for the run before it to end
    RUNNING = "running"  # its dyno is there, or starts
    SUCCEEDED = "succeeded"  # ended with exit code 0
    FAILED = "failed"  # ended with another one, or could not be started
    STOPPED = "stopped"  # somebody stopped its dyno, or its day was over
    LOST = "lost"  # the platform or the machine was stopped while it ran: nobody knows how it ended
    SKIPPED = "skipped"  # left out, `detail` says why
    MISSED = "missed"  # nobody was there when it was due


_UNFINISHED = (Status.WAITING.value, Status.RUNNING.value)


def busy(session: Session, job: ScheduledJob) -> Busy:
    rows = list(session.scalars(select(JobRun.status).where(JobRun.job_id == job.id, JobRun.status.in_(_UNFINISHED))))
    return Busy(running=rows.count(Status.RUNNING.value), waiting=rows.count(Status.WAITING.value))


def note(
    session: Session, job: ScheduledJob, status: Status, *, due: datetime | None, at: datetime, detail: str = ""
) -> JobRun:
    """A run that has no dyno, or none yet."""
    run = JobRun(
        app_id=job.app_id,
        job_id=job.id,
        job_name=job.name,
        command=job.command,
        due_at=due,
        status=status.value,
        detail=detail,
        created_at=at,
        finished_at=None if status is Status.WAITING else at,
    )
    session.add(run)
    session.flush()
    return run


def begin(session: Session, job: ScheduledJob, run: JobRun, *, at: datetime) -> JobRun:
    """Give a waiting run its dyno. Raises `Invalid` (`no_code`) and `Conflict` (`too_many_one_offs`)."""
    wish = dynos.one_off_wish(job.command, {}, type=TYPE, size=job.size)
    dyno = dynos.create_one_off(session, job.app_id, wish, now=at, dyno_id=run.id)
    run.command = job.command
    run.status, run.dyno, run.started_at = Status.RUNNING.value, dyno.name, at
    session.flush()
    return run


def give_up(run: JobRun, status: Status, detail: str, *, at: datetime) -> None:
    run.status, run.detail, run.finished_at = status.value, detail, at


def ended(session: Session, dyno: Dyno, ending: dynos.Ending) -> None:
    """The dyno of a run has ended (`dynos.OnEnd`). Told twice, the first time counts."""
    run = session.get(JobRun, dyno.id)
    if run is None or run.status != Status.RUNNING.value:
        return
    run.exit_code = ending.exit_code
    status, detail = _outcome(ending)
    give_up(run, status, detail, at=now())
    touch(session, run.app_id)


def _outcome(ending: dynos.Ending) -> tuple[Status, str]:
    match ending.why:
        case Why.UNSTARTABLE:
            return Status.FAILED, f"It could not be started: {ending.detail}"
        case Why.UNWANTED:
            return Status.STOPPED, "Its dyno was stopped"
        case _ if ending.exit_code is None:
            return Status.LOST, "The machine or the platform was stopped while it ran"
        case _:
            return (Status.SUCCEEDED if ending.exit_code == 0 else Status.FAILED), ""


def give_up_lost(session: Session, *, at: datetime) -> list[JobRun]:
    """Runs whose dynos are gone without a word: all dynos were stopped together with the platform."""
    lost = list(
        session.scalars(select(JobRun).where(JobRun.status == Status.RUNNING.value, JobRun.id.not_in(select(Dyno.id))))
    )
    for run in lost:
        give_up(run, Status.LOST, "The platform was stopped while it ran", at=at)
    return lost


def waiting(session: Session) -> list[JobRun]:
    """Oldest first."""
    rows = select(JobRun).where(JobRun.status == Status.WAITING.value).order_by(JobRun.created_at)
    return list(session.scalars(rows))


def history(session: Session, app: App, *, job: ScheduledJob | None = None, newest: int = KEPT_RUNS) -> list[JobRun]:
    """Newest first."""
    rows = select(JobRun).where(JobRun.app_id == app.id).order_by(JobRun.created_at.desc(), JobRun.id)
    if job is not None:
        rows = rows.where(JobRun.job_id == job.id)
    return list(session.scalars(rows.limit(newest)))


def latest(session: Session, job: ScheduledJob) -> JobRun | None:
    return next(iter(history(session, job.app, job=job, newest=1)), None)


def find_run(session: Session, app: App, ref: str) -> JobRun:
    """By its id, or the name of its dyno: the newest that had this name. Raises `NotFound`."""
    wanted = select(JobRun).where(JobRun.app_id == app.id, (JobRun.id == ref) | (JobRun.dyno == ref))
    run = session.scalar(wanted.order_by(JobRun.created_at.desc()).limit(1).options(undefer(JobRun.output)))
    if run is None:
        raise NotFound("run", f"Couldn't find that run ({ref[:60]}).", fix="See them: `homeport scheduler:history`.")
    return run


def without_output(session: Session) -> list[JobRun]:
    """Those that have ended and whose output is not kept yet."""
    ended_with_dyno = (JobRun.finished_at.is_not(None), JobRun.dyno.is_not(None), JobRun.output.is_(None))
    return list(session.scalars(select(JobRun).where(*ended_with_dyno)))


def keep_output(session: Session, run_id: str, text: str) -> None:
    run = session.get(JobRun, run_id)
    if run is not None:
        run.output = text[-KEPT_OUTPUT:]


def prune(session: Session, job_id: str) -> None:
    """Forget the oldest runs of a job."""
    old = select(JobRun.id).where(JobRun.job_id == job_id, JobRun.status.not_in(_UNFINISHED))
    old = old.order_by(JobRun.created_at.desc()).offset(KEPT_RUNS).limit(1000)
    if ids := list(session.scalars(old)):
        session.execute(delete(JobRun).where(JobRun.id.in_(ids)))


def prune_removed(session: Session, *, at: datetime) -> None:
    """Forget the runs of jobs that are long gone."""
    session.execute(delete(JobRun).where(JobRun.job_id.is_(None), JobRun.created_at < at - KEPT_AFTER_REMOVAL))
