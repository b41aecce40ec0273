"""The route table: which host names lead to which app, and what stands behind each app just now.

`table` reads it from the database; `decide` is the pure rule by which an app counts as up, starting, crashed and so on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport.state.models import App, Domain, Dyno, Formation, Release


class AppState(Enum):
    """What the router does with a request for an app."""

    UP = "up"
    """At least one web dyno takes requests."""
    STARTING = "starting"
    """Web dynos are wanted and on their way, none is up yet: requests wait (Heroku: H20 after 75 seconds)."""
    CRASHED = "crashed"
    """Web dynos are wanted, none is up, none is on its way (Heroku: H10)."""
    NO_WEB = "no_web"
    """Nothing was released yet, or web is scaled to zero (Heroku: H14)."""
    ASLEEP = "asleep"
    """Nobody asked for it for long. A request wakes it, and waits as for one that is starting."""
    MAINTENANCE = "maintenance"
    """The owner asked for the maintenance page, whatever runs (Heroku: H80)."""


@dataclass(frozen=True, order=True)
class Server:
    """One web dyno that takes requests."""

    dyno_id: str
    name: str
    host: str
    port: int


@dataclass(frozen=True)
class AppRoute:
    """One app: every host name that leads to it, and the dynos behind it (kept in sync in maintenance mode too)."""

    app_id: str
    name: str
    hostnames: tuple[str, ...]
    state: AppState
    servers: tuple[Server, ...] = ()


@dataclass(frozen=True)
class RouteTable:
    """All apps, ordered by id, so that equal truths are equal tables."""

    apps: tuple[AppRoute, ...] = ()


def decide(
    *, maintenance: bool, released: bool, wanted: int, dynos: Collection[str], routable: int, asleep: bool = False
) -> AppState:
    """The state of an app.

    `released`: its current release has a slug. `wanted`: the quantity of web in its formation. `dynos`: the states
    of its web dynos that were not told to stop. `routable`: how many of them take requests.
    `asleep`: its web dynos rest, or are about to.
    """
    if maintenance:
        return AppState.MAINTENANCE
    if routable:
        return AppState.UP
    if not released or wanted <= 0:
        return AppState.NO_WEB
    if asleep:
        return AppState.ASLEEP
    if "crashed" in dynos and "starting" not in dynos:
        return AppState.CRASHED
    return AppState.STARTING


def serving(current: Sequence[Server], earlier: Sequence[Server], *, wanted: int) -> tuple[Server, ...]:
    """Which of an app's up web dynos take requests: those of the current release alone, once all of them are up.

    Until then those of earlier releases help, so that nothing is overloaded; after that nobody may meet the old code
    any more, though its dynos may not have been told to go yet.
    """
    return tuple(sorted(current if len(current) >= max(wanted, 1) else (*current, *earlier)))


def table(session: Session, *, domain: str) -> RouteTable:
    """The route table as the database has it. `NAME.domain` and the app's own domains lead to an app."""
    hostnames: dict[str, list[str]] = defaultdict(list)
    for app_id, hostname in session.execute(select(Domain.app_id, Domain.hostname).order_by(Domain.hostname)):
        hostnames[app_id].append(hostname.lower())
    quantities = select(Formation.app_id, Formation.quantity).where(Formation.type == "web")
    wanted = {row.app_id: row.quantity for row in session.execute(quantities)}
    states: dict[str, set[str]] = defaultdict(set)
    current: dict[str, list[Server]] = defaultdict(list)
    earlier: dict[str, list[Server]] = defaultdict(list)
    for app_id, is_current, state, dyno_id, name, host, port in session.execute(
        select(
            Dyno.app_id, Dyno.release_id == App.current_release_id, Dyno.state, Dyno.id, Dyno.name, Dyno.host, Dyno.port
        )
        .join(App, App.id == Dyno.app_id)
        .join(Release, Release.id == Dyno.release_id)
        # The dynos of a release that is on its way out take no requests: it may yet fail. Nor do those of one that
        # has failed, in the moment before they are told to go.
        .where(Dyno.type == "web", Dyno.stop_by.is_(None), Release.status == "succeeded")
        .order_by(Dyno.id)
    ):
        states[app_id].add(state)
        if state == "up" and host is not None and port is not None:
            (current if is_current else earlier)[app_id].append(Server(dyno_id, name, host, port))
    servers = {
        app_id: serving(current[app_id], earlier[app_id], wanted=wanted.get(app_id, 0))
        for app_id in {*current, *earlier}
    }
    apps = session.execute(
        select(App.id, App.name, App.maintenance, Release.slug_id, App.asleep_release_id == App.current_release_id)
        .outerjoin(Release, Release.id == App.current_release_id)
        .order_by(App.id)
    )
    return RouteTable(
        tuple(
            AppRoute(
                app_id,
                name,
                (f"{name}.{domain}", *hostnames[app_id]),
                decide(
                    maintenance=maintenance,
                    released=slug_id is not None,
                    wanted=wanted.get(app_id, 0),
                    dynos=states[app_id],
                    routable=len(servers.get(app_id, ())),
                    asleep=bool(asleep),
                ),
                servers.get(app_id, ()),
            )
            for app_id, name, maintenance, slug_id, asleep in apps
        )
    )
