"""Domains: `domains`, `domains:add`, `domains:remove`, `domains:clear`, `domains:info`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from homeport import apps
from homeport.api.exchange import Call, Reply, created
from homeport.api.ranges import Keys
from homeport.api.shapes import Shape, app_ref, fixed_id, stamp
from homeport.errors import Invalid
from homeport.state import App, Domain


@dataclass(frozen=True)
class Hostname:
    """One of an app's host names: a custom domain, or its own under the platform's domain."""

    id: str
    hostname: str
    custom: bool
    created_at: datetime
    updated_at: datetime


KEYS: Keys[Hostname] = {"hostname": lambda name: name.hostname, "id": lambda name: name.id}


def _shape(call: Call) -> Callable[[Hostname], Shape]:
    """`status` none: nothing has to be waited for."""
    app, target = call.app, call.core.urls.app_host(call.app.name)
    return lambda name: {
        "acm_status": None,
        "acm_status_reason": None,
        "app": app_ref(app),
        "cname": target if name.custom else None,
        "created_at": stamp(name.created_at),
        "hostname": name.hostname,
        "id": name.id,
        "kind": "custom" if name.custom else "heroku",
        "sni_endpoint": None,
        "status": "none",
        "updated_at": stamp(name.updated_at),
    }


def _custom(row: Domain) -> Hostname:
    return Hostname(row.id, row.hostname, True, row.created_at, row.updated_at)


def _own(call: Call) -> Hostname:
    app: App = call.app
    host = call.core.urls.app_host(app.name)
    return Hostname(fixed_id("domain", app.id), host, False, app.created_at, app.updated_at)


def index(call: Call, session: Session) -> Reply:
    names = [_own(call), *(_custom(row) for row in apps.domains(session, call.app))]
    return call.listing(names, _shape(call), KEYS)


def info(call: Call, session: Session) -> Reply:
    return Reply(_shape(call)(_find(call, session)))


def create(call: Call, session: Session) -> Reply:
    row = apps.add_domain(session, call.app, call.body.text("hostname"))
    call.reroutes = True
    call.say(f"Add {row.hostname} to domains")
    if call.body.reference("sni_endpoint"):
        call.warn("Certificates of your own aren't here yet: sni_endpoint was left out.")
    return created(_shape(call)(_custom(row)))


def update(call: Call, session: Session) -> Reply:
    name = _find(call, session)
    if call.body.reference("sni_endpoint"):
        raise Invalid("Certificates of your own aren't here yet.", id="not_here_yet")
    return Reply(_shape(call)(name))


def destroy(call: Call, session: Session) -> Reply:
    name = _find(call, session)
    if not name.custom:
        raise Invalid(f"{name.hostname} is the app's own host name and can't be removed.")
    apps.remove_domain(session, call.app, apps.find_domain(session, call.app, name.id))
    call.say(f"Remove {name.hostname} from domains")
    return Reply(_shape(call)(name))


def _find(call: Call, session: Session) -> Hostname:
    own = _own(call)
    if call.params["domain"].lower() in (own.hostname, own.id):
        return own
    return _custom(apps.find_domain(session, call.app, call.params["domain"]))
