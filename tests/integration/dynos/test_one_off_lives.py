"""`heroku run`, `run:detached`, the release phase: real processes, a client that speaks as the official one does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from homeport import dynos, releases
from homeport.daemon import doors
from homeport.dynos import rendezvous
from homeport.dynos.plan import Rules
from homeport.state import App, Dyno, Release
from tests.integration.dynos.ground import Ground, ground

SUFFIX = ' ; echo "\uffff heroku-command-exit-status: $?"'
STATUS = re.compile("\uffff heroku-command-exit-status: (\\d+)")
WORKER = {"worker": "sleep 100"}


class Client:
    """The official CLI's end, after the proxy has taken TLS off. It keeps chunks as they came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.chunks: list[bytes] = []

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def chunk(self) -> bytes:
        try:
            data = await asyncio.wait_for(self.reader.read(65536), 10)
        except TimeoutError:
            raise AssertionError(f"nothing came after {self.chunks[-10:]!r}") from None
        if data:
            self.chunks.append(data)
        return data

    async def until(self, text: str) -> str:
        while text not in self.text:
            assert await self.chunk(), f"closed before {text!r}: {self.text!r}"
        return self.text

    async def rest(self) -> str:
        """All that is printed, once the server has closed."""
        while await self.chunk():
            pass
        return self.text

    @property
    def text(self) -> str:
        """As the CLI shows it: without the first chunk, every chunk decoded by itself."""
        return "".join(chunk.decode() for chunk in self.chunks[1:])

    @property
    def status(self) -> int | None:
        """As `run -x` finds it: inside one chunk."""
        for chunk in self.chunks[1:]:
            if found := STATUS.search(chunk.decode()):
                return int(found[1])
        return None

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def door(g: Ground) -> AsyncIterator[Path]:
    path = g.folder / "r.sock"
    async with doors.streams(dynos.Rendezvous(g.fleet).serve, path):
        yield path


@contextlib.asynccontextmanager
async def run(
    g: Ground, app: App, command: str, *, no_tty: bool = False, env: Mapping[str, str] | None = None, end: str = "\r\n"
) -> AsyncIterator[tuple[Client, Dyno]]:
    dyno, secret = await g.fleet.run_dyno(
        app.id, by="ada@example.com", command=command, env=env or {}, attach=True, force_no_tty=no_tty
    )
    assert secret is not None
    async with door(g) as path:
        client = Client(*await asyncio.open_unix_connection(path))
        await client.say(f"{secret}{end}".encode())
        try:
            yield client, dyno
        finally:
            await client.close()


async def deployed(g: Ground, process_types: Mapping[str, str] = WORKER) -> App:
    app = await g.app()
    await g.release(app, process_types, {"hello.txt": "hello from the slug"})
    return app


