"""The meeting of `heroku run`'s client with its dyno: raw bytes both ways, after a word to begin with.

The client connects by TLS, which the proxy takes off, and sends the secret it was given; we answer `rendezvous`, which
it throws away together with whatever comes in the same chunk. It never half-closes: when its own input has ended it
sends a ^D, whether or not there is a terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import signal
import struct
import termios

from homeport.dynos import one_offs, words
from homeport.dynos.fleet import Fleet
from homeport.dynos.framing import MARK, Framer, asks_for_status, sentinel
from homeport.engine import Attachment
from homeport.errors import HomeportError
from homeport.state import Dyno

_log = logging.getLogger("homeport.dynos")

GREETING = b"rendezvous\r\n"
EOT = b"\x04"
HELLO_WITHIN = 10.0  # seconds for the secret
END_OF_INPUT_AFTER = 0.1  # seconds that nothing may follow a ^D for it to be the end
REPEAT_EOT_AFTER, REPEAT_EOT_EVERY = 0.5, 5.0  # seconds
TAKEN_WITHIN = 30.0  # seconds for the proxy to take what we sent: then the client is asleep, and gets it in one piece
APART = 0.01  # seconds between two pieces that must not travel together
LEAVE_WITHIN = 2.0  # seconds for the client to hear that the platform is being stopped
PARTING = b"\r\n !     Homeport is being stopped, and this dyno with it.\r\n"
HANG_UP_WITHIN = 5.0  # seconds for a process to end after HUP, before it is told to go as any other dyno is


class Rendezvous:
    """An asyncio stream handler for what the proxy passes on."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its secret to the end of its command or of its patience."""
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                secret, rest = await _hello(reader)
            dyno = await self._fleet.parts.database.run(one_offs.find_unclaimed, secret) if secret else None
            if dyno is None:
                return
            with self._fleet.board.hold(dyno.id):
                if await self._fleet.parts.database.run(one_offs.claim, dyno.id, secret) is not None:
                    await self._meet(dyno, Client(reader, writer, rest))
        except (TimeoutError, ConnectionError):
            return
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _meet(self, dyno: Dyno, client: Client) -> None:
        fleet = self._fleet
        try:
            await client.send_alone(GREETING)
            if await fleet.hands.launch(dyno.app_id, dyno.id) is None:
                verdict = fleet.board.gates.get(dyno.id)
                await client.send(f"The dyno could not be started: {verdict.detail if verdict else ''}\r\n".encode())
                return
            await fleet.hands.mark_up(dyno.app_id, dyno.id, None)
            attachment = await fleet.parts.engine.attach(dyno.id)
            try:
                if not await _converse(dyno, client, attachment):
                    fleet.parts.outputs.say(dyno.app_id, dyno.name, [words.HANG_UP])
            finally:
                await attachment.close()  # before its end this is what hangs up
            # The engine may learn of its end later than we did. One that stays is told to go as any other dyno is.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HANG_UP_WITHIN):
                    await attachment.wait()
        except asyncio.CancelledError:
            fleet.parts.outputs.say(dyno.app_id, dyno.name, [words.HANG_UP])
            await _take_leave(dyno, client)
            raise
        except HomeportError as error:
            _log.warning("dyno %s lost its client: %s", dyno.id, error.what)
        finally:
            fleet.wake(dyno.app_id)


async def _take_leave(dyno: Dyno, client: Client) -> None:
    """The platform is being stopped. Whoever still listens is told, and those who want an exit status get the one that
    a shell has for a process that was hung up."""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(LEAVE_WITHIN):
            await client.send(PARTING)
            if asks_for_status(dyno.command):
                await client.send_alone(sentinel(128 + signal.SIGHUP))


