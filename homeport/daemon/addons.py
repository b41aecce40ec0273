"""The providers of add-ons that this platform has."""

from __future__ import annotations

from homeport import addons, router
from homeport.addons import Postgres, Provider, Servers, Site
from homeport.home import Home
from homeport.state import Database


def make_addons(home: Home, database: Database, *, domain: str, bind: tuple[str, ...]) -> addons.Addons:
    """Nothing is started here: a service's servers start with its first add-on."""
    return addons.Addons(database, providers(site(home, domain=domain, bind=bind)))


def site(home: Home, *, domain: str, bind: tuple[str, ...]) -> Site:
    authority = router.Authority(home.tls)
    local = domain == "localhost"
    return Site(
        home=home,
        servers=Servers(home.run / "servers", home.logs / "addons"),
        host="127.0.0.1" if local else domain,
        addresses=bind or (("127.0.0.1",) if local else ("*",)),
        certificate=lambda host: authority.leaf(host).read_bytes(),
    )


def providers(where: Site) -> list[Provider]:
    return [Postgres(where)]
