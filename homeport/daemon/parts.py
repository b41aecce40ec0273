"""The real parts, made in order from the inside outwards: what a part needs is there before it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from homeport import dynos, logs, router, scheduler, slugs
from homeport.api import Urls
from homeport.daemon import secrets
from homeport.daemon.addons import AddonParts, make_addons
from homeport.daemon.routing import Routing
from homeport.engine import LocalEngine
from homeport.home import Home
from homeport.state import Database


@dataclass(frozen=True)
class Settings:
    """How this platform is reached. Port 0 picks a free one.

    `ssh_port` None is the usual one, if it is free, or 0 where `https_port` is 0. `bind` are addresses to listen on:
    without any, loopback for the domain localhost and every address for others.
    """

    https_port: int = 8443
    http_port: int = 8080
    ssh_port: int | None = None
    domain: str = "localhost"
    email: str | None = None
    bind: tuple[str, ...] = ()

    @property
    def picks_ssh_port(self) -> bool:
        """Whether any port that is free will do."""
        return self.ssh_port == 0 or (self.ssh_port is None and self.https_port == 0)


@dataclass(frozen=True)
class Core:
    """What there is before a port is known: state, layers, logs, dynos and the router."""

    home: Home
    database: Database
    logs: logs.Logs
    store: slugs.Store
    engine: LocalEngine
    fleet: dynos.Fleet
    proxy: router.Proxy
    addons: AddonParts
    scheduler: scheduler.Scheduler
    routing: Routing
    sleeper: dynos.Sleeper


def open_database(home: Home) -> Database:
    """Raises `HomeportError` (`database_…`, `vault_…`)."""
    key = secrets.config_key(home, database_exists=home.database.exists())
    return Database.open(f"sqlite:///{home.database}", vault=key)


def make_core(home: Home, settings: Settings) -> Core:
    database = open_database(home)
    journal = logs.Logs(home.logs / "apps")
    store = slugs.Store(home.slugs)
    outputs = dynos.Outputs(journal)
    engine = LocalEngine(home.dynos, sink=outputs)
    proxy = router.Proxy(
        home,
        https_port=settings.https_port,
        http_port=settings.http_port,
        domain=settings.domain,
        api_socket=home.run / "api.sock",
        rendezvous_socket=home.run / "rendezvous.sock",
        log_sink=lambda app_id, texts: journal.write(app_id, "heroku", "router", texts),
        knock=lambda app_id: sleeper.knock(app_id),
        bind=settings.bind or None,
    )
    sleeper = dynos.Sleeper(database, proxy.last_requests)

    async def apply_routes() -> None:
        await proxy.apply(await database.run(partial(router.table, domain=settings.domain)))

    fleet = dynos.Fleet(
        database,
        engine,
        store,
        outputs,
        routes_changed=apply_routes,
        hostname=lambda name: f"{name}.{settings.domain}",
        on_end=scheduler.ended,
        machine=dynos.trusting(proxy.authority.bundle),
    )
    kept = make_addons(
        home,
        database,
        journal,
        domain=settings.domain,
        bind=settings.bind,
        url=lambda: urls(settings, proxy.https_port).api,
        clear_url=lambda: f"http://localhost:{proxy.http_port}" if settings.domain == "localhost" else "",
    )
    jobs = scheduler.Scheduler(database, journal)
    return Core(home, database, journal, store, engine, fleet, proxy, kept, jobs, Routing(apply_routes), sleeper)


def urls(settings: Settings, https_port: int) -> Urls:
    """How the platform and its apps are named from outside, now that the port is known."""
    local = settings.domain == "localhost"
    port = "" if https_port == 443 else f":{https_port}"
    return Urls(
        api=f"https://localhost{port}" if local else f"https://api.{settings.domain}{port}",
        git=f"https://localhost{port}" if local else f"https://git.{settings.domain}{port}",
        domain=settings.domain,
        port=https_port,
        rendezvous=f"localhost:{https_port}" if local else f"api.{settings.domain}:{https_port}",
    )
