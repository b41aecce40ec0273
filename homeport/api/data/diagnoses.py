"""`pg:diagnose`. On Heroku another host makes these reports, and is sent the database's URL; here nobody needs it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from homeport import accounts, addons, apps
from homeport.accounts import Action
from homeport.addons import Report
from homeport.api.data.databases import SERVICE, wanted
from homeport.api.exchange import Call, Reply, created
from homeport.api.shapes import Shape, stamp
from homeport.errors import NotFound
from homeport.state import Addon, App


async def create(call: Call) -> Reply:
    """`{app, database}`: the name of an app, and of the config var by which it knows the database."""
    app, addon, name = await call.core.database.run(_asked, call)
    checks = await call.data.postgres.diagnose(await call.addons.resource(addon))
    return created(_shape(call.data.postgres.reports.keep(app.id, app.name, name, checks)))


async def info(call: Call) -> Reply:
    report = call.data.postgres.reports.find(call.params["report"])
    await call.core.database.run(_require_app, call, report)
    return Reply(_shape(report))


async def metrics(call: Call) -> Reply:
    """What Heroku's larger plans measure, and its CLI asks for before a diagnosis: nothing is measured here."""
    await wanted(call, Action.VIEW)
    return Reply({})


def _asked(session: Session, call: Call) -> tuple[App, Addon, str]:
    app = apps.find(session, call.body.text("app"))
    accounts.require(call.actor, Action.VIEW, app)
    accounts.require(call.actor, Action.OPERATE, app)
    variable = call.body.text("database")
    for attachment in addons.attachments(session, app):
        addon = attachment.addon
        if addon.service == SERVICE and variable in (attachment.name, f"{attachment.name}_URL"):
            return app, addon, variable
    raise NotFound("database", "Couldn't find that database.")


def _require_app(session: Session, call: Call, report: Report) -> None:
    """Whoever may see the app may see what was found of its database."""
    app = session.get(App, report.app_id)
    if app is None or not accounts.may(call.actor, Action.VIEW, app):
        raise NotFound("report", "Couldn't find that report.")


def _shape(report: Report) -> Shape:
    checks: list[dict[str, Any]] = [
        {"name": check.name, "status": check.status.value, "results": list(check.results)} for check in report.checks
    ]
    return {
        "app": report.app,
        "checks": checks,
        "created_at": stamp(report.created_at),
        "database": report.database,
        "id": report.id,
    }
