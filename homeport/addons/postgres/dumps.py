"""pg_dump and pg_restore: run without rights, on a connection of their own, and heard out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from homeport.addons.accounts import Account
from homeport.addons.postgres.versions import Version
from homeport.errors import HomeportError, Invalid

Say = Callable[[str], None]

_IGNORED = re.compile(r"errors ignored on restore: (\d+)")
_EXTENSION_COMMENT = re.compile(r"^\d+; \d+ \d+ COMMENT - EXTENSION ")
_PUBLIC = re.compile(r"^\d+; \d+ \d+ (SCHEMA|COMMENT|ACL) - (SCHEMA )?public ")
_CHATTER = re.compile(
    r"pg_(dump|restore): (last built-in|(reading|identifying|finding|flagging|saving|entering|executing|starting"
    r"|finished|launching|processing item|creating|implied|connecting) )"
)
"""What the tools say of their own ways; what is left is about the data, and what went wrong."""
MAX_LINE = 2000


@dataclass(frozen=True)
class Login:
    """How a tool gets into a database. The password goes by the environment, which only its own account can see.

    `address` is where it connects to, if not to what `host` is resolved to then.
    """

    host: str
    port: int
    user: str
    password: str
    database: str
    sslmode: str = "require"
    address: str | None = None

    def environment(self) -> dict[str, str]:
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database,
            "PGSSLMODE": self.sslmode,
            "PGCONNECT_TIMEOUT": "15",
            "PGAPPNAME": "homeport",
            **({"PGHOSTADDR": self.address} if self.address else {}),
        }


class Dumps:
    """The tools of one version, run as an account without rights."""

    def __init__(self, version: Version, account: Account | None) -> None:
        self._version = version
        self._account = account

    async def dump(self, login: Login, into: BinaryIO, *, snapshot: str | None, lock_seconds: float, say: Say) -> None:
        """Write an archive of the database. Raises `HomeportError` (`dump_failed`), also when a table stays locked."""
        chosen = [f"--lock-wait-timeout={int(lock_seconds * 1000)}"]
        chosen += [f"--snapshot={snapshot}"] if snapshot else []
        command = (self._version.program("pg_dump"), "--format=custom", "--verbose", *chosen)
        code, last = await self._run(command, login.environment(), say=say, stdout=into)
        if code != 0:
            raise HomeportError("dump_failed", "The database could not be dumped.", why=last)

    async def check(self, archive: BinaryIO) -> list[str]:
        """The entries of an archive, having read all of it. Raises `Invalid` (`archive_damaged`)."""
        program = self._version.program("pg_restore")
        listed: list[str] = []
        archive.seek(0)
        code, last = await self._run((program, "--list"), {}, say=_nothing, stdin=archive, heard=listed)
        if code == 0:
            # Listing reads the table of contents only; turning it into SQL reads, and checks, every block.
            archive.seek(0)
            code, last = await self._run((program, "--file=/dev/null"), {}, say=_nothing, stdin=archive)
        if code != 0:
            raise Invalid(
                "That isn't a whole PostgreSQL archive, so nothing was changed.",
                id="archive_damaged",
                why=last,
                fix="Make it with `pg_dump --format=custom` of PostgreSQL "
                f"{self._version.major} or older, and see that all of it arrives.",
            )
        return listed

    async def restore(
        self, archive: BinaryIO, login: Login, *, entries: Sequence[str], say: Say, clean: bool = False
    ) -> int:
        """Fill the database; returns how many of its statements failed and were left out.

        `clean` drops what is to be restored first. Raises `HomeportError` (`restore_failed`) when it ended early.
        """
        with _list_file(entries, self._account) as chosen:
            archive.seek(0)
            options = ["--no-owner", "--no-acl", "--verbose", f"--use-list=/dev/fd/{chosen}"]
            options += ["--clean", "--if-exists"] if clean else []
            command = (self._version.program("pg_restore"), *options, f"--dbname={login.database}")
            code, last = await self._run(command, login.environment(), say=say, stdin=archive, pass_fds=(chosen,))
        ignored = _IGNORED.search(last)
        if code != 0 and ignored is None:
            raise HomeportError("restore_failed", "The archive could not be restored.", why=last)
        return int(ignored[1]) if ignored else 0

    async def _run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        say: Say,
        stdin: BinaryIO | None = None,
        stdout: BinaryIO | None = None,
        heard: list[str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> tuple[int, str]:
        """Exit code and the last lines of stderr. The tool ends with us, however we end."""
        account = self._account.as_command if self._account else ("setpriv", "--")
        process = await asyncio.create_subprocess_exec(
            *(account[0], "--pdeathsig=KILL", *account[1:], *command),
            stdin=stdin or asyncio.subprocess.DEVNULL,
            stdout=stdout or (asyncio.subprocess.PIPE if heard is not None else asyncio.subprocess.DEVNULL),
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", **environment},
            cwd="/",
            pass_fds=pass_fds,
            limit=1024 * 1024,
        )
        last: list[str] = []
        try:
            assert process.stderr is not None  # noqa: S101 - it was asked for
            listening = [_hear(process.stderr, say, last)]
            if heard is not None:
                assert process.stdout is not None  # noqa: S101
                listening.append(_hear(process.stdout, heard.append, []))
            await asyncio.gather(*listening)
            code = await process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.shield(process.wait())
            raise
        return code, "\n".join(last[-8:])


def restorable(entries: Sequence[str]) -> list[str]:
    """What of an archive's contents the owner of a database can bring back.

    Comments on extensions are their own already, and the schema `public` is there.
    """
    return [line for line in entries if not _EXTENSION_COMMENT.match(line) and not _PUBLIC.match(line)]


async def _hear(stream: asyncio.StreamReader, say: Say, last: list[str]) -> None:
    async for raw in _lines(stream):
        line = raw.decode(errors="replace").rstrip()[:MAX_LINE]
        if line:
            if not _CHATTER.match(line):
                say(line)
            last.append(line)
            del last[:-20]


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Lines, however long: one that has no end in sight comes in pieces."""
    while True:
        try:
            line = await stream.readuntil(b"\n")
        except asyncio.IncompleteReadError as rest:
            if rest.partial:
                yield rest.partial
            return
        except asyncio.LimitOverrunError as long:
            line = await stream.readexactly(long.consumed)
        yield line


@contextlib.contextmanager
def _list_file(entries: Sequence[str], account: Account | None) -> Iterator[int]:
    """A descriptor of a file with these lines, which has no name and is gone when it is closed."""
    with tempfile.TemporaryFile() as file:
        file.write("".join(f"{entry}\n" for entry in entries).encode())
        file.flush()
        file.seek(0)
        if account is not None:
            os.fchmod(file.fileno(), 0o644)
        yield file.fileno()


def _nothing(_line: str) -> None:
    return
