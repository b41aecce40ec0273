"""The add-ons of this platform: which providers there are, and what else belongs to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from homeport import addons, api, logs, router
from homeport.addons import (
    Buckets,
    Errors,
    ErrorWatch,
    Foreign,
    Postgres,
    Redis,
    SchedulerProvider,
    Servers,
    Site,
    Snapshots,
    Transfers,
    Upgrades,
)
from homeport.daemon import tracker
from homeport.home import Home
from homeport.state import Database


@dataclass(frozen=True)
class AddonParts:
    """Add-ons and what the Data API stands on. Nothing is started by making them: a service's servers start with its
    first add-on, or when the loop finds one."""

    addons: addons.Addons
    data: api.Data
    snapshots: Snapshots
    errors: ErrorWatch

    def loops(self) -> list[Coroutine[Any, Any, None]]:
        """To be run until the platform stops."""
        return [self.addons.run(), self.data.transfers.run(), self.errors.run()]

    async def stop(self) -> None:
        """Stop all servers of add-ons; data stays."""
        await self.addons.stop()

    async def close(self) -> None:
        """Let go; servers go on."""
        await self.data.upgrades.close()
        await self.data.transfers.close()
        await self.addons.close()


def make_addons(
    home: Home,
    database: Database,
    journal: logs.Logs,
    *,
    domain: str,
    bind: tuple[str, ...],
    url: Callable[[], str],
    clear_url: Callable[[], str],
) -> AddonParts:
    where = site(home, domain=domain, bind=bind, url=url, clear_url=clear_url)
    postgres = Postgres(where)
    errors = Errors(where, tracker.PROGRAM)
    buckets = Buckets(where, Foreign.from_environment(os.environ))
    kept = addons.Addons(database, [postgres, Redis(where), SchedulerProvider(), errors, buckets])

    def tell(app_id: str, text: str) -> None:
        journal.write(app_id, "app", "heroku-postgres", [text])

    transfers = Transfers(home, database, kept, postgres, tell=tell)
    snapshots = Snapshots(database, kept, postgres, transfers)
    upgrades = Upgrades(kept, postgres, transfers, tell=tell)
    return AddonParts(
        kept,
        api.Data(postgres=postgres, transfers=transfers, upgrades=upgrades),
        snapshots,
        ErrorWatch(database, errors, journal),
    )


def site(
    home: Home, *, domain: str, bind: tuple[str, ...], url: Callable[[], str], clear_url: Callable[[], str]
) -> Site:
    authority = router.Authority(home.tls)
    local = domain == "localhost"
    return Site(
        home=home,
        servers=Servers(home.run / "servers", home.logs / "addons"),
        host="127.0.0.1" if local else domain,
        addresses=bind or (("127.0.0.1",) if local else ("*",)),
        certificate=lambda host: authority.leaf(host).read_bytes(),
        url=url,
        clear_url=clear_url,
    )
