"""What became of the times of jobs: `homeport scheduler:history`, `scheduler:run`, `scheduler:logs`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from homeport import scheduler
from homeport.api.exchange import Call, Reply, created
from homeport.api.ranges import Keys
from homeport.api.shapes import Shape, app_ref, moment, stamp
from homeport.errors import Invalid
from homeport.state import App, JobRun

KEYS: Keys[JobRun] = {"created_at": lambda run: moment(run.created_at, run.id), "id": lambda run: run.id}


def shape(app: App, run: JobRun) -> Shape:
    return {
        "app": app_ref(app),
        "command": run.command,
        "created_at": stamp(run.created_at),
        "detail": run.detail,
        "due_at": stamp(run.due_at),
        "duration": _seconds(run.started_at, run.finished_at),
        "dyno": run.dyno,
        "exit_code": run.exit_code,
        "finished_at": stamp(run.finished_at),
        "id": run.id,
        "job": {"id": run.job_id, "name": run.job_name},
        "started_at": stamp(run.started_at),
        "status": run.status,
        "times": run.times,
    }


def index(call: Call, session: Session) -> Reply:
    return call.listing(scheduler.history(session, call.app), lambda run: shape(call.app, run), KEYS)


def of_job(call: Call, session: Session) -> Reply:
    job = scheduler.find(session, call.app, call.params["job"])
    return call.listing(scheduler.history(session, call.app, job=job), lambda run: shape(call.app, run), KEYS)


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(call.app, scheduler.find_run(session, call.app, call.params["run"])))


async def create(call: Call) -> Reply:
    """Run the job now."""
    run = await _scheduler(call).run_now(call.app.id, call.params["job"])
    call.say(f"Run job {run.job_name}")
    return created(shape(call.app, run))


async def log(call: Call) -> Reply:
    """What it has said: kept with the run once it has ended, before that the app's log."""
    run = await call.core.database.run(scheduler.find_run, call.app, call.params["run"])
    text = run.output if run.output is not None else _scheduler(call).output(run)
    return Reply({"lines": text.splitlines(), "run": shape(call.app, run)})


def _scheduler(call: Call) -> scheduler.Scheduler:
    if call.core.scheduler is None:
        raise Invalid("There is no scheduler here.", id="not_here_yet")
    return call.core.scheduler


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if start is not None and end is not None else None
