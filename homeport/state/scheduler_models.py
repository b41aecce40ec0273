"""The tables of the scheduler: https://devcenter.heroku.com/articles/scheduler."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from homeport.state.models import App, Base, new_id, now


class ScheduledJob(Base):
    """A command that an app runs again and again, each time in a one-off dyno.

    One that somebody added belongs to the app's scheduler add-on and goes with it; one of the app's `app.json` has a
    `key` instead, by which the next release finds it again.
    """

    __tablename__ = "scheduled_jobs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    addon_id: Mapped[str | None] = mapped_column(ForeignKey("addons.id", ondelete="CASCADE"), index=True)
    key: Mapped[str | None]
    name: Mapped[str] = mapped_column(String(60))
    command: Mapped[str]
    schedule: Mapped[str]  # a cron expression of five fields
    timezone: Mapped[str]  # of the IANA database
    size: Mapped[str]
    overlap: Mapped[str]  # scheduler.Overlap
    grace: Mapped[int | None]  # seconds; how late it may still begin, None for as late as the default allows
    next_at: Mapped[datetime] = mapped_column(index=True)  # the first time that is not decided on yet
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    app: Mapped[App] = relationship(lazy="joined")

    __table_args__ = (UniqueConstraint("app_id", "name"),)


class JobRun(Base):
    """What became of one time of a job. `id` is also the id of its dyno, so that no run can have two.

    What it says of the job is how the job was then; it outlives the job.
    """

    __tablename__ = "job_runs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    job_id: Mapped[str | None] = mapped_column(ForeignKey("scheduled_jobs.id", ondelete="SET NULL"))
    job_name: Mapped[str] = mapped_column(String(60))
    command: Mapped[str]
    due_at: Mapped[datetime | None]  # None if somebody asked for it
    status: Mapped[str] = mapped_column(index=True)  # scheduler.Status
    times: Mapped[int] = mapped_column(default=1)  # how many due times this row stands for, `due_at` being the last
    detail: Mapped[str] = mapped_column(default="")
    dyno: Mapped[str | None]  # scheduler.1234
    exit_code: Mapped[int | None]
    output: Mapped[str | None] = mapped_column(Text, deferred=True)  # the end of what it said, None until it is kept
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("job_id", "due_at"),
        Index("ix_job_runs_app_created", "app_id", "created_at"),
    )
