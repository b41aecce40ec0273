"""What is left over is swept up: now and then, and never in the way of anything."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.orm import Session

from homeport import apps, deploys, slugs
from homeport.daemon.parts import Core
from homeport.daemon.work import Work

FIRST_AFTER = 60.0
EVERY = 3600.0

_log = logging.getLogger("homeport")


async def keep_house(
    core: Core,
    work: Work,
    keeping: asyncio.Lock,
) -> None:
    """Until cancelled. While somebody else holds `keeping`, nothing is removed."""
    await asyncio.sleep(FIRST_AFTER)
    while True:
        try:
            async with keeping:
                await _sweep(core, work)
        except Exception:
            _log.exception("sweeping failed and is tried again in an hour")
        await asyncio.sleep(EVERY)


async def _sweep(core: Core, work: Work) -> None:
    app_ids = await core.database.run(_app_ids)
    await asyncio.to_thread(work.repositories.sweep, app_ids)
    await asyncio.to_thread(work.builder.sweep, app_ids)
    core.logs.prune(app_ids)
    work.deployer.outputs.sweep(await core.database.run(deploys.forget_old_builds))
    work.launcher.outputs.sweep(await core.database.run(deploys.known_releases))
    await asyncio.to_thread(core.store.prune, await core.database.run(slugs.layers_in_use))


def _app_ids(session: Session) -> set[str]:
    return {app.id for app in apps.every(session)}