def test_an_attached_command_has_a_terminal_and_ends_with_its_connection(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            env = {"TERM": "xterm-256color", "COLUMNS": "133", "LINES": "44"}
            command = "tty; stty size; echo $TERM; cat hello.txt; echo; echo $DYNO"
            async with run(g, app, command, env=env) as (client, dyno):
                text = await client.rest()
            assert client.chunks[0] == b"rendezvous\r\n"
            lines = text.split("\r\n")
            assert lines[0].startswith("/dev/pts/")
            assert lines[1:] == ["44 133", "xterm-256color", "hello from the slug", dyno.name, ""]
            await g.until_ps(app)
            assert [line for line in g.lines(app) if dyno.name in line] == [
                f"heroku[{dyno.name}]: Awaiting client",
                f"heroku[{dyno.name}]: Starting process with command `{command}`",
                f"heroku[{dyno.name}]: State changed from starting to up",
                f"heroku[{dyno.name}]: Process exited with status 0",
                f"heroku[{dyno.name}]: State changed from up to complete",
            ]

    asyncio.run(story())


def test_a_conversation(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            async with run(g, app, "PS1='$ ' bash --norc") as (client, dyno):
                await client.until("$ ")
                assert await g.ps(app) == {dyno.name: "up"}
                await client.say(b"echo $((6*7))\r")
                await client.until("42\r\n")
                await client.say(b"sh -c 'echo go''ing; exec sleep 100'\r")
                await client.until("going\r\n")
                await client.say(b"\x03")  # Ctrl-C travels as a character
                await client.until("^C")
                await client.say("echo é😀\r".encode())
                await client.until("\ré😀\r\n")
                await client.say(b"exit 0\r")
                await client.rest()
            await g.until_alone(0)

    asyncio.run(story())


@pytest.mark.parametrize("no_tty", [False, True])
@pytest.mark.parametrize(("command", "status"), [("true", 0), ("false", 1), ("exit 3", 3), ("kill -9 $$", 137)])
def test_the_exit_status_comes_in_one_chunk_also_when_the_shell_could_not_say_it(
    tmp_path: Path, ports: range, command: str, status: int, no_tty: bool
) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            async with run(g, app, command + SUFFIX, no_tty=no_tty) as (client, _):
                await client.rest()
            assert client.status == status
            assert len(STATUS.findall(client.text)) == 1

    asyncio.run(story())


@pytest.mark.parametrize("no_tty", [False, True])
def test_who_is_connected_is_told_that_the_platform_is_being_stopped(
    tmp_path: Path, ports: range, no_tty: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            _, secret = await g.fleet.run_dyno(
                app.id, by="ada@example.com", command=f"echo here; sleep 100 {SUFFIX}", attach=True, force_no_tty=no_tty
            )
            async with door(g) as path:
                client = Client(*await asyncio.open_unix_connection(path))
                await client.say(f"{secret}\r\n".encode())
                await client.until("here")
            assert "Homeport is being stopped, and this dyno with it." in await client.rest()
            assert client.status == 129
            await client.close()
            await g.until_ps(app)

    with caplog.at_level(logging.WARNING):
        asyncio.run(story())
    assert not caplog.records, "asyncio writes a traceback of a connection's task that is cancelled"


def test_no_status_is_added_for_who_did_not_ask(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            async with run(g, app, "echo hi; exit 3") as (client, _):
                assert await client.rest() == "hi\r\n"

    asyncio.run(story())


def test_much_output_is_whole_and_every_chunk_decodes_by_itself(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            script = "python3 -c 'import sys; sys.stdout.write(\"é€😀\\n\" * 30000)'"
            async with run(g, app, script + SUFFIX, no_tty=True) as (client, _):
                await client.rest()
            assert client.text.count("é€😀\n") == 30_000
            assert client.status == 0

    asyncio.run(story())


@pytest.mark.parametrize("chunks", [[b"one\ntwo\n\x04"], [b"one\n", b"two\n", b"\x04"]])
def test_without_a_terminal_a_final_eot_ends_the_input(tmp_path: Path, ports: range, chunks: list[bytes]) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            async with run(g, app, "wc -l; tty", no_tty=True) as (client, _):
                for chunk in chunks:
                    await client.say(chunk)
                    await asyncio.sleep(0.02)
                assert await client.rest() == "2\nnot a tty\n"

    asyncio.run(story())


def test_without_a_terminal_an_eot_among_others_is_a_byte(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            async with run(g, app, "od -An -tx1", no_tty=True) as (client, _):
                await client.say(b"a\x04")
                await client.say(b"b\x04\x04")
                assert (await client.rest()).split() == ["61", "04", "62", "04"]

    asyncio.run(story())


def test_with_a_terminal_eot_ends_the_input_as_a_person_would(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            async with run(g, app, "cat") as (client, _):
                await client.say(b"line\n\x04")
                assert "line\r\nline\r\n" in await client.rest()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("command", "script", "expected"),
    [
        ("cat", b"one\nno newline at the end", "no newline at the end"),
        # It does not read lines when it is ready, but characters: what was typed before counts for less.
        ("sleep 0.3; python3 -q", b"print(6 * 7)\n", "42\r\n"),
    ],
)
def test_with_a_terminal_a_file_ends_too(
    tmp_path: Path, ports: range, command: str, script: bytes, expected: str
) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            async with run(g, app, command) as (client, _):
                await client.say(script)
                await client.say(b"\x04")
                assert expected in await client.rest()

    asyncio.run(story())


def test_what_a_person_types_is_never_repeated(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            command = "stty raw -echo; echo ready; timeout --foreground 2 cat | od -An -tx1"
            async with run(g, app, command) as (client, _):
                await client.until("ready")
                await client.say(b"a\r\x04")
                assert (await client.rest()).partition("ready")[2].split() == ["61", "0d", "04"]

    asyncio.run(story())


def test_a_client_that_sends_the_bare_secret(tmp_path: Path, ports: range) -> None:
    """heroku3 does."""

    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            async with run(g, app, "echo hi", end="") as (client, _):
                assert await client.rest() == "hi\r\n"

    asyncio.run(story())


def test_what_follows_the_secret_is_input(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            async with run(g, app, "cat", no_tty=True, end="?a=b\r\nfirst\n\x04") as (client, _):
                assert await client.rest() == "first\n"

    asyncio.run(story())


def test_a_client_that_goes_away_hangs_up_its_command(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            async with run(g, app, "trap exit HUP; echo ready; while :; do sleep 0.05; done") as (client, _):
                await client.until("ready")
            await g.until_ps(app, within=1.0)
            await g.until_alone(0)

    asyncio.run(story())


def test_a_command_that_ignores_its_clients_leaving_is_ended_all_the_same(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports, grace=0.3) as g:
            app = await deployed(g)
            async with run(g, app, "trap '' HUP TERM; echo ready; while :; do sleep 0.05; done") as (client, dyno):
                await client.until("ready")
            await g.until_ps(app)
            await g.until_alone(0)
            await g.until_said(app, f"heroku[{dyno.name}]: Client connection closed. Sending SIGHUP to all processes")

    asyncio.run(story())


def test_a_secret_opens_once_and_a_wrong_one_never(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            dyno, secret = await g.fleet.run_dyno(app.id, by="a@b.c", command="sleep 100", attach=True)
            assert secret is not None
            async with door(g) as path:
                for wrong in (b"x" * 43, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + b"x" * 50, b"\xff" * 100):
                    client = Client(*await asyncio.open_unix_connection(path))
                    await client.say(wrong + b"\r\n")
                    assert await client.chunk() == b""
                    await client.close()
                first = Client(*await asyncio.open_unix_connection(path))
                await first.say(secret.encode() + b"\r\n")
                assert await first.chunk() == rendezvous.GREETING
                second = Client(*await asyncio.open_unix_connection(path))
                await second.say(secret.encode() + b"\r\n")
                assert await second.chunk() == b""
                await g.until_up(app, dyno.name)
                await g.fleet.stop(app.id, dyno=dyno.name)
                assert await first.rest() == ""
                await first.close()
                await second.close()
            await g.until_ps(app)

    asyncio.run(story())


def test_a_client_that_never_comes_is_not_waited_for(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports, rules=Rules(await_client=timedelta(seconds=0.3))) as g:
            app = await deployed(g)
            dyno, secret = await g.fleet.run_dyno(app.id, by="a@b.c", command="echo hi > /tmp/x", attach=True)
            await g.until_said(app, f"heroku[{dyno.name}]: Error R13 (Attach error) -> Failed to attach to process")
            await g.until_ps(app)
            assert not any(
                "Starting process with command `echo hi > /tmp/x`" in line and dyno.name in line
                for line in g.lines(app)
            ), "it never ran"
            async with door(g) as path:
                client = Client(*await asyncio.open_unix_connection(path))
                await client.say(f"{secret}\r\n".encode())
                assert await client.chunk() == b""
                await client.close()

    asyncio.run(story())


def test_a_silent_client_does_not_hold_the_door(tmp_path: Path, ports: range, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendezvous, "HELLO_WITHIN", 0.1)

    async def story() -> None:
        async with ground(tmp_path, ports) as g, door(g) as path:
            client = Client(*await asyncio.open_unix_connection(path))
            assert await client.chunk() == b""
            await client.close()

    asyncio.run(story())


def test_an_attached_command_does_not_outlive_the_daemon(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports, grace=0.5) as g:
            app = await deployed(g)
            async with run(g, app, "echo ready; sleep 100") as (client, _):
                await client.until("ready")
                await g.reopen()
            await g.until_ps(app)
            await g.until_alone(0)

    asyncio.run(story())


def test_a_detached_command_writes_to_the_log_and_is_gone(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g, {"worker": "sleep 100", "job": "echo job"})
            dyno, secret = await g.fleet.run_dyno(app.id, by="ada@example.com", command="job one two")
            assert secret is None
            await g.until_said(app, f"heroku[{dyno.name}]: State changed from up to complete")
            assert f"app[{dyno.name}]: job one two" in g.lines(app)
            assert "app[api]: Starting process with command `job one two` by user ada@example.com" in g.lines(app)
            await g.until_ps(app)
            await g.until_alone(0)

    asyncio.run(story())


def test_a_detached_command_can_be_stopped(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            dyno, _ = await g.fleet.run_dyno(app.id, by="a@b.c", command="sleep 100")
            await g.until_up(app, dyno.name)
            await g.fleet.stop(app.id, dyno=dyno.name)
            await g.until_ps(app)
            await g.until_alone(0)

    asyncio.run(story())


async def pending(g: Ground, app: App, command: str) -> Release:
    return await g.release(app, {"release": command}, pending=True)


@pytest.mark.parametrize("code", [0, 4])
def test_the_release_phase_gives_its_output_and_its_exit_code(tmp_path: Path, ports: range, code: int) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            release = await pending(g, app, f"for n in $(seq 300); do echo migration $n; done; exit {code}")
            said: list[str] = []
            assert await g.fleet.release_phase(release.id, said.append) == code
            assert said == [f"migration {n}" for n in range(1, 301)]
            await g.until_ps(app)
            assert f"Process exited with status {code}" in [line.partition(": ")[2] for line in g.lines(app)]
            assert sum("app[release." in line for line in g.lines(app)) == 300

    asyncio.run(story())


def test_without_a_release_process_there_is_nothing_to_do(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            release = await g.release(app, WORKER, pending=True)
            assert await g.fleet.release_phase(release.id, lambda _line: None) == 0
            assert await g.ps(app) == {}

    asyncio.run(story())


def test_a_release_phase_has_its_limit(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports, release_phase=0.3) as g:
            app = await g.app()
            release = await pending(g, app, "sleep 100")
            said: list[str] = []
            assert await g.fleet.release_phase(release.id, said.append) == 124
            assert "did not end within" in said[-1]
            await g.until_ps(app)
            await g.until_alone(0)

    asyncio.run(story())


def test_a_release_phase_nobody_waits_for_any_more_is_ended(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            release = await pending(g, app, "echo begun; sleep 100")
            phase = asyncio.create_task(g.fleet.release_phase(release.id, lambda _line: None))
            await g.until_said(app, "begun")
            phase.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await phase
            await g.until_ps(app)
            await g.until_alone(0)

    asyncio.run(story())


def test_a_release_phase_does_not_outlive_the_daemon_and_it_is_said(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            release = await pending(g, app, "echo begun; sleep 100")
            phase = asyncio.create_task(g.fleet.release_phase(release.id, lambda _line: None))
            await g.until_said(app, "begun")
            await _die(g)
            phase.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await phase
            g.open()
            await g.database.run(releases.fail, release)
            await g.until_said(app, "Interrupted: Homeport was restarted while the release phase ran")
            await g.until_ps(app)
            await g.until_alone(0)

    asyncio.run(story())


async def _die(g: Ground) -> None:
    """Without a word: nothing that the release phase would do at its end gets done."""
    g.running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await g.running
    await g.engine.close()
    g.logs.close()
    await g.database.close()


def test_starting_is_quick_and_an_interactive_answer_too(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await deployed(g)
            began = time.monotonic()
            async with run(g, app, "PS1='$ ' bash --norc") as (client, _):
                await client.until("$ ")
                started = time.monotonic() - began
                began = time.monotonic()
                await client.say(b"x")
                await client.until("$ x")
                echo = time.monotonic() - began
                await client.say(b"\x03exit\r")
                await client.rest()
            assert started < 2.0  # about 0.1 on an idle machine
            assert echo < 0.5  # about 0.005

    asyncio.run(story())
