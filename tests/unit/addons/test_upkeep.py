"""The loop, while a provider does not come back."""

from __future__ import annotations

import asyncio

import pytest

from homeport.addons import upkeep
from homeport.addons.fake import FakeProvider
from homeport.addons.provider import Resource
from tests.unit.addons.addon_scene import Scene

DEADLINE_SECONDS = 30.0


class Hanging(FakeProvider):
    """Its server takes connections and answers nothing. `calls` are how often it was tended."""

    def __init__(self) -> None:
        super().__init__()
        self.called = asyncio.Event()
        self.calls = 0

    async def tend(self, resources: list[Resource]) -> list[Resource]:
        self.calls += 1
        self.called.set()
        await asyncio.Event().wait()
        return resources


@pytest.fixture
def hanging(scene: Scene) -> Hanging:
    scene.postgres = made = Hanging()
    scene.reopened()
    return made


def test_a_service_that_hangs_holds_up_none_of_the_others(scene: Scene, hanging: Hanging) -> None:
    scene.create(scene.shop)
    other = scene.create(scene.shop, "scheduler")

    async def scenario() -> None:
        loop = asyncio.create_task(scene.addons.run())
        async with asyncio.timeout(DEADLINE_SECONDS):
            await hanging.called.wait()
            await scene.addons.destroy(other, by=scene.ada)
            while scene.scheduler.made:
                scene.addons.wake()
                await asyncio.sleep(0)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())
    assert hanging.calls == 1, "it was called again beside itself"


def test_what_hangs_is_given_up_and_tried_again_later(
    scene: Scene, hanging: Hanging, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scene.create(scene.shop)
    monkeypatch.setattr(upkeep, "ATTEMPT_SECONDS", 0.01)
    scene.run(scene.addons.sync())
    assert "heroku-postgresql: not done after 0 s and given up; tried again in 5 s" in caplog.text
    scene.run(scene.addons.sync())  # too early
    assert hanging.calls == 1
    scene.now += 5.1
    scene.run(scene.addons.sync())
    assert hanging.calls == 2
