"""The shim's life: wait to be told what to run, run it, serve whoever connects, end when told to."""

# `pathlib` and `contextlib` would make every dyno start later and larger.
# ruff: noqa: PTH123, PTH208, SIM105

from __future__ import annotations

import _socket
import os
import select
import sys
import time

from . import wire
from .lines import Lines
from .process import LOG, TERMINAL, Prctl, Process, start_ticks
from .wire import Channel

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal

PACE = 0.02
"""Seconds between two batches of lines: 25,000 lines a second are all that one dyno may ask of the daemon."""
BOOT_PATIENCE = 60.0
"""Seconds that a shim which nobody talks to waits to be told what to run."""
TERMINATED = 30.0
"""Seconds between TERM and KILL when somebody ends us with TERM (a shutdown of the machine): as Heroku's."""
LAST_WORDS = 60.0
"""Seconds that an attachment has to take the last output after everything has ended and been cleared away."""
GIVE_UP = 10.0
"""Seconds of KILL after which the end is reported although something still lives: another user's, or stuck in I/O."""
LOOK = 30.0
"""Seconds between two looks, while nobody watches, whether the dyno's folder is still there."""
PORT_CLAIM = 3
"""The file descriptor that holds the claim on the dyno's port."""


def main(folder: str) -> None:
    os.umask(0o077)
    _close_inherited()
    shim_folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)  # stays right when $HOMEPORT_HOME is moved
    listener = _socket.socket(fileno=os.dup(0))
    os.dup2(os.open("/dev/null", os.O_RDWR), 0, inheritable=False)
    prctl = Prctl()
    prctl.adopt_orphans()
    channel, payload = _order(listener)
    wake = _listen_to_signals()
    try:
        process = Process(payload, prctl)
    except OSError as error:
        channel.send(wire.FAILED, b"%d" % (error.errno or 5))
        return
    shim, first = (f"[{pid}, {start_ticks(pid)}]" for pid in (os.getpid(), process.pid))
    record(shim_folder, "started.json", f'{{"shim": {shim}, "process": {first}, "at": {time.time()}}}')
    Shim(shim_folder, listener, wake, process, channel).run()
    os._exit(0)  # tearing an interpreter down takes as long as setting it up


