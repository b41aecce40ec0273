"""The dyno's first process, all that descends from it, and our ends of its input and output."""

# `pathlib` and `contextlib` would make every dyno start later and larger.
# ruff: noqa: PTH208, SIM105, S606

from __future__ import annotations

import os
import sys

from .wire import READ_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any
else:
    import _signal

LOG, PIPES, TERMINAL = b"log", b"pipes", b"terminal"
"""Where output goes and input comes from: lines to the sink and /dev/null; pipes of an attachment; its terminal."""


def pack(
    home: bytes, mode: bytes, argv: Sequence[bytes], env: Mapping[bytes, bytes], size: tuple[int, int] = (80, 24)
) -> bytes:
    """The payload of START: fields with NULs between them. Raises ValueError if execve(2) could not take them."""
    head = (home, mode, b"%d" % size[0], b"%d" % size[1], b"%d" % len(argv))
    fields = (*head, *argv, *(name + b"=" + value for name, value in env.items()))
    if not argv:
        raise ValueError("the command is empty")
    if any(b"\0" in field for field in fields) or any(not name or b"=" in name for name in env):
        raise ValueError("an argument or a variable holds a NUL, or a variable's name is empty or holds a =")
    return b"\0".join(fields)


class Prctl:
    """prctl(2), by the core of `ctypes`: the standard library has no other door to it.

    Without it (a Python built without ctypes) an engine still finds what a killed shim leaves behind, later.
    """

    def __init__(self) -> None:
        try:
            import _ctypes

            library: Any = None  # the C library that Python itself uses
            function = _ctypes.dlsym(_ctypes.dlopen(library, 0), "prctl")
            self._call: Callable[..., object] | None = lambda *values: _ctypes.call_function(function, values)
        except (ImportError, AttributeError, OSError):
            self._call = None

    def die_with_parent(self) -> None:
        """The kernel sends KILL to this process when the one that forked it ends; kept across execve(2)."""
        if self._call:
            self._call(1, _signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG

    def adopt_orphans(self) -> None:
        """Descendants whose parent ends become our children instead of init's, whatever session they are in."""
        if self._call:
            self._call(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


class Process:
    def __init__(self, payload: bytes, prctl: Prctl) -> None:
        """Raises OSError if it cannot be executed."""
        home, self.mode, columns, lines, count, *rest = payload.split(b"\0")
        argv, env = rest[: int(count)], dict(_pair(text) for text in rest[int(count) :])
        self.status: int | None = None
        self.typed = bytearray()  # input that it has not read yet
        self._last_typed = b"\n"
        self._input_ends = False
        if self.mode == TERMINAL:
            self.output, theirs = os.openpty()
            self.input = self.output
            self.resize(int(columns), int(lines))
            ends = (theirs, theirs)
        else:
            self.output, write = os.pipe()
            read, self.input = os.pipe() if self.mode == PIPES else (os.open("/dev/null", os.O_RDONLY), -1)
            ends = (read, write)
        failure, report = os.pipe()
        ours = os.getpid()
        self.pid = os.fork()
        if not self.pid:
            try:
                _take_ends(ends, self.mode == TERMINAL)
                prctl.die_with_parent()
                if os.getppid() != ours:
                    os._exit(137)  # the shim ended before the line above
                os.chdir(home)
                _execute(argv, env)
            except OSError as error:
                os.write(report, b"%d" % (error.errno or 5))
            finally:
                os._exit(127)
        for fd in {*ends, report}:
            os.close(fd)
        problem = os.read(failure, 16)
        os.close(failure)
        if problem:
            os.waitpid(self.pid, 0)
            raise OSError(int(problem), os.strerror(int(problem)))
        for fd in {self.output, self.input} - {-1}:
            os.set_blocking(fd, False)

    @property
    def exit_code(self) -> int | None:
        """As a shell says it: 128 + signal number for a killed process."""
        if self.status is None:
            return None
        code = os.waitstatus_to_exitcode(self.status)
        return code if code >= 0 else 128 - code

    def reap(self) -> bool:
        """Collect every descendant that has ended; whether any is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if not pid:
                return True
            if pid == self.pid:
                self.status = status

    def signal(self, number: int) -> None:
        """Send a signal to every process of the dyno, once to each."""
        if self.status is None:
            # First its group, which no fork can slip through; then those who left the group.
            _send(os.killpg, self.pid, number)
        for pid, group in descendants():
            if self.status is not None or group != self.pid:
                _send(os.kill, pid, number)

    def read(self) -> bytes | None:
        """Some output, b"" at its end, None if there is none now."""
        try:
            return os.read(self.output, READ_SIZE)
        except BlockingIOError:
            return None
        except OSError:  # EIO: nobody has the terminal open any more
            return b""

    def type(self, data: bytes) -> None:
        self.typed += data
        self._last_typed = data[-1:] or self._last_typed
        self.flush_input()

    def end_input(self) -> None:
        if self.mode == TERMINAL:
            # ^D ends the input only at the start of a line; within a line it sends the line, and a second one ends.
            self.type(b"\x04" if self._last_typed in b"\r\n\x04" else b"\x04\x04")
        else:
            self._input_ends = True
            self.flush_input()

    def flush_input(self) -> None:
        try:
            while self.typed and self.input >= 0:
                del self.typed[: os.write(self.input, self.typed[:READ_SIZE])]
        except BlockingIOError:
            return
        except OSError:  # it has closed its end
            self._input_ends = True
        if self._input_ends or self.input < 0:
            self.close_input()

    def resize(self, columns: int, lines: int) -> None:
        if self.mode == TERMINAL and self.output >= 0:
            import fcntl
            import termios

            size = [min(value, 0xFFFF).to_bytes(2, sys.byteorder) for value in (lines, columns, 0, 0)]
            fcntl.ioctl(self.output, termios.TIOCSWINSZ, b"".join(size))

    def close_input(self) -> None:
        self.typed.clear()
        if self.input >= 0 and self.input != self.output:
            os.close(self.input)
        self.input = -1

    def close_output(self) -> None:
        if self.output >= 0:
            if self.input == self.output:
                self.close_input()
            os.close(self.output)
        self.output = -1


def _pair(text: bytes) -> tuple[bytes, bytes]:
    name, _, value = text.partition(b"=")
    return name, value


def _take_ends(ends: tuple[int, int], terminal: bool) -> None:
    """In the child: a session of its own, its standard files, the signals and the umask that a program expects."""
    os.setsid()
    if terminal:
        import fcntl
        import termios

        fcntl.ioctl(ends[0], termios.TIOCSCTTY, 0)
    for number, fd in enumerate((ends[0], ends[1], ends[1])):
        os.dup2(fd, number)
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ, _signal.SIGHUP, _signal.SIGINT, _signal.SIGTERM):
        _signal.signal(number, _signal.SIG_DFL)
    os.umask(0o022)


def _execute(argv: list[bytes], env: dict[bytes, bytes]) -> None:
    """execvpe(3) along the dyno's own PATH; raises the OSError that tells most."""
    if b"/" in argv[0]:
        os.execve(argv[0], argv, env)
    failure: OSError = FileNotFoundError(2, "not on PATH")
    for folder in env.get(b"PATH", b"/usr/local/bin:/usr/bin:/bin").split(b":"):
        try:
            os.execve(folder + b"/" + argv[0], argv, env)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            failure = error
    raise failure


def _send(function: Callable[[int, int], None], pid: int, number: int) -> None:
    try:
        function(pid, number)
    except OSError:
        pass  # it has just ended, or it is another user's


def descendants() -> list[tuple[int, int]]:
    """All of ours that have not ended, as (pid, process group)."""
    children: dict[int, list[int]] = {}
    groups: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := stat(name)):
            children.setdefault(int(fields[1]), []).append(int(name))
            if fields[0] not in b"ZX":
                groups[int(name)] = int(fields[2])
    found: list[tuple[int, int]] = []
    queue = [os.getpid()]
    while queue:
        for pid in children.get(queue.pop(), ()):
            queue.append(pid)
            if pid in groups:
                found.append((pid, groups[pid]))
    return found


def stat(pid: int | str) -> list[bytes]:
    """/proc/PID/stat from the third field on (state, parent, group, session, …); empty if there is no such process."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        try:
            # The second field, the command's name, may hold anything but ends with the last parenthesis.
            return os.read(fd, 4096).rpartition(b") ")[2].split()
        finally:
            os.close(fd)
    except OSError:
        return []


def start_ticks(pid: int) -> int:
    """When a process started, in clock ticks since boot: with its pid, a name that is not used twice. 0: it ended."""
    fields = stat(pid)
    return int(fields[19]) if len(fields) > 19 and fields[0] not in b"ZX" else 0
