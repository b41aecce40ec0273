"""Backups, restores and copies: each a row, a task while it is under way, and a file for as long as it is kept."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from homeport.addons.addons import Addons
from homeport.addons.postgres import databases, downloads, transfer_records, work
from homeport.addons.postgres.dumps import Login
from homeport.addons.postgres.provider import Postgres
from homeport.addons.postgres.slots import Slots
from homeport.addons.postgres.transfer_records import Kind, Order, Outcome
from homeport.addons.postgres.work import Place
from homeport.errors import HomeportError, Unavailable
from homeport.home import Home
from homeport.state import Addon, Database, Transfer, TransferSchedule, now

EVERY_SECONDS = 30.0
MAX_LOGS = 1000

_log = logging.getLogger("homeport.addons.postgres")

Tell = Callable[[str, str], None]
"""Writes a line (the second) into the log of an app (the first, by id)."""


@dataclass
class UnderWay:
    """A transfer at work."""

    task: asyncio.Task[None] | None = None
    growing: Path | None = None
    logs: list[tuple[float, str]] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.logs.append((now().timestamp(), text))
        del self.logs[:-MAX_LOGS]

    @property
    def processed_bytes(self) -> int:
        """How large the file is that is being written."""
        try:
            return self.growing.stat().st_size if self.growing is not None else 0
        except OSError:
            return 0


@dataclass(frozen=True)
class Result:
    """What a piece of work has to say of itself."""

    warnings: int = 0
    processed_bytes: int = 0
    counts: dict[str, int] | None = None


Work = Callable[[UnderWay], Awaitable[Result]]
Slot = AbstractAsyncContextManager[None]


class Transfers:
    def __init__(
        self,
        home: Home,
        database: Database,
        addons: Addons,
        postgres: Postgres,
        *,
        tell: Tell = lambda _app_id, _text: None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.folder = home.addons / "backups"
        self._database = database
        self._addons = addons
        self._postgres = postgres
        self._tell = tell
        self._clock = clock
        self._since = clock()
        self._slots = Slots(self.folder)
        self._turns: dict[str, asyncio.Lock] = {}
        self.under_way: dict[str, UnderWay] = {}

    def path(self, transfer: Transfer) -> Path:
        """The file of a backup."""
        return self.folder / f"{transfer.id}.dump"

    # What people ask for. Each returns at once, with the transfer to be followed.

    async def capture(
        self, addon: Addon, name: str, *, schedule: str | None = None, due_at: datetime | None = None
    ) -> Transfer:
        """A backup of the database that is known as `name`. A scheduled one is proved afterwards."""
        wanted = Order(Kind.BACKUP, addon.id, name, "BACKUP", schedule=schedule, due_at=due_at)
        transfer, _ = await self._begin(addon, wanted, self._slots.here())
        return transfer

    async def restore(self, addon: Addon, name: str, source: Path | str, extensions: Sequence[str] = ()) -> Transfer:
        """Fill the database with an archive: one of ours, or what an http(s) URL gives."""

        async def fill(at_work: UnderWay) -> Result:
            if isinstance(source, Path):
                return await self._fill(addon, source, extensions, at_work)
            with downloads.file(self.folder) as archive:
                at_work.say("Downloading the archive")
                at_work.growing = archive
                await downloads.fetch(source, archive)
                return await self._fill(addon, archive, extensions, at_work)

        app_id = addon.app_id or addon.id
        slot = self._slots.here(app_id) if isinstance(source, Path) else self._slots.elsewhere(app_id)
        order = Order(Kind.RESTORE, addon.id, "BACKUP", name)
        transfer, _ = await self._begin(addon, order, slot, fill)
        return transfer

    async def copy(self, addon: Addon, names: tuple[str, str], source_url: str, target_url: str | None) -> Transfer:
        """Fill the add-on's database with another's contents; or, with a `target_url`, one that is elsewhere.

        `names` are what the two are called. Raises `Invalid` for URLs that lead to no database.
        """
        source, target = downloads.login(source_url), downloads.login(target_url) if target_url else None

        async def fill(at_work: UnderWay) -> Result:
            place = await self._place(addon)
            with downloads.file(self.folder) as archive:
                at_work.growing = archive
                at_work.say("Dumping the source")
                await work.dump_from(place, await self._reachable(source), archive, say=at_work.say)
                if target is not None:
                    reachable = await self._reachable(target)
                    warnings = await work.restore_into(place, archive, reachable, say=at_work.say)
                    return Result(warnings, archive.stat().st_size)
                return await self._fill(addon, archive, (), at_work)

        slot = self._slots.elsewhere(addon.app_id or addon.id)
        transfer, _ = await self._begin(addon, Order(Kind.COPY, addon.id, *names), slot, fill)
        return transfer

    async def cancel(self, transfer: Transfer) -> None:
        """Give it up; quiet if it is done."""
        at_work = self.under_way.get(transfer.id)
        if at_work is not None and at_work.task is not None:
            at_work.say("Canceled")
            at_work.task.cancel()
            await asyncio.gather(at_work.task, return_exceptions=True)

    async def delete(self, transfer: Transfer) -> None:
        """The row first: a file that nobody knows of is swept away. Raises `Conflict` while it is under way."""
        await self._database.run(transfer_records.delete, transfer)
        self.path(transfer).unlink(missing_ok=True)

    async def reset(self, addon: Addon, extensions: Sequence[str] = ()) -> None:
        """Empty the database. Raises `Invalid` for extensions that can't be had, and then nothing is changed."""
        place = await self._place(addon)
        async with self._turn(addon.id):
            await work.refill(place, extensions=extensions)

    async def snapshot(self, addon: Addon, name: str, version: int) -> Transfer:
        """A backup before a release's command runs; returns when it is done. Raises `HomeportError` if it failed."""
        wanted = Order(Kind.BACKUP, addon.id, f"{name} before v{version}", "BACKUP", release=version)
        transfer, task = await self._begin(addon, wanted, self._slots.here())
        await task
        done = await self._database.run(lambda session: session.get_one(Transfer, transfer.id))
        if not done.succeeded:
            raise HomeportError("snapshot_failed", f"The snapshot of {name} failed: {done.logs[-1][1]}")
        return done

    # The loop.

    async def run(self) -> None:
        """Schedules, proofs and tidying, until cancelled. A proof may take hours: schedules don't wait for it."""
        await self._database.run(transfer_records.interrupted, self._since)
        await asyncio.gather(self._for_ever(self._keep_schedules), self._for_ever(self._prove_all))

    async def sync(self) -> None:
        """Once through what is to be done."""
        await self._keep_schedules()
        await self._prove_all()

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception:
                _log.exception("looking after backups failed and is tried again in %.0f s", EVERY_SECONDS)
            await asyncio.sleep(EVERY_SECONDS)

    async def _keep_schedules(self) -> None:
        """And tidy up."""
        at = self._clock()
        for schedule in await self._database.run(transfer_records.due, at):
            await self._capture_as_scheduled(schedule, at)
        await self._database.run(transfer_records.prune)
        self._sweep(await self._database.run(transfer_records.file_ids))

    async def _prove_all(self) -> None:
        for transfer in await self._database.run(transfer_records.unproved):
            await self._prove(transfer)

    async def _capture_as_scheduled(self, schedule: TransferSchedule, at: datetime) -> None:
        """One that can't begin keeps none of the others from it, and is left out until its next hour."""
        addon, name = schedule.addon, schedule.name.removesuffix("_URL")
        try:
            await self.capture(addon, name, schedule=schedule.name, due_at=at)
        except HomeportError as error:
            await self._database.run(transfer_records.ran, addon.id, schedule.name, at)
            _log.error("no scheduled backup of %s: %s", addon.name, error.what)
            if addon.app_id is not None:
                self._tell(addon.app_id, f"Scheduled backup of {name} FAILED: {error.what}")
        except Exception:  # our database is busy, say: it is due until it is written down
            _log.exception("the scheduled backup of %s could not be written down", addon.name)

    async def close(self) -> None:
        """Give up what is under way; the next start says so."""
        tasks = [at_work.task for at_work in self.under_way.values() if at_work.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # How it is done.

    async def _begin(
        self, addon: Addon, wanted: Order, slot: Slot, do: Work | None = None
    ) -> tuple[Transfer, asyncio.Task[None]]:
        await self._addons.resource(addon)  # raises while it isn't ready
        transfer = await self._database.run(transfer_records.order, wanted)
        at_work = self.under_way[transfer.id] = UnderWay()
        chosen = do or (lambda at_work: self._dump(addon, transfer, at_work))
        at_work.task = asyncio.create_task(self._carry_out(addon, transfer, slot, at_work, chosen))
        return transfer, at_work.task

    async def _carry_out(self, addon: Addon, transfer: Transfer, slot: Slot, at_work: UnderWay, do: Work) -> None:
        """Never raises but when it is cancelled: what went wrong is in the transfer's logs."""
        try:
            outcome = await self._outcome(addon, transfer, slot, at_work, do)
            done = await self._database.run(transfer_records.finished, transfer.id, outcome)
            if done is not None and done.schedule:
                self._tell_about(done)
        except asyncio.CancelledError:
            canceled = Outcome(False, at_work.logs, canceled=True)
            await asyncio.shield(self._database.run(transfer_records.finished, transfer.id, canceled))
            raise
        finally:
            self.under_way.pop(transfer.id, None)

    async def _outcome(self, addon: Addon, transfer: Transfer, slot: Slot, at_work: UnderWay, do: Work) -> Outcome:
        try:
            async with slot:
                place = await self._place(addon)
                size = await databases.size(place.cluster, place.name)
                if not await self._database.run(transfer_records.started, transfer.id, source_bytes=size):
                    return Outcome(False, at_work.logs)
                result = await do(at_work)
        except HomeportError as error:
            for line in error.message.splitlines():
                at_work.say(line)
            return Outcome(False, at_work.logs)
        except OSError as error:
            at_work.say(f"The disk says: {error.strerror or error}")
            return Outcome(False, at_work.logs)
        except Exception:
            _log.exception("transfer %s failed", transfer.id)
            at_work.say("Homeport met an error of its own; its log has the details.")
            return Outcome(False, at_work.logs)
        at_work.say("Done")
        return Outcome(True, at_work.logs, result.warnings, result.processed_bytes, result.counts)

    async def _dump(self, addon: Addon, transfer: Transfer, at_work: UnderWay) -> Result:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.path(transfer)
        at_work.growing = file.with_suffix(".draft")
        place = await self._place(addon)
        patience = work.LOCK_SECONDS if transfer.release is None else work.LOCK_SECONDS_OF_RELEASES
        counted = transfer.schedule is not None
        counts = await work.capture(place, file, say=at_work.say, counted=counted, lock_seconds=patience)
        return Result(0, file.stat().st_size, dict(counts) if counts is not None else None)

    async def _fill(self, addon: Addon, archive: Path, extensions: Sequence[str], at_work: UnderWay) -> Result:
        place = await self._place(addon)
        with archive.open("rb") as file:
            async with self._turn(addon.id):
                warnings = await work.restore(place, file, say=at_work.say, extensions=extensions)
            size = os.fstat(file.fileno()).st_size
        return Result(warnings, size)

    async def _prove(self, transfer: Transfer) -> None:
        """Restore a backup into a scratch database and compare what it holds."""
        said = UnderWay()
        counts: dict[str, int] = (transfer.proof or {})["counts"]
        try:
            async with self._slots.here():
                addon = await self._database.run(lambda session: session.get(Addon, transfer.addon_id or ""))
                if addon is None or addon.app is None:
                    return
                proof = await work.prove(await self._place(addon), self.path(transfer), counts, say=_log.debug)
            record = proof.record()
        except Unavailable as error:  # of the server, which says nothing of the backup: it is tried again
            _log.warning("backup %s can't be proved now: %s", transfer.id, error.what)
            return
        except (HomeportError, OSError) as error:
            what = error.what if isinstance(error, HomeportError) else str(error)
            record = {"proved": False, "message": f"test restore FAILED: {what}"}
        except Exception:
            _log.exception("backup %s could not be proved", transfer.id)
            record = {"proved": False, "message": "test restore FAILED: Homeport met an error of its own"}
        said.say(record["message"])
        if await self._database.run(transfer_records.proved, transfer.id, record, said.logs):
            self._tell(transfer.app_id, f"Backup {transfer_records.name(transfer)}: {record['message']}")

    def _tell_about(self, transfer: Transfer) -> None:
        result = "completed" if transfer.succeeded else f"FAILED: {transfer.logs[-1][1] if transfer.logs else ''}"
        self._tell(
            transfer.app_id, f"Scheduled backup {transfer_records.name(transfer)} of {transfer.from_name} {result}"
        )

    async def _place(self, addon: Addon) -> Place:
        return await self._postgres.place(await self._addons.resource(addon))

    async def _reachable(self, login: Login) -> Login:
        """Our own databases, and what anybody could reach. Raises `Invalid` (`address_not_public`)."""
        return login if self._postgres.is_here(login) else await downloads.reachable(login)

    @contextlib.asynccontextmanager
    async def _turn(self, addon_id: str) -> AsyncIterator[None]:
        """One at a time replaces a database."""
        async with self._turns.setdefault(addon_id, asyncio.Lock()):
            yield

    def _sweep(self, kept: set[str]) -> None:
        """Remove files that belong to no backup any more."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if path.stem not in kept and path.stem not in self.under_way and not downloads.is_young(path):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)
