"""Reading add-ons and attachments."""

from __future__ import annotations

from enum import Enum

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import config
from homeport.addons import catalog
from homeport.addons.catalog import Plan, Service
from homeport.addons.provider import Resource
from homeport.errors import NotFound
from homeport.state import Addon, App, Attachment, User


class State(Enum):
    """Where an add-on is in its life. These words are the wire's too."""

    PROVISIONING = "provisioning"
    """Asked for; its provider is making it, or will."""
    PROVISIONED = "provisioned"
    """There, and its config vars are set."""
    DEPROVISIONED = "deprovisioned"
    """No app's any more; its provider is clearing it away."""


def plan_of(addon: Addon) -> Plan:
    return catalog.plan(f"{addon.service}:{addon.plan}")


def service_of(addon: Addon) -> Service:
    return catalog.service(addon.service)


def resource(session: Session, addon: Addon) -> Resource:
    """The add-on as its provider sees it, secrets in clear."""
    secret = config.vault(session).open(addon.secret) if addon.secret else {}
    return Resource(addon.id, addon.name, plan_of(addon), dict(addon.options), secret)


def find(session: Session, ref: str) -> Addon:
    """By name or id, or by what an app calls it: `APP::ATTACHMENT`. Raises `NotFound`."""
    owner, _, name = ref.partition("::")
    attached = select(Attachment.addon_id).join(Attachment.app)
    as_attachment = Addon.id.in_(attached.where(App.name == owner, Attachment.name == name.upper()))
    matches = (Addon.name == ref) | (Addon.id == ref) | as_attachment
    addon = session.scalar(select(Addon).where(matches, *_THERE))
    if addon is None:
        raise _no_addon()
    return addon


def of_app(session: Session, app: App) -> list[Addon]:
    """Those that are the app's own, and those of other apps that are attached to it."""
    attached = select(Attachment.addon_id).where(Attachment.app_id == app.id)
    mine = (Addon.app_id == app.id) | Addon.id.in_(attached)
    return list(session.scalars(select(Addon).where(mine, *_THERE).order_by(Addon.name)))


def owned(session: Session, app: App) -> list[Addon]:
    """Those that are the app's own."""
    return [addon for addon in of_app(session, app) if addon.app_id == app.id]


def of_user(session: Session, user: User) -> list[Addon]:
    owned = select(App.id).where(App.owner_id == user.id)
    return list(session.scalars(select(Addon).where(Addon.app_id.in_(owned), *_THERE).order_by(Addon.name)))


def provisioned(session: Session) -> list[Resource]:
    """All that are there and wanted, as their providers see them."""
    wanted = select(Addon).where(Addon.state == State.PROVISIONED.value, Addon.app_id.is_not(None))
    return [resource(session, addon) for addon in session.scalars(wanted.order_by(Addon.created_at, Addon.id))]


def attachments(session: Session, app: App) -> list[Attachment]:
    return list(session.scalars(select(Attachment).where(Attachment.app_id == app.id).order_by(Attachment.name)))


def attachments_of(session: Session, addon: Addon) -> list[Attachment]:
    """On all apps, oldest first."""
    order = (Attachment.created_at, Attachment.name)
    return list(session.scalars(select(Attachment).where(Attachment.addon_id == addon.id).order_by(*order)))


def attachments_for(session: Session, user: User) -> list[Attachment]:
    """Those on the user's apps."""
    owned = select(App.id).where(App.owner_id == user.id)
    return list(session.scalars(select(Attachment).where(Attachment.app_id.in_(owned)).order_by(Attachment.name)))


def find_attachment(session: Session, id_or_name: str, app: App | None = None) -> Attachment:
    """By id; on an app by name too. Raises `NotFound`."""
    wanted = select(Attachment).where(Attachment.id == id_or_name)
    if app is not None:
        matches = (Attachment.id == id_or_name) | (Attachment.name == id_or_name.upper())
        wanted = select(Attachment).where(matches, Attachment.app_id == app.id)
    attachment = session.scalar(wanted)
    if attachment is None:
        raise NotFound("attachment", "Couldn't find that add-on attachment.")
    return attachment


def resolve(session: Session, user: User, ref: str, app: App | None, *, service: str | None = None) -> list[Addon]:
    """What the user may mean by an add-on's name or id, an attachment's name, or a service's.

    With an app, of those attached to it or owned by it. Raises `NotFound`: an ambiguous answer is the caller's to
    judge.
    """
    if app is not None:
        found = _named_on(session, app, ref)
    else:
        found = [addon for addon in of_user(session, user) if ref in (addon.id, addon.name)]
        if not found and "::" in ref:
            owner, _, name = ref.partition("::")
            found = [
                attachment.addon
                for attachment in attachments_for(session, user)
                if attachment.app.name == owner and attachment.name == name.upper()
            ]
        found = found or [addon for addon in of_user(session, user) if addon.service == ref]
    found = [addon for addon in found if service is None or addon.service == service]
    if not found:
        raise _no_addon()
    return found


def _named_on(session: Session, app: App, ref: str) -> list[Addon]:
    there = of_app(session, app)
    attached = {attachment.name: attachment.addon_id for attachment in attachments(session, app)}
    exactly = [addon for addon in there if ref in (addon.id, addon.name) or attached.get(ref.upper()) == addon.id]
    return exactly or [addon for addon in there if addon.service == ref]


def resolve_attachment(
    session: Session, user: User, ref: str, app: App | None, *, service: str | None = None
) -> list[Attachment]:
    """What the user may mean by an attachment's name, the name of a config var that it sets, its id, or an add-on's.

    Raises `NotFound`.
    """
    owner, separator, name = ref.partition("::")
    candidates = attachments(session, app) if app is not None else attachments_for(session, user)
    if separator:
        candidates = [found for found in attachments_for(session, user) if found.app.name == owner]
        ref = name
    names = {ref.upper(), ref.upper().removesuffix("_URL")}
    found = [attachment for attachment in candidates if attachment.id == ref or attachment.name in names]
    if not found:
        found = [attachment for attachment in candidates if ref in (attachment.addon.name, attachment.addon_id)]
    found = [attachment for attachment in found if service is None or attachment.addon.service == service]
    if not found:
        raise NotFound("attachment", "Couldn't find that add-on attachment.")
    return found


def _no_addon() -> NotFound:
    return NotFound("add_on", "Couldn't find that add-on.", fix="See those that there are: `heroku addons --all`.")


_THERE = (Addon.state != State.DEPROVISIONED.value, Addon.app_id.is_not(None))
