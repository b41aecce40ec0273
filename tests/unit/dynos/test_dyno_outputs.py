from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from homeport.dynos.outputs import TAIL, Outputs
from homeport.dynos.routes import Routes
from homeport.engine import Output


class Journal:
    def __init__(self) -> None:
        self.written: list[tuple[str, str, str]] = []

    def write(self, app_id: str, source: str, dyno: str, texts: Iterable[str]) -> None:
        self.written += [(app_id, f"{source}[{dyno}]", text) for text in texts]

    def write_output(self, app_id: str, dyno: str, raw: Sequence[bytes], dropped: int = 0) -> None:
        self.written += [(app_id, f"app[{dyno}]", line.decode(errors="replace")) for line in raw]
        if dropped:
            self.written.append((app_id, f"app[{dyno}]", f"{dropped} dropped"))


def test_lines_go_to_the_log_of_the_dynos_app_under_its_name() -> None:
    journal = Journal()
    outputs = Outputs(journal)
    outputs.introduce("id", "app-1", "web.1")
    outputs(Output("id", [b"hello", b"\xff"], dropped=2))
    assert journal.written == [
        ("app-1", "app[web.1]", "hello"),
        ("app-1", "app[web.1]", "\ufffd"),
        ("app-1", "app[web.1]", "2 dropped"),
    ]


def test_an_adopted_dyno_may_speak_before_anybody_knows_it() -> None:
    journal = Journal()
    outputs = Outputs(journal)
    outputs(Output("id", [b"early"]))
    assert journal.written == []
    outputs.introduce("id", "app-1", "web.1")
    outputs(Output("id", [b"late"]))
    assert [text for _, _, text in journal.written] == ["early", "late"]


def test_strangers_cannot_fill_the_memory() -> None:
    outputs = Outputs(Journal())
    for number in range(10_000):
        outputs(Output(f"stranger {number % 500}", [b"x" * 100]))
    assert len(outputs._strangers) <= 64
    assert all(len(kept) <= 32 for kept in outputs._strangers.values())


def test_the_last_lines_are_at_hand_until_the_dyno_is_forgotten() -> None:
    outputs = Outputs(Journal())
    outputs.introduce("id", "app-1", "web.1")
    outputs(Output("id", [b"%d" % n for n in range(100)]))
    outputs(Output("id", [b"last"]))
    assert outputs.tail("id") == [str(n) for n in range(100 - TAIL + 1, 100)] + ["last"]
    outputs.forget("id")
    assert outputs.tail("id") == []


def test_somebody_may_listen_to_every_line() -> None:
    outputs = Outputs(Journal())
    outputs.introduce("id", "app-1", "release.1234")
    heard: list[str] = []
    outputs.listen("id", heard.append)
    outputs(Output("id", [b"%d" % n for n in range(100)]))
    assert heard == [str(n) for n in range(100)]


def test_routes_are_applied_once_for_all_who_ask_meanwhile_and_never_before_they_asked() -> None:
    async def story() -> None:
        applied: list[int] = []
        truth = 0
        begun, go = asyncio.Event(), asyncio.Event()

        async def apply() -> None:
            seen = truth
            begun.set()
            await go.wait()
            applied.append(seen)

        routes = Routes(apply)
        first = asyncio.create_task(routes.changed())
        await begun.wait()
        truth = 1
        others = [asyncio.create_task(routes.changed()) for _ in range(5)]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(first, *others)
        assert applied == [0, 1]
        await routes.changed()
        assert applied == [0, 1, 1]

    asyncio.run(story())


def test_a_router_that_fails_stops_nothing() -> None:
    async def apply() -> None:
        raise OSError("no router")

    async def story() -> None:
        routes = Routes(apply)
        await routes.changed()
        await asyncio.gather(routes.changed(), routes.changed())

    asyncio.run(story())
