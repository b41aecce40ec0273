"""However a client is cut off, however the daemon dies: every line once, in order, or told how many are missing."""

from __future__ import annotations

import asyncio
import re
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeport.logs import EVERYTHING, Filter, Logs, Session, stream

START = datetime(2026, 1, 1, tzinfo=UTC)
KEEP = 12
NOTICE = re.compile(r".* heroku\[logplex\]: Error L11 .* dropped (?:up to )?(\d+) messages since .*")


@dataclass(frozen=True)
class Write:
    """So many lines; the dyno makes some of them match a filter."""

    lines: int
    dyno: str


@dataclass(frozen=True)
class Crash:
    """kill -9 of the daemon; `torn` bytes of a line were on their way to the disk."""

    torn: bytes


@dataclass(frozen=True)
class Listen:
    """Connect, take so many pieces while lines are written in between, and be cut off within the last one."""

    pieces: int
    cut: float
    meanwhile: int


Step = Write | Crash | Listen

STEPS = st.lists(
    st.one_of(
        st.builds(Write, st.integers(1, 20), st.sampled_from(["web.1", "worker.1"])),
        st.builds(Crash, st.sampled_from([b"", b"9", b"99 2026-01-01T00:00:00.000000+00:00 app[web.1]: to"])),
        st.builds(Listen, st.integers(1, 4), st.floats(0, 1), st.integers(0, 15)),
    ),
    max_size=25,
)


@dataclass
class Client:
    """An event source: remembers the id of the last whole event, and what it was shown."""

    last_id: str | None = None
    shown: list[tuple[int, str]] = field(default_factory=list)

    def receive(self, body: bytes) -> None:
        for event in body.split(b"\n\n")[:-1]:  # what follows the last blank line has not arrived
            fields = dict(line.split(": ", 1) for line in event.decode().splitlines() if line[0] != ":")
            if "data" in fields:
                self.last_id = fields["id"]
                self.shown.append((int(fields["id"]), fields["data"]))


class Play:
    def __init__(self, root: Path, wanted: Filter) -> None:
        self.root = root
        self.logs = Logs(root, clock=lambda: START, keep=KEEP)
        self.written: dict[int, tuple[str, str]] = {}
        self.client = Client()
        self.session = Session("app", 5, True, wanted, START, START + timedelta(days=1))

    def act(self, step: Step) -> None:
        match step:
            case Write(lines, dyno):
                for _ in range(lines):
                    self.write(dyno)
            case Crash(torn):
                before, self.logs = self.logs, Logs(self.root, clock=lambda: START, keep=KEEP)
                before.close()
                if torn and self.written:
                    with (self.root / "app" / "current.log").open("ab") as file:
                        file.write(torn)
            case Listen():
                asyncio.run(self.listen(step))

    def write(self, dyno: str) -> None:
        seq = len(self.written) + 1
        self.written[seq] = (dyno, f"line {seq}")
        self.logs.write("app", "app", dyno, [f"line {seq}"])

    async def listen(self, step: Listen) -> None:
        tail = stream(self.logs, self.session, last_event_id=self.client.last_id, sse=True, heartbeat=0)
        body = b""
        for _ in range(step.pieces):
            before = len(body)
            body += await anext(tail)
            for number in range(step.meanwhile):
                self.write("web.1" if number % 2 else "worker.1")
        self.client.receive(body[: before + int((len(body) - before) * step.cut)])

    def check(self) -> None:
        previous: int | None = None
        for seq, data in self.client.shown:
            notice = NOTICE.fullmatch(data)
            if notice is None:
                dyno, text = self.written[seq]
                assert data.endswith(f" app[{dyno}]: {text}")
                lost = 0
            else:
                lost = int(notice[1])
            if previous is not None:
                assert seq > previous, "shown twice, or out of order"
                between = range(previous + 1, seq if notice is None else seq - lost + 1)
                unseen = [each for each in between if self.wants(each)]
                assert not unseen, "a hole that nobody was told of"
            previous = seq

    def wants(self, seq: int) -> bool:
        return self.session.filter.dyno in (None, self.written[seq][0].partition(".")[0])


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(STEPS, st.sampled_from([EVERYTHING, Filter(dyno="web")]))
def test_every_line_once_or_told(steps: list[Step], wanted: Filter) -> None:
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder), wanted)
        for step in steps:
            play.act(step)
        play.act(Listen(4, 1.0, 0))  # at last the client catches up
        play.check()
        assert play.logs.last_seq("app") == len(play.written)
        newest = [seq for seq in play.written if play.wants(seq)][-1:]
        kept = {line.seq for line in play.logs.recent("app", KEEP)}
        assert [seq for seq, _ in play.client.shown[-1:]] == newest or not kept & set(newest)
        play.logs.close()
