"""Jobs of an app's scheduler: `homeport scheduler`, `scheduler:add`, `update`, `remove`.

Heroku's API has none of this: its Scheduler is driven by a page.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from homeport import dynos, scheduler
from homeport.addons import Wish as AddonWish
from homeport.api.exchange import Call, Reply, created
from homeport.api.fields import Fields
from homeport.api.ranges import Keys
from homeport.api.resources import job_runs
from homeport.api.resources.addons import say_release
from homeport.api.shapes import Shape, app_ref, moment, stamp
from homeport.errors import Invalid
from homeport.scheduler import Schedule, Wish
from homeport.state import App, ScheduledJob, now

KEYS: Keys[ScheduledJob] = {
    "name": lambda job: job.name,
    "id": lambda job: job.id,
    "created_at": lambda job: moment(job.created_at, job.id),
}

DEFAULT_GRACE = "default"


def shape(session: Session, app: App, job: ScheduledJob) -> Shape:
    schedule, last = scheduler.schedule_of(job), scheduler.latest(session, job)
    return {
        "app": app_ref(app),
        "command": job.command,
        "created_at": stamp(job.created_at),
        "grace": job.grace,
        "id": job.id,
        "last_run": job_runs.shape(app, last) if last else None,
        "name": job.name,
        "next_run_at": stamp(job.next_at),
        "overlap": job.overlap,
        "schedule": {"cron": schedule.cron, "description": str(schedule), "timezone": schedule.timezone},
        "size": job.size,
        "source": "app.json" if scheduler.is_declared(job) else "added",
        "updated_at": stamp(job.updated_at),
    }


def index(call: Call, session: Session) -> Reply:
    jobs = scheduler.jobs(session, call.app)
    return call.listing(jobs, lambda job: shape(session, call.app, job), KEYS)


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(session, call.app, find(call, session)))


async def create(call: Call) -> Reply:
    """`{command, name?, every? at?, cron?, timezone?, size?, overlap?, grace?}`.

    An app without a scheduler gets it: it costs nothing, and asking for a job says that it is wanted.
    """
    body = call.body
    schedule = _schedule(body)
    if schedule is None:
        raise Invalid(
            "Nothing says when the job should run.",
            fix="Say every how often (every: 10m, hour or day), or give a cron expression (cron: '30 4 * * *').",
        )
    wish = _wished(body, Wish(command=body.text("command"), schedule=schedule))
    scheduler.check(wish)
    run = call.core.database.run
    if await run(scheduler.addon, call.app) is None:
        made = await call.addons.create(call.app.id, AddonWish(call.addons.plan(scheduler.SERVICE)), by=call.actor.user)
        await say_release(call, call.app)
        call.warn(f"{made.name} (scheduler:standard) was added to {call.app.name}.")
    return created(await run(_create, call, wish))


def _create(session: Session, call: Call, wish: Wish) -> Shape:
    job = scheduler.add(session, session.get_one(App, call.app.id), wish, now=now())
    call.say(f"Add job {job.name}")
    return shape(session, call.app, job)


def update(call: Call, session: Session) -> Reply:
    """Any part of what `create` takes; the rest stays."""
    job = find(call, session)
    before = scheduler.wish_of(job)
    schedule = _schedule(call.body, before.schedule) or before.schedule
    command = call.body.optional_text("command") or before.command
    wish = _wished(call.body, replace(before, schedule=schedule, command=command))
    scheduler.update(session, job, wish, now=now())
    call.say(f"Update job {job.name}")
    return Reply(shape(session, call.app, job))


def destroy(call: Call, session: Session) -> Reply:
    job = find(call, session)
    last = shape(session, call.app, job)
    scheduler.remove(session, job)
    call.say(f"Remove job {job.name}")
    return Reply(last)


def find(call: Call, session: Session) -> ScheduledJob:
    """The job that the path names, by name or id. Raises `NotFound`."""
    return scheduler.find(session, call.app, call.params["job"])


def _schedule(body: Fields, before: Schedule | None = None) -> Schedule | None:
    """None where the body says nothing of it. A time zone alone moves the schedule that there is."""
    every, cron, zone = body.optional_text("every"), body.optional_text("cron"), body.optional_text("timezone")
    at = body.optional_text("at")
    if every is not None and cron is not None:
        raise Invalid("every and cron can't be given together.", fix="Give one of them.")
    if at is not None and every is None:
        raise Invalid("at is the time of an interval.", fix="Say which one too: every hour or every day.")
    known_zone = zone or (before.timezone if before else None)
    if every is not None:
        return scheduler.every(every, at, known_zone)
    if cron is not None:
        return scheduler.schedule(cron, known_zone)
    return scheduler.schedule(before.cron, zone) if zone is not None and before is not None else None


def _wished(body: Fields, wish: Wish) -> Wish:
    """With all that the body says beside command and schedule."""
    if (name := body.optional_text("name")) is not None:
        wish = replace(wish, name=name)
    if (size := body.reference("size")) is not None:
        wish = replace(wish, size=dynos.sizes.find(size).name)
    if (overlap := body.optional_text("overlap")) is not None:
        wish = replace(wish, overlap=scheduler.overlap(overlap))
    if (grace := body.optional_text("grace")) is not None:
        wish = replace(wish, grace=None if grace == DEFAULT_GRACE else scheduler.duration(grace))
    return wish
