from __future__ import annotations

import asyncio
import threading

from homeport.loops import UnderWay, Waker

LONG = 60.0


def test_a_wake_ends_the_wait_from_any_thread() -> None:
    async def story() -> None:
        waker = Waker()
        waiting = asyncio.create_task(waker.wait(LONG))
        await asyncio.sleep(0)
        thread = threading.Thread(target=waker.wake)
        thread.start()
        async with asyncio.timeout(LONG / 2):
            await waiting
        thread.join()

    asyncio.run(story())


def test_a_wake_while_nobody_waits_is_remembered_once() -> None:
    async def story() -> None:
        waker = Waker()
        for _ in range(2):
            waker.wake()  # before the first wait, and then after one
            waker.wake()
            async with asyncio.timeout(LONG / 2):
                await waker.wait(LONG)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        waiting = asyncio.create_task(waker.wait(0.0))
        await waiting
        still = asyncio.create_task(waker.wait(LONG))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not still.done()
        still.cancel()
        await asyncio.gather(still, return_exceptions=True)

    asyncio.run(story())


def test_time_ends_the_wait_too_and_a_cancellation_is_not_lost() -> None:
    async def story() -> None:
        waker = Waker()
        await waker.wait(0.0)
        waiting = asyncio.create_task(waker.wait(LONG))
        await asyncio.sleep(0)
        waker.wake()
        waiting.cancel()
        (ended,) = await asyncio.gather(waiting, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError)

    asyncio.run(story())


def test_a_loop_that_is_gone_is_woken_by_nobody() -> None:
    waker = Waker()
    asyncio.run(waker.wait(0.0))
    waker.wake()


def test_one_piece_of_work_at_a_time_for_each_key() -> None:
    async def story() -> None:
        done: list[str] = []
        may_end = asyncio.Event()

        def work(name: str) -> None:
            async def do() -> None:
                await may_end.wait()
                done.append(name)

            under_way.begin(name[0], do)

        under_way = UnderWay()
        assert not under_way
        for name in ("a1", "b1", "a2"):
            work(name)
        assert under_way
        may_end.set()
        await under_way.finish()
        assert sorted(done) == ["a1", "b1"]
        assert not under_way
        work("a3")
        await under_way.finish()
        assert done[-1] == "a3"

    asyncio.run(story())


def test_what_is_given_up_is_cancelled_and_gone() -> None:
    async def story() -> None:
        cancelled: list[str] = []

        async def hangs() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append("one")
                raise

        under_way = UnderWay()
        under_way.begin("one", hangs)
        await asyncio.sleep(0)
        await under_way.give_up()
        assert cancelled == ["one"]
        await asyncio.sleep(0)
        assert not under_way

    asyncio.run(story())
