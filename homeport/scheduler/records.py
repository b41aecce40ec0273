"""Jobs as records: those that people add, and those that an app's app.json declares."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from homeport import addons, dynos
from homeport.errors import Conflict, HomeportError, Invalid, NotFound
from homeport.scheduler import schedules
from homeport.scheduler.due import Overlap
from homeport.scheduler.schedules import Schedule
from homeport.state import Addon, App, Release, ScheduledJob, Slug, touch

SERVICE = "scheduler"
LIMIT = 100
"""Jobs of one app."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_LONGEST_COMMAND = 4096
_INTERPRETERS = {"python", "python3", "-m", "manage.py", "./manage.py", "flask", "bash", "sh"}

_log = logging.getLogger("homeport.scheduler")


@dataclass(frozen=True)
class Wish:
    """A job as somebody wants it. `grace`: how late it may begin, None for as late as the default allows."""

    command: str
    schedule: Schedule
    name: str | None = None
    size: str = dynos.sizes.DEFAULT
    overlap: Overlap = Overlap.SKIP
    grace: timedelta | None = None


def schedule_of(job: ScheduledJob) -> Schedule:
    return Schedule(job.schedule, job.timezone)


def overlap_of(job: ScheduledJob) -> Overlap:
    return Overlap(job.overlap)


def grace_of(job: ScheduledJob) -> timedelta | None:
    return timedelta(seconds=job.grace) if job.grace is not None else None


def is_declared(job: ScheduledJob) -> bool:
    """Whether it comes from the app's app.json."""
    return job.key is not None


def addon(session: Session, app: App) -> Addon | None:
    """The app's scheduler, to which jobs that people add belong."""
    owned = (found for found in addons.of_app(session, app) if found.service == SERVICE and found.app_id == app.id)
    return next(owned, None)


def jobs(session: Session, app: App) -> list[ScheduledJob]:
    """Those that are in force, by name."""
    wanted = select(ScheduledJob).where(ScheduledJob.app_id == app.id).order_by(ScheduledJob.name)
    return [job for job in session.scalars(wanted) if in_force(session, job)]


def in_force(session: Session, job: ScheduledJob) -> bool:
    """False for one whose add-on is being cleared away."""
    owner = session.get(Addon, job.addon_id) if job.addon_id is not None else None
    return owner is None or owner.state != addons.State.DEPROVISIONED.value


def find(session: Session, app: App, name_or_id: str) -> ScheduledJob:
    """Raises `NotFound`."""
    for job in jobs(session, app):
        if name_or_id in (job.name, job.id):
            return job
    raise NotFound(
        "job", f"Couldn't find that job ({name_or_id[:60]}).", fix="See those that there are: `homeport scheduler`."
    )


def add(session: Session, app: App, wish: Wish, *, now: datetime) -> ScheduledJob:
    """A job of the app's scheduler. Raises `Invalid`, and `Conflict` (`no_scheduler`, `too_many_jobs`)."""
    owner = addon(session, app)
    if owner is None:
        raise Conflict(
            f"{app.name} has no scheduler.",
            id="no_scheduler",
            fix=f"Add it, which costs nothing: `heroku addons:create scheduler:standard --app {app.name}`.",
        )
    present = {job.name for job in _all(session, app)}
    if len(present) >= LIMIT:
        raise Conflict(
            f"{app.name} has {LIMIT} jobs already.", id="too_many_jobs", fix="Remove some that you don't need."
        )
    name = _free(wish.name, present) if wish.name else _derived(wish.command, present)
    job = ScheduledJob(app_id=app.id, addon_id=owner.id, name=name)
    _write(job, wish, now)
    session.add(job)
    session.flush()
    touch(session, app.id)
    return job


def update(session: Session, job: ScheduledJob, wish: Wish, *, now: datetime) -> ScheduledJob:
    """Make it as it is wished now. Raises `Invalid`, and `Conflict` (`job_from_app_json`)."""
    _require_own(job, "changed")
    if wish.name is not None and wish.name != job.name:
        job.name = _free(wish.name, {other.name for other in _all(session, job.app)})
    _write(job, wish, now)
    session.flush()
    touch(session, job.app_id)
    return job


def remove(session: Session, job: ScheduledJob) -> None:
    """Its history stays for a while. Raises `Conflict` (`job_from_app_json`)."""
    _require_own(job, "removed")
    session.delete(job)
    session.flush()


def wish_of(job: ScheduledJob) -> Wish:
    """The job as it is, for who wants to change a part of it."""
    return Wish(job.command, schedule_of(job), job.name, job.size, overlap_of(job), grace_of(job))


def wish_from(entry: Mapping[str, str]) -> Wish:
    """From a job in app.json. Raises `Invalid`."""
    wish = Wish(
        command=entry.get("command", ""),
        schedule=schedules.schedule(entry.get("schedule", ""), entry.get("timezone")),
        name=entry.get("name"),
        size=dynos.sizes.find(entry.get("size", dynos.sizes.DEFAULT)).name,
        overlap=overlap(entry.get("overlap", Overlap.SKIP.value)),
    )
    check(wish)
    return wish


