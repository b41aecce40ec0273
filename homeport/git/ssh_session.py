"""One command over SSH: `git-receive-pack 'APP.git'` or `git-upload-pack 'APP.git'`.

A push goes the way that one over HTTP goes: what refs there are is said first, what the client wants of them is read,
then it waits for its turn, and only then git takes the pack, with the same hook behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import shlex
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

import asyncssh

from homeport.errors import HomeportError
from homeport.git.commands import message, read_head
from homeport.git.receive import Push, Receiver
from homeport.git.repositories import Objects, Repositories, environment
from homeport.git.smart_http import MAX_PUSH_BYTES, Caller
from homeport.git.ssh import KEY, Keyring
from homeport.git.turns import WAITING, Turns, catch_up

_PATH = re.compile(r"/?(?P<app>[^/]+?)(?:\.git)?/?")
_PROTOCOL = re.compile(r"version=[0-2]")
_CHUNK = 64 * 1024
_FLUSH = b"0000"
_MOST_HEAD_BYTES = 4 * 1024 * 1024
HEAD_SECONDS = 600
"""Between saying what refs there are and hearing what shall become of them: the client may ask its user meanwhile."""
UPLOAD_PACK_SECONDS = 600
STOPPING_SECONDS = 5

NO_SHELL = """\
 !     You are logged in, but there is no shell here: this is for git only.
 !     To run a command in a dyno of your app: heroku run bash --app APP
"""

Client = asyncssh.SSHServerProcess[bytes]


@dataclass(frozen=True)
class Wish:
    """What somebody wants of an app's repository."""

    app: str
    writes: bool


def wish(command: str | None) -> Wish | None:
    """The wish that a command stands for; None for everything else that one can want of an SSH server."""
    try:
        words = shlex.split(command or "")
    except ValueError:
        return None
    if words[:1] == ["git"]:
        words = [f"git-{words[1]}", *words[2:]] if len(words) > 1 else []
    if len(words) != 2 or words[0] not in ("git-receive-pack", "git-upload-pack"):
        return None
    path = _PATH.fullmatch(words[1])
    return Wish(path["app"], words[0] == "git-receive-pack") if path else None


class GitOverSsh:
    """The `serve` of `ssh.serving`."""

    def __init__(
        self,
        repositories: Repositories,
        receiver: Receiver,
        keyring: Keyring,
        turns: Turns,
        max_push_bytes: int = MAX_PUSH_BYTES,
    ) -> None:
        self._repositories = repositories
        self._receiver = receiver
        self._keyring = keyring
        self._turns = turns
        self._max_push_bytes = max_push_bytes

    async def __call__(self, client: Client) -> None:
        wanted = wish(client.command) if client.subsystem is None else None
        if wanted is None:
            client.stderr.write(NO_SHELL.encode())
            client.exit(1)
            return
        try:
            caller = await self._keyring.admit(client.get_extra_info(KEY), wanted.app, writes=wanted.writes)
            objects = await self._repositories.open(caller.app_id)
        except HomeportError as error:
            lines = (*error.message.splitlines(), "", f"Error ID: {error.id}")
            client.stderr.write("".join(f" !     {line}".rstrip() + "\n" for line in lines).encode())
            client.exit(1)
            return
        client.exit(await (self._receive(client, caller, objects) if wanted.writes else _upload(client, objects)))

    async def _receive(self, client: Client, caller: Caller, objects: Objects) -> int:
        await _advertise(client, objects)
        raw = await _read_head(client.stdin)
        if not raw:
            return 0  # there was nothing to push
        body = io.BytesIO(raw)
        head = read_head(body)
        turn = self._turns.of(caller.app_id)
        if turn.locked() and head.shows_messages:
            client.stdout.write(message(WAITING))
        async with turn:
            push = Push(caller.app_id, caller.user_id, objects=objects)
            push = replace(push, moved=await catch_up(objects, head, body))
            with self._receiver.announced(push) as extra:
                limit = f"receive.maxInputSize={self._max_push_bytes}"
                command = ("-c", limit, "receive-pack", "--stateless-rpc", str(objects.directory))
                return await _converse(client, command, extra, body.getvalue())


async def _advertise(client: Client, objects: Objects) -> None:
    async with _git("receive-pack", "--stateless-rpc", "--advertise-refs", str(objects.directory)) as git:
        assert git.stdout is not None  # noqa: S101 - it is a PIPE
        while chunk := await git.stdout.read(_CHUNK):
            client.stdout.write(chunk)
            await client.stdout.drain()
        await git.wait()


async def _read_head(stdin: asyncssh.SSHReader[bytes]) -> bytes:
    """The pkt-lines up to and with the flush that ends them; nothing when the client has nothing to say."""
    head = bytearray()
    with contextlib.suppress(TimeoutError, asyncio.IncompleteReadError, ValueError):
        async with asyncio.timeout(HEAD_SECONDS):
            while len(head) < _MOST_HEAD_BYTES:
                size = await stdin.readexactly(4)
                head += size
                if size == _FLUSH:
                    return bytes(head) if len(head) > len(_FLUSH) else b""
                head += await stdin.readexactly(int(size, 16) - 4)
    return b""


async def _upload(client: Client, objects: Objects) -> int:
    asked = client.env.get("GIT_PROTOCOL", "")
    protocol = asked.decode(errors="replace") if isinstance(asked, bytes) else str(asked)
    extra = {"GIT_PROTOCOL": protocol} if _PROTOCOL.fullmatch(protocol) else {}
    command = ("upload-pack", "--strict", f"--timeout={UPLOAD_PACK_SECONDS}", str(objects.directory))
    return await _converse(client, command, extra, b"")


async def _converse(client: Client, command: tuple[str, ...], extra: Mapping[str, str], first: bytes) -> int:
    """git's part of the conversation, to its end even if the client goes: a build is not ended by ^C, as on Heroku."""
    async with _git(*command, extra=extra) as git:
        listening = asyncio.create_task(_listen(client, git, first))
        try:
            await _speak(client, git)
            return await git.wait()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _listen(client: Client, git: asyncio.subprocess.Process, first: bytes) -> None:
    assert git.stdin is not None  # noqa: S101 - it is a PIPE
    with contextlib.suppress(asyncssh.Error, OSError):  # the client is gone, or git has heard enough
        git.stdin.write(first)
        await git.stdin.drain()
        while chunk := await client.stdin.read(_CHUNK):
            git.stdin.write(chunk)
            await git.stdin.drain()
    git.stdin.close()


async def _speak(client: Client, git: asyncio.subprocess.Process) -> None:
    assert git.stdout is not None  # noqa: S101 - it is a PIPE
    heard = True
    while chunk := await git.stdout.read(_CHUNK):
        if heard:
            try:
                client.stdout.write(chunk)
                await client.stdout.drain()
            except (asyncssh.Error, OSError):
                heard = False


@contextlib.asynccontextmanager
async def _git(*command: str, extra: Mapping[str, str] | None = None) -> AsyncIterator[asyncio.subprocess.Process]:
    """A git that is ended with the block."""
    git = await asyncio.create_subprocess_exec(
        "git", *command, env=environment(extra),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield git
    finally:
        if git.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                git.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOPPING_SECONDS):
                    await git.wait()
        if git.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                git.kill()
            await git.wait()
