"""All data of a server as one file, and back again."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from homeport.addons import servers
from homeport.addons.accounts import Account
from homeport.addons.provider import damaged_backup
from homeport.addons.redis.configuration import fingerprint, scratch_conf
from homeport.addons.redis.instance import Instance
from homeport.addons.redis.wire import Connection, Refused
from homeport.addons.servers import Servers
from homeport.errors import HomeportError

DUMP = "dump.rdb"
MAGIC = b"REDIS"
LOOK_SECONDS = 0.02


async def save(instance: Instance, into: Path) -> None:
    """Write a dump as of one moment to the file `into`. The server goes on meanwhile.

    Raises `HomeportError` (`backup_failed`), and OSError when there is no room at `into`.
    """
    async with instance.saving:
        await _save(instance)
        await asyncio.to_thread(instance.bring, DUMP, into)


async def _save(instance: Instance) -> None:
    async with instance.connect() as connection:
        await _begin_save(connection)
        await _until(connection, lambda info: info["rdb_bgsave_in_progress"] == "0")
        if (await connection.info("persistence"))["rdb_last_bgsave_status"] != "ok":
            raise HomeportError(
                "backup_failed",
                "Redis could not write its data down.",
                why=instance.last_words,
                fix="Is the disk full, or memory short? Then try again.",
            )


async def load(instance: Instance, scratch: Instance, dump: Path) -> None:
    """Replace the data of `instance`, and leave it down. `scratch` reads the dump first: all of it, or nothing happens.

    Raises `Invalid` if the dump is damaged.
    """
    async with instance.turn:
        await scratch.remove()
        try:
            await _read(scratch, dump)
            await instance.stop()
            await asyncio.to_thread(instance.exchange, scratch.data)
        finally:
            await scratch.remove()


async def examine(keeper: Servers, account: Account | None, dump: Path) -> None:
    """Read a dump to its end. Raises `Invalid` if it is damaged.

    Apps shape what is in it, so the program that reads it may do nothing else: it has the account of servers, and a
    copy of its own.
    """
    with tempfile.TemporaryDirectory(dir=dump.parent, prefix="examined-") as made:
        folder = Path(made)
        servers.own(folder, account)
        try:
            await asyncio.to_thread(servers.hand, dump, folder / DUMP, account)
        except FileNotFoundError:
            raise damaged_backup(f"It has no {dump.name}.") from None
        checker = servers.program("redis-check-rdb", "redis-tools")
        done = await keeper.tool(checker, f"{servers.seen(folder, account)}/{DUMP}", folder=folder, account=account)
    if done.code != 0:
        raise damaged_backup(done.output.strip()[-300:])


async def _read(scratch: Instance, dump: Path) -> None:
    """Have a server that nobody else knows read the dump and write it down in the form that servers start from."""
    try:
        with dump.open("rb") as file:
            beginning = file.read(len(MAGIC))
    except FileNotFoundError:
        raise damaged_backup(f"It has no {dump.name}.") from None
    if beginning != MAGIC:
        raise damaged_backup("It does not begin as a dump of Redis does.")
    scratch.prepare()
    await asyncio.to_thread(scratch.take, dump, DUMP)
    scratch.configure(scratch_conf(fingerprint(scratch.password)))
    try:
        await scratch.start()
    except HomeportError as error:
        if error.id != "server_not_started":
            raise
        raise damaged_backup(_complaint(scratch.last_words)) from None
    async with scratch.connect() as connection:
        await connection.ask("CONFIG", "SET", "appendonly", "yes")
        await _until(connection, lambda info: info["aof_rewrite_in_progress"] == info["aof_rewrite_scheduled"] == "0")
        if (await connection.info("persistence"))["aof_last_bgrewrite_status"] != "ok":
            raise HomeportError("restore_failed", "Redis could not write the data down.", why=scratch.last_words)
    await scratch.stop()
    (scratch.data / DUMP).unlink(missing_ok=True)


async def _begin_save(connection: Connection) -> None:
    while True:
        try:
            await connection.ask("BGSAVE")
        except Refused as refusal:  # it saves, or rewrites its file, already
            if "in progress" not in str(refusal) and "scheduled" not in str(refusal):
                raise HomeportError(
                    "backup_failed", "Redis refused to write its data down.", why=str(refusal)
                ) from None
        else:
            return
        await asyncio.sleep(LOOK_SECONDS)


async def _until(connection: Connection, is_done: Callable[[dict[str, str]], bool]) -> None:
    while True:
        if is_done(await connection.info("persistence")):
            return
        await asyncio.sleep(LOOK_SECONDS)


def _complaint(words: str) -> str:
    """What is said of the dump among a server's last words."""
    said = [line for line in words.splitlines() if "RDB" in line or "rdb" in line or "Short read" in line]
    return "\n".join(said[-3:]) or words[-300:]
