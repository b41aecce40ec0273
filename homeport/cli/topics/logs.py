"""`homeport logs`: a log session, read to its end or followed until Ctrl-C."""

from __future__ import annotations

from typing import Any

from homeport.cli.api import SDK, path
from homeport.cli.call import Call
from homeport.cli.controls import harmless
from homeport.cli.errors import ApiError
from homeport.cli.eventstream import EventParser
from homeport.cli.ink import Ink
from homeport.cli.log_colours import LogColours
from homeport.errors import HomeportError, Unavailable

LINES = 100
SOURCES = ("app", "heroku")
PLATFORM = ("api", "router", "heroku-postgres")  # who speaks besides dynos
IDLE_SECONDS = 50.0  # the server sends a comment every 15 seconds; three missed ones are a lost connection
GIVE_UP_SECONDS = 120.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0


def logs(call: Call) -> None:
    """`-n 0` is no lines, as for `tail`: with `--tail` only what comes. The official CLI takes 0 for its default."""
    asked, tail = call.number("num"), call.has("tail")
    dyno, source = call.option("dyno-name") or call.option("process-type"), call.option("source")
    if tail:
        _doubt(call, dyno, source)
    anything = show(call, lines=LINES if asked is None else asked, tail=tail, dyno=dyno, source=source)
    if not tail and not anything:
        _doubt(call, dyno, source)


def _doubt(call: Call, dyno: str | None, source: str | None) -> None:
    """A misspelt filter lets nothing through, for ever and without a word: say which there are."""
    if source and source not in SOURCES:
        call.terminal.warn(f"No lines have the source {source}: it is {' or '.join(SOURCES)}.")
    if not dyno:
        return
    found = call.api.all(path("apps", call.app, "dynos"), accept=SDK)
    names = sorted({str(each[key]) for each in found for key in ("type", "name")})
    if dyno not in (*names, *PLATFORM):
        call.terminal.warn(f"{call.app} has no dyno {dyno} now. There are: {', '.join((*names, *PLATFORM))}.")


def show(call: Call, *, lines: int, tail: bool, dyno: str | None, source: str | None = None) -> bool:
    """Print an app's log lines; with `tail`, go on with what comes. Whether there were any."""
    session: dict[str, Any] = {"lines": lines, "tail": tail}
    if dyno:
        session["dyno"] = dyno
    if source:
        session["source"] = source
    reader = _Reader(call, session)
    reader.read()
    if tail:
        reader.follow()
    return reader.anything


class _Reader:
    """Reads a session and keeps its place, so that a broken connection costs no line and repeats none."""

    def __init__(self, call: Call, session: dict[str, Any]) -> None:
        self._call = call
        self._session = session
        self._parser = EventParser()
        off = "0" in (call.env.get("HEROKU_LOGS_COLOR"), call.env.get("HEROKU_COLOR")) or call.has("no-color")
        ink = Ink(True) if call.has("force-colors") else call.terminal.ink
        self._colours = LogColours(Ink(False) if off else ink)
        self._url = ""
        self._last_id: str | None = None
        self.anything = False

    def read(self) -> None:
        """From the start to where the server ends it. Raises `HomeportError` when it breaks off; with tail, doesn't."""
        self._begin()
        try:
            self._stream()
        except Unavailable:
            if not self._session["tail"]:
                raise

    def follow(self) -> None:
        """Connect again whenever the connection ends. Raises `HomeportError` after two minutes without one."""
        pause, waited, told = FIRST_PAUSE, 0.0, False
        while True:
            wish = self._parser.retry
            self._call.world.sleep(max(pause, wish or 0.0) if told else min(pause, wish or pause))
            waited += pause
            try:
                self._reconnect()
                pause, waited, told = FIRST_PAUSE, 0.0, False
            except Unavailable as error:
                if waited >= GIVE_UP_SECONDS:
                    raise
                if not told:
                    self._call.terminal.warn(f"{error.what} Trying again…")
                    told = True
                pause = min(pause * 2, LONGEST_PAUSE)

    def _reconnect(self) -> None:
        try:
            self._stream()
        except ApiError as error:
            if error.status not in (403, 404, 410):
                raise
            self._begin()  # that session is over: a new one goes on behind the last line
            self._stream()

    def _begin(self) -> None:
        created = self._call.api.post(path("apps", self._call.app, "log-sessions"), self._session, accept=SDK)
        self._url = created["logplex_url"]

    def _stream(self) -> None:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
        if self._last_id is not None:
            headers["Last-Event-ID"] = self._last_id
        self._parser = EventParser()
        with self._call.api.stream(self._url, idle=IDLE_SECONDS, **headers) as stream:
            if not stream.headers.get("content-type", "").startswith("text/event-stream"):
                raise HomeportError("invalid_log_stream", "The server's answer is no stream of log lines.")
            while chunk := stream.read():
                self._print(chunk)

    def _print(self, chunk: bytes) -> None:
        terminal = self._call.terminal
        for event in self._parser.feed(chunk):
            for line in filter(None, event.data.strip().split("\n")):
                terminal.out(self._colours.paint(harmless(line)))
                self.anything = True
            self._last_id = event.id
        terminal.stdout.flush()
