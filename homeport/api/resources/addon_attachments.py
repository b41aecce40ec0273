"""Add-ons as apps know them: `addons:attach`, `addons:detach`, and what every pg command begins with."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import accounts, addons
from homeport.accounts import Action
from homeport.api.exchange import Call, Reply, created
from homeport.api.ranges import Keys
from homeport.api.resources import plans
from homeport.api.resources.addon_pages import web_url
from homeport.api.resources.addons import find, named_app, say_release
from homeport.api.shapes import Shape, app_ref, moment, stamp
from homeport.errors import Invalid, NotFound
from homeport.state import Addon, App, Attachment

KEYS: Keys[Attachment] = {
    "name": lambda found: f"{found.name}~{found.id}",
    "id": lambda found: found.id,
    "created_at": lambda found: moment(found.created_at, found.id),
}


def shape(call: Call, session: Session, attachment: Attachment) -> Shape:
    """With its config vars and its add-on's plan if the client asks so (`Accept-Inclusion: addon:plan,config_vars`)."""
    addon, wanted = attachment.addon, call.accepted("accept-inclusion")
    plan = {"plan": plans.reference(addons.plan_of(addon))} if "addon:plan" in wanted else {}
    config = {"config_vars": call.addons.variable_names(session, attachment)} if "config_vars" in wanted else {}
    return {
        "addon": {"app": app_ref(addon.app) if addon.app else None, "id": addon.id, "name": addon.name, **plan},
        "app": app_ref(attachment.app),
        **config,
        "created_at": stamp(attachment.created_at),
        "id": attachment.id,
        "log_input_url": None,
        "name": attachment.name,
        "namespace": None,
        "updated_at": stamp(attachment.updated_at),
        "web_url": web_url(call, addon),
    }


def index(call: Call, session: Session) -> Reply:
    return _listing(call, session, addons.attachments_for(session, call.actor.user))


def of_app(call: Call, session: Session) -> Reply:
    return _listing(call, session, addons.attachments(session, call.app))


def of_addon(call: Call, session: Session) -> Reply:
    return _listing(call, session, addons.attachments_of(session, find(call, session, Action.VIEW)))


def info(call: Call, session: Session) -> Reply:
    """On an app by name too."""
    return Reply(shape(call, session, _find(call, session, Action.VIEW)))


def resolve(call: Call, session: Session) -> Reply:
    """`{addon_attachment, app, addon_service}`: everything that may be meant."""
    body, user = call.body, call.actor.user
    app = named_app(call, session, body.reference("app"))
    service = body.reference("addon_service")
    found = addons.resolve_attachment(session, user, body.text("addon_attachment"), app, service=service)
    return Reply([shape(call, session, attachment) for attachment in found])


async def create(call: Call) -> Reply:
    body = call.body
    if body.optional_text("namespace"):
        raise Invalid("Add-ons have one credential each here.", id="not_here_yet", fix="Leave --credential out.")
    addon, app = await call.core.database.run(_parties, call)
    attachment = await call.addons.attach(
        addon, app, by=call.actor.user, name=body.optional_text("name"), confirm=body.optional_text("confirm")
    )
    await say_release(call, app)
    return created(await call.core.database.run(_shape_of, call, attachment.id))


async def destroy(call: Call) -> Reply:
    attachment, last = await call.core.database.run(_found_with_shape, call)
    await call.addons.detach(attachment, by=call.actor.user)
    await say_release(call, attachment.app)
    return Reply(last)


def _parties(session: Session, call: Call) -> tuple[Addon, App]:
    """Who is to be attached to whom. Attaching shows the add-on's secrets to the app."""
    app = named_app(call, session, call.body.reference("app"))
    if app is None:
        raise Invalid("app is required.")
    reference = call.body.reference("addon") or call.body.text("addon")
    addon = addons.find(session, reference)
    if addon.app is None or not accounts.may(call.actor, Action.VIEW, addon.app):
        raise NotFound("add_on", "Couldn't find that add-on.")
    for party in (app, addon.app):
        accounts.require(call.actor, Action.DEPLOY, party)
    return addon, app


def _find(call: Call, session: Session, action: Action) -> Attachment:
    attachment = addons.find_attachment(session, call.params["attachment"], call.known_app)
    if not accounts.may(call.actor, Action.VIEW, attachment.app):
        raise NotFound("attachment", "Couldn't find that add-on attachment.")
    accounts.require(call.actor, action, attachment.app)
    return attachment


def _shape_of(session: Session, call: Call, attachment_id: str) -> Shape:
    return shape(call, session, session.get_one(Attachment, attachment_id))


def _found_with_shape(session: Session, call: Call) -> tuple[Attachment, Shape]:
    attachment = _find(call, session, Action.OPERATE)
    return attachment, shape(call, session, attachment)


def _listing(call: Call, session: Session, rows: list[Attachment]) -> Reply:
    return call.listing(rows, lambda attachment: shape(call, session, attachment), KEYS)
