"""An app with a scheduler, on a database, without loops: turns are taken at times of one's choice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from homeport import dynos, scheduler
from homeport.addons import State
from homeport.scheduler import Overlap, Wish, runs, turn
from homeport.state import Addon, App, Database, Dyno, JobRun, ScheduledJob
from tests.unit.dynos import dyno_records

START = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)


@dataclass
class Scene:
    database: Database
    now: datetime = START
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.database.session() as session:
            self.app = dyno_records.new_app(session)
            self.addon = self.give_scheduler(session)
            dyno_records.deploy(session, self.app, web="serve", hello="python hello.py")

    def give_scheduler(self, session: Session) -> Addon:
        addon = Addon(app_id=self.app.id, name="scheduler-1", service="scheduler", plan="standard")
        addon.state = State.PROVISIONED.value
        session.add(addon)
        session.flush()
        return addon

    def add(
        self,
        command: str = "hello",
        cron: str = "* * * * *",
        *,
        name: str | None = None,
        overlap: Overlap = Overlap.SKIP,
        grace: timedelta | None = None,
    ) -> ScheduledJob:
        wish = Wish(command, scheduler.schedule(cron), name=name, overlap=overlap, grace=grace)
        with self.database.session() as session:
            return scheduler.add(session, session.get_one(App, self.app.id), wish, now=self.now)

    def turn(self, *, later: float = 0, changed: set[str] | None = None) -> turn.Turn:
        """A turn so many seconds later."""
        self.now += timedelta(seconds=later)
        with self.database.session() as session:
            taken = turn.take(session, self.now, changed)
        self.said += [f"{line.source}[{line.speaker}]: {line.text}" for line in taken.lines]
        return taken

    def end(self, run: JobRun, exit_code: int | None = 0, why: dynos.Why = dynos.Why.EXITED) -> None:
        """As the fleet does it when a dyno has ended."""
        with self.database.session() as session:
            dyno = session.get_one(Dyno, run.id)
            scheduler.ended(session, dyno, dynos.Ending(why, exit_code))
            session.delete(dyno)

    def history(self) -> list[str]:
        """Newest first: status, due time, dyno or detail."""
        with self.database.session() as session:
            return [f"{run.status} {run.due_at:%H:%M}" if run.due_at else run.status for run in self._runs(session)]

    def runs(self, status: runs.Status | None = None) -> list[JobRun]:
        with self.database.session() as session:
            return [run for run in self._runs(session) if status is None or run.status == status.value]

    def dynos(self) -> list[Dyno]:
        with self.database.session() as session:
            return [dyno for dyno in session.query(Dyno).where(Dyno.app_id == self.app.id) if dyno.type == "scheduler"]

    def jobs(self) -> dict[str, ScheduledJob]:
        with self.database.session() as session:
            return {job.name: job for job in scheduler.jobs(session, self.app)}

    def _runs(self, session: Session) -> list[JobRun]:
        return sorted(scheduler.history(session, self.app), key=lambda run: (run.created_at, run.due_at or START))[::-1]