async def _converse(dyno: Dyno, client: Client, attachment: Attachment) -> bool:
    """Whether the command has ended, and all its output was sent; the alternative is that the client has gone."""
    output = asyncio.create_task(_send_output(dyno, client, attachment))
    typing = asyncio.create_task(_type(dyno, client, attachment))
    try:
        await asyncio.wait((output, typing), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (output, typing):
            task.cancel()
        results = await asyncio.gather(output, typing, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, ConnectionError):
            raise result
    return results[0] is None


async def _send_output(dyno: Dyno, client: Client, attachment: Attachment) -> None:
    framer = Framer()
    while data := await attachment.read():
        for piece in framer.feed(data):
            await client.send_piece(piece)
    for piece in framer.end():
        await client.send_piece(piece)
    if asks_for_status(dyno.command) and not framer.saw_status:
        # `run -x 'exit 3'` ends before it could print its status, and the client would crash without one.
        await client.send_alone(sentinel(await attachment.wait()))


async def _type(dyno: Dyno, client: Client, attachment: Attachment) -> None:
    """Returns when the client has gone."""
    if dyno.force_no_tty:
        await _type_into_pipe(client, attachment)
    else:
        await _type_into_terminal(client, attachment)


async def _type_into_pipe(client: Client, attachment: Attachment) -> None:
    """The client's last ^D is the end of input; any other is a byte like others."""
    while data := await client.read():
        while data.endswith(EOT):
            await attachment.write(data[:-1])
            if await client.quiet(END_OF_INPUT_AFTER):
                await attachment.end_input()
                data = b""
            elif more := await client.read():
                data = EOT + more
            else:
                return
        await attachment.write(data)


async def _type_into_terminal(client: Client, attachment: Attachment) -> None:
    """As it comes.

    But the end of a file stays one, while a terminal's ^D is lost on a program that does not read lines yet, or reads
    the middle of one. So for input that nobody types (it has LF, where a keyboard sends CR) the last ^D is repeated
    until the program has heard it.
    """
    file = False
    while data := await client.read():
        file = (file or b"\n" in data) and b"\r" not in data
        await attachment.write(data)
        patience = REPEAT_EOT_AFTER
        while file and data.endswith(EOT) and await client.quiet(patience):
            await attachment.write(EOT)
            patience = min(2 * patience, REPEAT_EOT_EVERY)


class Client:
    """The client's connection, with what it sent along with its secret."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes) -> None:
        self._reader = reader
        self._writer = writer
        self._rest = rest
        self._pending: asyncio.Task[bytes] | None = None
        writer.transport.set_write_buffer_limits(high=0)  # `drain` then waits until the kernel has it all

    async def send(self, data: bytes) -> None:
        """Returns once the proxy has taken it, so that what comes next is not read together with it."""
        self._writer.write(data)
        await self._writer.drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TAKEN_WITHIN):
                await self._taken()

    async def send_alone(self, data: bytes) -> None:
        """As a TLS record of its own: with time for the proxy to pass on what was before it, and it."""
        await asyncio.sleep(APART)
        await self.send(data)
        await asyncio.sleep(APART)

    async def send_piece(self, piece: bytes) -> None:
        if piece.startswith(MARK):
            await self.send_alone(piece)
        else:
            await self.send(piece)

    async def read(self) -> bytes:
        """What the client sends next; b"" when it has gone."""
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        try:
            if self._pending is not None:
                pending, self._pending = self._pending, None
                return await pending
            return await self._reader.read(65536)
        except ConnectionError:
            return b""

    async def quiet(self, seconds: float) -> bool:
        """Whether the client neither sends anything nor goes within this time. What it sends is still to be read."""
        if self._rest:
            return False
        self._pending = self._pending or asyncio.create_task(self._reader.read(65536))
        done, _ = await asyncio.wait((self._pending,), timeout=seconds)
        return not done

    async def _taken(self) -> None:
        """Until the other side has read all that was written."""
        connection = self._writer.get_extra_info("socket")
        while _unread(connection.fileno()):  # noqa: ASYNC110 - the kernel has no event for it
            await asyncio.sleep(0.001)


def _unread(descriptor: int) -> int:
    """Bytes that we have written and the other side has not read yet."""
    try:
        answer = fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0\0\0\0")
    except (OSError, ValueError):  # it was closed
        return 0
    (count,) = struct.unpack("i", answer)
    return int(count)


async def _hello(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """The secret, and what came after it. The CLI sends `SECRET[?query]` and a CRLF, heroku3 the bare secret."""
    data = b""
    while len(data) < one_offs.SECRET_LENGTH:
        more = await reader.read(4096)
        if not more:
            return "", b""
        data += more
    secret, rest = data[: one_offs.SECRET_LENGTH], data[one_offs.SECRET_LENGTH :]
    while rest.startswith(b"?") and b"\n" not in rest and len(rest) < 4096:
        more = await reader.read(4096)
        if not more:
            return "", b""
        rest += more
    if rest.startswith(b"?"):
        rest = b"\n" + rest.partition(b"\n")[2]
    for end in (b"\r\n", b"\n"):
        if rest.startswith(end):
            rest = rest[len(end) :]
            break
    return secret.decode("ascii", errors="replace"), rest