def check(wish: Wish) -> None:
    """Raises `Invalid` for a job that no app could have."""
    if wish.name is not None:
        _check_name(wish.name)
    _check_command(wish.command)


def overlap(word: str) -> Overlap:
    """Raises `Invalid`."""
    try:
        return Overlap(word)
    except ValueError:
        raise Invalid(
            f"{word[:40]!r} is no overlap policy.",
            fix="Use skip (leave the new run out), wait (begin it afterwards) or allow (run both).",
        ) from None


def align(session: Session, app: App, *, now: datetime) -> None:
    """Make the app's declared jobs those of its current release's app.json: after a deploy, a rollback, a promotion.

    One that has not changed keeps its next time, and every one its history.
    """
    app = session.get_one(App, app.id)
    slug = app.current_release.slug if app.current_release is not None else None
    declared = _declared(slug.cron if slug is not None else [])
    present = {job.key: job for job in _all(session, app) if job.key is not None}
    for key in present.keys() - declared.keys():
        session.delete(present[key])
    session.flush()
    taken = {job.name for job in _all(session, app)}
    for key, wish in declared.items():
        job = present.get(key)
        if job is None:
            job = ScheduledJob(app_id=app.id, key=key, name=_unlike(wish.name or key, taken))
            taken.add(job.name)
            session.add(job)
        _write(job, wish, now)
    session.flush()


def to_be_aligned(session: Session) -> list[App]:
    """All apps whose releases may say something about jobs."""
    speaking = (
        select(App.id)
        .join(Release, Release.id == App.current_release_id)
        .join(Slug, Slug.id == Release.slug_id)
        .where(cast(Slug.cron, String) != "[]")
    )
    spoken = select(ScheduledJob.app_id).where(ScheduledJob.key.is_not(None))
    return list(session.scalars(select(App).where(App.id.in_(speaking) | App.id.in_(spoken))))


def _declared(cron: Collection[Mapping[str, str]]) -> dict[str, Wish]:
    """By key: the job's name, or what its command is called by."""
    found: dict[str, Wish] = {}
    for entry in cron:
        try:
            wish = wish_from(entry)
        except HomeportError as error:  # it was read before the release was made: by another version, say
            _log.error("a job of an app.json is left out: %s", error.what)
            continue
        found[wish.name if wish.name and wish.name not in found else _derived(wish.command, found)] = wish
    return found


def _all(session: Session, app: App) -> list[ScheduledJob]:
    return list(session.scalars(select(ScheduledJob).where(ScheduledJob.app_id == app.id)))


def _write(job: ScheduledJob, wish: Wish, now: datetime) -> None:
    """Its next time only changes with its schedule."""
    _check_command(wish.command)
    if (job.schedule, job.timezone) != (wish.schedule.cron, wish.schedule.timezone):
        job.schedule, job.timezone = wish.schedule.cron, wish.schedule.timezone
        job.next_at = wish.schedule.next(now)
    job.command, job.size, job.overlap = wish.command, wish.size, wish.overlap.value
    job.grace = int(wish.grace.total_seconds()) if wish.grace is not None else None


def _require_own(job: ScheduledJob, done: str) -> None:
    if is_declared(job):
        raise Conflict(
            f"{job.name} comes from the app's app.json, and can't be {done} here.",
            id="job_from_app_json",
            why="The next release would undo it.",
            fix='Change it under "cron" in app.json, commit, and push.',
        )


def _check_command(command: str) -> None:
    if not command.strip() or len(command) > _LONGEST_COMMAND or not command.isprintable():
        raise Invalid(
            "That is no command to run." if command.strip() else "There is no command to run.",
            fix="Name one of one line: `python manage.py clearsessions`, or a process type of the Procfile.",
        )


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name[:60]!r} can't be the name of a job.", fix="Use letters, digits, - and _, and at most 60 of them."
        )


def _free(name: str, taken: Collection[str]) -> str:
    _check_name(name)
    if name in taken:
        raise Invalid(f"There is a job called {name} already.", fix="Choose another name with --name.")
    return name


def _derived(command: str, taken: Collection[str]) -> str:
    """What a job is called that nobody has named: `python manage.py clearsessions` is clearsessions."""
    words = command.split()
    telling = [word for word in words if word not in _INTERPRETERS] or words
    name = re.sub(r"[^a-z0-9]+", "-", " ".join(telling).lower()).strip("-")[:40].strip("-")
    return _unlike(name or "job", taken)


def _unlike(name: str, taken: Collection[str]) -> str:
    if name not in taken:
        return name
    return next(other for number in range(2, len(taken) + 3) if (other := f"{name[:55]}-{number}") not in taken)