class Shim:
    def __init__(self, folder: int, listener: _socket.socket, wake: int, process: Process, channel: Channel) -> None:
        self.folder = folder
        self.listener = listener
        self.wake = wake
        self.process = process
        self.lines = Lines()
        self.channels = [channel]
        self.watcher: Channel | None = None
        self.attachment: Channel | None = None
        self.hung_up = False
        self.next_batch = 0.0
        self.next_look = 0.0
        self.kill_at: float | None = None  # when TERM turns into KILL
        self.next_kill = 0.0
        self.give_up_at: float | None = None
        self.quit_at: float | None = None
        self.ended = False  # every process is gone, and that is recorded
        self.watch(channel)

    # Say what we wait for, wait, act on what came, act on what time it is.

    def run(self) -> None:
        while not self.done():
            poll = select.poll()
            for fd, events in self.interest().items():
                poll.register(fd, events)
            for fd, events in poll.poll(self.timeout()):
                self.handle(fd, events)
            self.tick(time.monotonic())

    def done(self) -> bool:
        if not self.ended or self.quit_at is None:
            return False
        served = self.attachment is None or (self.attachment.told and not self.attachment.outgoing)
        return served or time.monotonic() >= self.quit_at

    def interest(self) -> dict[int, int]:
        fds = {self.wake: select.POLLIN, self.listener.fileno(): select.POLLIN}
        for channel in self.channels:
            # What an attachment types waits while the process does not read; then only its going is noticed.
            deaf = channel is self.attachment and len(self.process.typed) > wire.READ_SIZE
            fds[channel.fd] = (0 if deaf else select.POLLIN) | (select.POLLOUT if channel.outgoing else 0)
        if self.reading():
            fds[self.process.output] = select.POLLIN
        if self.process.typed:
            fds[self.process.input] = fds.get(self.process.input, 0) | select.POLLOUT
        return fds

    def reading(self) -> bool:
        """Logs are always drained, so that they never slow a dyno; a terminal is as fast as its reader."""
        if self.process.output < 0:
            return False
        if self.process.mode == LOG or self.hung_up:
            return True
        return self.attachment is not None and len(self.attachment.outgoing) < wire.READ_SIZE

    def timeout(self) -> int:
        """Milliseconds until something is due, -1 for never."""
        due = []
        if self.kill_at is not None and not self.ended:
            due.append(max(self.kill_at, self.next_kill))
        if self.quit_at is not None:
            due.append(self.quit_at)
        if self.watcher is None:
            due.append(self.next_look)
        if self.lines and self.watcher is not None and not self.watcher.outgoing:
            due.append(0.0 if self.ended else self.next_batch)
        return max(0, int((min(due) - time.monotonic()) * 1000) + 1) if due else -1

    def handle(self, fd: int, events: int) -> None:
        if fd == self.wake:
            if _signal.SIGTERM in os.read(self.wake, 4096):
                self.stop(TERMINATED)
        elif fd == self.listener.fileno():
            self.channels += _accept(self.listener)
        elif fd in (self.process.output, self.process.input):
            if events & select.POLLOUT:
                self.process.flush_input()
            if events & ~select.POLLOUT and self.reading():
                self.read()
        else:
            for channel in self.channels:
                if channel.fd == fd:
                    self.serve(channel, events)
        for channel in [channel for channel in self.channels if not channel.open]:
            self.forget(channel)

    def tick(self, now: float) -> None:
        if not self.ended:
            alive = self.process.reap()
            if self.process.status is not None and not alive:
                self.finish()
            elif self.process.status is not None and self.kill_at is None:
                self.kill_at = now  # the first process has ended by itself: what is left of the dyno goes with it
            if not self.ended and self.kill_at is not None and now >= max(self.kill_at, self.next_kill):
                self.kill(now)
        if self.watcher is None and now >= self.next_look:
            self.look(now)
        elif self.process.mode == LOG and self.watcher is not None and not self.watcher.outgoing:
            self.hand_over(self.watcher, now)

    # What the engine asks for.

    def serve(self, channel: Channel, events: int) -> None:
        if events & select.POLLOUT:
            channel.flush()
        if events & select.POLLIN:
            for kind, payload in channel.receive():
                self.obey(channel, kind, payload)
        elif events & (select.POLLHUP | select.POLLERR):
            channel.open = False

    def obey(self, channel: Channel, kind: bytes, payload: bytes) -> None:
        if kind == wire.WATCH:
            self.watch(channel)
        elif kind == wire.STOP:
            self.stop(int(payload) / 1000)
        elif kind == wire.QUIT:
            self.quit_at = time.monotonic() + LAST_WORDS
            self.stop(0.0)
        elif kind == wire.ATTACH:
            self.attach(channel)
        elif channel is not self.attachment:
            return
        elif kind == wire.RESIZE:
            columns, lines = payload.split()
            self.process.resize(int(columns), int(lines))
        elif kind == wire.INPUT:
            self.process.type(payload)
        elif kind == wire.END_INPUT:
            self.process.end_input()

    def watch(self, channel: Channel) -> None:
        if self.watcher is not None and self.watcher is not channel:
            self.watcher.send(wire.BUSY)
            self.watcher.open = False
        self.watcher = channel
        channel.send(wire.RUNNING, b"%d" % os.getpid())
        if self.ended and self.process.mode != LOG:
            self.report_end(channel)

    def attach(self, channel: Channel) -> None:
        if self.process.mode == LOG or self.hung_up or self.attachment is not None:
            channel.send(wire.BUSY)
            return
        self.attachment = channel
        channel.send(wire.RUNNING, b"%d" % os.getpid())
        if self.ended:
            self.read_rest()

    def forget(self, channel: Channel) -> None:
        self.channels.remove(channel)
        os.close(channel.fd)
        if channel is self.watcher:
            self.watcher = None
        if channel is self.attachment:
            self.attachment = None
            self.hang_up()

    def stop(self, grace: float) -> None:
        """TERM now, KILL when `grace` seconds are over; asked again, the earlier end counts."""
        if self.ended:
            return
        deadline = time.monotonic() + grace
        if self.kill_at is None and grace > 0:
            self.process.signal(_signal.SIGTERM)
            if self.process.mode == TERMINAL:
                self.process.signal(_signal.SIGHUP)  # shells at a terminal ignore TERM
        self.kill_at = deadline if self.kill_at is None else min(self.kill_at, deadline)

    # What happens to the process.

    def look(self, now: float) -> None:
        """Without its folder (somebody has removed $HOMEPORT_HOME) a dyno could never be found, nor ended, again."""
        self.next_look = now + LOOK
        try:
            os.stat("shim.sock", dir_fd=self.folder)
        except FileNotFoundError:
            self.stop(TERMINATED)
            self.quit_at = now + TERMINATED + LAST_WORDS

    def hang_up(self) -> None:
        """The person at the terminal has gone: HUP; what is still written goes nowhere."""
        self.hung_up = True
        if not self.ended:
            self.process.signal(_signal.SIGHUP)  # before the end of its input, which would be a reason to end well
        if self.process.mode == TERMINAL:
            self.process.close_output()
        self.process.close_input()

    def kill(self, now: float) -> None:
        """KILL everybody, again and again: somebody may have forked in between."""
        if self.give_up_at is None:
            self.give_up_at = now + GIVE_UP
        self.process.signal(_signal.SIGKILL)
        self.next_kill = now + 0.02
        if now >= self.give_up_at:
            self.finish()

    def finish(self) -> None:
        """Everything has ended: write that down first, then let go and say it."""
        self.ended = True
        code = self.process.exit_code
        number = "null" if code is None else code
        record(self.folder, "exited.json", f'{{"code": {number}, "at": {time.time()}}}')
        self.process.close_input()
        _close(PORT_CLAIM)
        self.read_rest()
        if self.process.mode != LOG and self.watcher is not None:
            self.report_end(self.watcher)

    def read(self) -> None:
        """Read once, so that nobody else waits long for their turn."""
        data = self.process.read()
        if data is None:
            return
        if not data:
            self.process.close_output()
        elif self.process.mode == LOG:
            self.lines.feed(data)
        elif self.attachment is not None:
            self.attachment.send(wire.OUTPUT, data)

    def read_rest(self) -> None:
        """Nobody is left to write: what is there now is all there will be."""
        if self.process.mode != LOG and self.attachment is None:
            return  # an attachment may still come for it
        while self.process.output >= 0 and (data := self.process.read()):
            if self.attachment is not None:
                self.attachment.send(wire.OUTPUT, data)
            else:
                self.lines.feed(data)
        self.process.close_output()
        self.lines.end()
        if self.attachment is not None:
            self.report_end(self.attachment)

    def hand_over(self, watcher: Channel, now: float) -> None:
        """Give the watcher the next batch, and after the last one the end."""
        if self.lines and (now >= self.next_batch or self.ended):
            dropped, lines = self.lines.take()
            self.next_batch = now + PACE
            watcher.send(wire.OUTPUT, dropped.to_bytes(8, "big") + b"\n".join(lines) + b"\n")
        if self.ended and not self.lines:
            self.report_end(watcher)

    def report_end(self, channel: Channel) -> None:
        if not channel.told:
            channel.told = True
            code = self.process.exit_code
            channel.send(wire.EXITED, b"" if code is None else b"%d" % code)


