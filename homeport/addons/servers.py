"""Keeping servers running: started apart from this process, found again by the next one, stopped when told.

A server that runs as another account could not walk down to a folder below a private `$HOMEPORT_HOME`, and need not:
root opens the folder and hands it down as an open descriptor, and `/proc/self/fd/9` is the server's name for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import socket
import stat
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from homeport.addons.accounts import Account
from homeport.errors import HomeportError
from homeport.home import write_whole

HANDED_DOWN = "/proc/self/fd/9"
STOP_SECONDS = 30.0
KILL_SECONDS = 10.0
START_SECONDS = 10.0
COPY_BYTES = 1024**2
MAX_LOG_BYTES = 10 * 1024**2

# The pid file is written by what becomes the server, before it becomes it: there is no server that nobody knows of.
_BECOME = """
umask 077
read -r boot </proc/sys/kernel/random/boot_id
read -r stat </proc/$$/stat
printf '%s\\n%s\\n' "$boot" "$stat" >"$1" || exit 1
exec 9<"$2"
shift 2
cd /
exec "$@"
"""


@dataclass(frozen=True)
class Server:
    """A program to keep running on a folder of its own.

    `command` names the folder by `Server.seen`; nothing in it may be secret, for everybody sees it. `stop_signal` is
    what makes it write down everything and end.
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    account: Account | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True)
class Done:
    """How a tool ended, and all that it said."""

    code: int
    output: str


def seen(folder: Path, account: Account | None) -> str:
    """What a server that runs as this account has to call its folder."""
    return str(folder) if account is None else HANDED_DOWN


def program(name: str, package: str, *, folders: Sequence[Path] = ()) -> str:
    """The program's path. Raises `HomeportError` (`program_missing`) that names the package it comes in."""
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise HomeportError(
            "program_missing",
            f"{name} is not installed.",
            why="This add-on is a real server, and that is its program.",
            fix=f"Run `make setup` in the checkout, or `sudo apt-get install {package}`.",
        )
    return found


def own(folder: Path, account: Account | None) -> None:
    """Make the folder, private to the account. What lies in it is left as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)


def share(folder: Path, account: Account | None) -> None:
    """Make the folder: the account may read what lies in it, and change nothing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account is not None:
        os.chown(folder, 0, account.gid)
        folder.chmod(0o750)


def give(path: Path, content: str, account: Account | None) -> None:
    """Write a file, in one step, that the account may read and nobody else but us."""
    if account is None:
        write_whole(path, content)
    else:
        write_whole(path, content, mode=0o640, group=account.gid)