def record(folder: int, name: str, text: str) -> None:
    """Write a file in one step. A failure (a full disk) costs its facts only: the dyno goes on."""
    try:
        fd = os.open(f".{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600, dir_fd=folder)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)
        os.rename(f".{name}", name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        sys.stderr.write(f"cannot write {name}: {error}\n")


def _order(listener: _socket.socket) -> tuple[Channel, bytes]:
    """Wait to be told what to run; end if whoever started us has gone, or if somebody new only asks after us."""
    poll = select.poll()
    poll.register(listener.fileno(), select.POLLIN)
    if not poll.poll(BOOT_PATIENCE * 1000):
        sys.exit(0)
    channel = _accept(listener)[0]
    poll = select.poll()
    poll.register(channel.fd, select.POLLIN)
    while channel.open:
        poll.poll()
        for kind, payload in channel.receive():
            if kind != wire.START:
                sys.exit(0)
            return channel, payload
    sys.exit(0)


def _accept(listener: _socket.socket) -> list[Channel]:
    try:
        fd, _ = listener._accept()  # type: ignore[attr-defined]
    except OSError:
        return []  # it has gone already
    return [Channel(fd)]


def _listen_to_signals() -> int:
    """A file descriptor that gives the number of each signal that comes."""
    wake, write = os.pipe()
    for fd in (wake, write):
        os.set_blocking(fd, False)
    _signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (_signal.SIGCHLD, _signal.SIGTERM):
        _signal.signal(number, lambda *_: None)
    for number in (_signal.SIGHUP, _signal.SIGINT):
        _signal.signal(number, _signal.SIG_IGN)
    return wake


def _close_inherited() -> None:
    """Keep what is ours, and keep that from the dyno."""
    try:
        os.set_inheritable(PORT_CLAIM, False)
    except OSError:
        os.open("/dev/null", os.O_RDONLY)  # so that no other file gets the number
    for name in os.listdir("/proc/self/fd"):
        if int(name) > PORT_CLAIM:
            _close(int(name))
    try:
        with open("/proc/self/comm", "w") as comm:
            comm.write("homeport-dyno")
    except OSError:
        pass  # only a nicer name in `top`


def _close(fd: int) -> None:
    try:
        os.close(fd)
    except OSError:
        pass