def hand(source: Path, target: Path, account: Account | None) -> None:
    """Copy a file into a folder of the account's, which may have put something there that leads elsewhere."""
    target.unlink(missing_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as written, source.open("rb") as read:
        shutil.copyfileobj(read, written, COPY_BYTES)
        if account is not None:
            os.fchown(descriptor, account.uid, account.gid)


def collect(source: Path, target: Path, account: Account | None) -> None:
    """Copy a file that the account has written, and nothing that it can only name, out of its folder.

    Raises OSError for a link, and for a file that is not its own.
    """
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as read:
        facts = os.fstat(descriptor)
        own = os.geteuid() if account is None else account.uid
        if not stat.S_ISREG(facts.st_mode) or facts.st_uid != own:
            raise PermissionError(errno.EPERM, "not a file of the server's own", os.fspath(source))
        private = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(private, "wb") as written:
            shutil.copyfileobj(read, written, COPY_BYTES)


def free_port(first: int, address: str = "127.0.0.1") -> int:
    """The first port from `first` on that nobody listens on. Below the range that outgoing connections are given."""
    for port in range(first, 32768):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
            return port
    raise HomeportError("no_free_port", f"No port from {first} to 32767 is free on {address}.")


async def each(*work: Awaitable[object]) -> None:
    """Do all of it at once and to its end, whatever fails of it; then raise the first failure."""
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


class Servers:
    """All servers of this platform. `run` holds their pid files, `logs` what they say."""

    def __init__(self, run: Path, logs: Path) -> None:
        self._run = run
        self._logs = logs
        self._turns: dict[str, asyncio.Lock] = {}

    def pid(self, name: str) -> int | None:
        """The process id of the running server of that name."""
        return _living(self._pid_file(name))

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    async def start(self, server: Server) -> bool:
        """Start it unless it runs; True if it was started now. That it listens is for the caller to find out.

        Raises `HomeportError` (`server_not_started`).
        """
        async with self._turns.setdefault(server.name, asyncio.Lock()):
            if self.pid(server.name) is not None:
                return False
            self._run.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
            pid_file = self._pid_file(server.name)
            pid_file.unlink(missing_ok=True)
            self.trim_log(server.name)
            with self.log(server.name).open("ab") as log:
                # `setsid --fork` ends at once: the server is nobody's child, and no signal of ours reaches it.
                process = await asyncio.create_subprocess_exec(
                    *("setsid", "--fork", "sh", "-c", _BECOME, "sh"),
                    *(str(pid_file), str(server.folder), *_as(server.account), *server.command),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=_environment(server.environment),
                )
                await process.wait()
            await self._until_known(server)
            return True

    async def until_answers(self, server: Server, path: Path, title: str, *, seconds: float) -> None:
        """Wait until somebody listens on this unix socket. Raises `HomeportError` (`server_not_started`)."""
        deadline = time.monotonic() + seconds
        while not _answers(path):
            if self.pid(server.name) is None or time.monotonic() > deadline:
                raise HomeportError(
                    "server_not_started",
                    f"The {title} could not be started.",
                    why=self.last_words(server.name),
                    fix=f"Its log is {self.log(server.name)}.",
                )
            await asyncio.sleep(0.005)

    async def stop(self, server: Server, *, seconds: float = STOP_SECONDS) -> None:
        """Have it end in good order; quiet if it doesn't run. One that is too slow is killed.

        Raises `HomeportError` (`server_not_stopped`) for one that even outlives that, held up by a disk say. It stays
        known: a second server beside it would write into the same files.
        """
        async with self._turns.setdefault(server.name, asyncio.Lock()):
            for number, patience in ((server.stop_signal, seconds), (signal.SIGKILL, KILL_SECONDS)):
                if not self.signal(server, number) or await self._gone(server.name, patience):
                    self._pid_file(server.name).unlink(missing_ok=True)
                    return
            raise HomeportError(
                "server_not_stopped",
                f"{server.name} could not be stopped: its process {self.pid(server.name)} does not end.",
                why="It was killed; a process that outlives that waits for the system, for a disk say.",
                fix="Look at the disk (`dmesg`), then try again. If it goes on, the machine has to be started anew.",
            )

    def signal(self, server: Server, number: signal.Signals) -> bool:
        """Send a signal; False if the server doesn't run."""
        pid = self.pid(server.name)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    async def tool(
        self,
        *command: str,
        folder: Path,
        account: Account | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Done:
        """Run a program to its end as a server would run: on this folder, as this account."""
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", 'exec 9<"$1"; shift; cd /; exec "$@"', "sh", str(folder), *_as(account), *command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=_environment(environment or {}),
        )
        try:
            output, _ = await process.communicate()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        return Done(process.returncode or 0, output.decode(errors="replace"))

    def trim_log(self, name: str) -> None:
        """Begin a new log file when the old one is long; the server has it open for appending and follows."""
        log = self.log(name)
        with contextlib.suppress(OSError):
            if log.stat().st_size > MAX_LOG_BYTES:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)

    def last_words(self, name: str, size: int = 1500) -> str:
        """The end of what the server has said."""
        try:
            with self.log(name).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - size))
                return file.read().decode(errors="replace").strip()
        except OSError:
            return ""

    async def _until_known(self, server: Server) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _is_written(self._pid_file(server.name)):
            if time.monotonic() > deadline:
                raise HomeportError(
                    "server_not_started",
                    f"{server.name} could not be started.",
                    why=self.last_words(server.name) or "It said nothing.",
                )
            await asyncio.sleep(0.002)

    async def _gone(self, name: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid(name) is not None:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.02)
        return True

    def _pid_file(self, name: str) -> Path:
        return self._run / f"{name}.pid"


def _as(account: Account | None) -> tuple[str, ...]:
    return account.as_command if account is not None else ()


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """Nothing of Homeport's own environment, which holds tokens."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **own}


def _answers(path: Path) -> bool:
    """Whether somebody listens there. The path may be longer than a socket's address can be."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1.0)
            probe.connect(f"/proc/self/fd/{folder}/{path.name}")
            return True
    except OSError:
        return False
    finally:
        os.close(folder)


def _is_written(pid_file: Path) -> bool:
    try:
        return pid_file.read_text().count("\n") == 2
    except OSError:
        return False


def _living(pid_file: Path) -> int | None:
    """The process that wrote this pid file, if it is still the same one (pids come round again) and alive."""
    try:
        boot, stat = pid_file.read_text().splitlines()[:2]
        pid = int(stat.split(" ", 1)[0])
        now = Path(f"/proc/{pid}/stat").read_text()
        if boot != Path("/proc/sys/kernel/random/boot_id").read_text().strip():
            return None
    except (OSError, ValueError, IndexError):
        return None
    then_fields, now_fields = _after_name(stat), _after_name(now)
    if len(then_fields) < 20 or then_fields[19] != now_fields[19] or _has_ended(now_fields):
        return None
    return pid


def _has_ended(fields: list[str]) -> bool:
    """A process whose first thread has ended has its ports and files for as long as another thread has not."""
    state, threads = fields[0], int(fields[17])
    return state in ("Z", "X") and threads <= 1


def _after_name(stat: str) -> list[str]:
    """The fields of /proc/PID/stat from the third on: the name before them may hold anything."""
    return stat.rpartition(") ")[2].split()
