"""The life of an add-on's row. Each verb is one transaction; between them providers work, or the power fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import config
from homeport.addons import attaching, catalog, names, records
from homeport.addons.attaching import Renewal, Variables
from homeport.addons.catalog import Plan
from homeport.addons.provider import Resource
from homeport.addons.records import State
from homeport.errors import Conflict, Invalid
from homeport.state import Addon, App, Attachment, User, now


@dataclass(frozen=True)
class Wish:
    """What somebody asks for with `addons:create`."""

    plan: Plan
    name: str | None = None
    attachment: str | None = None
    options: Mapping[str, str] | None = None
    confirm: str | None = None


def order(session: Session, app_id: str, wish: Wish) -> Addon:
    """Write down what is wanted, `provisioning`, attached to its app.

    Raises `Invalid` and `ConfirmationRequired`.
    """
    app = session.get_one(App, app_id)
    kind = catalog.service(wish.plan.service)
    if not kind.multiple and any(addon.service == kind.name for addon in records.owned(session, app)):
        raise Invalid(f"{app.name} has {kind.title} already, and one is all that an app can have.")
    addon = Addon(
        app_id=app.id,
        name=_new_name(session, kind, wish.name),
        service=kind.name,
        plan=wish.plan.name,
        state=State.PROVISIONING.value,
        options=dict(wish.options or {}),
    )
    addon.app = app
    session.add(addon)
    session.flush()
    attaching.attach(session, addon, app, name=wish.attachment, confirm=wish.confirm)
    return addon


def provisioned(
    session: Session, addon_id: str, secret: Mapping[str, str], *, by: User | None, variables: Variables
) -> Addon | None:
    """The provider has made it: remember its secret and set the config vars. None if nobody wants it any more.

    `by` is who waits for it; where nobody does, the release says what has happened meanwhile. What it sets anew is in
    force at once: the password of before opens nothing any more.
    """
    addon = session.get(Addon, addon_id)
    if addon is None or addon.app is None or addon.state == State.DEPROVISIONED.value:
        return None
    was, before = addon.state, records.resource(session, addon)
    if was == State.PROVISIONED.value and before.secret == dict(secret):
        return addon
    addon.state = State.PROVISIONED.value
    addon.secret = config.vault(session).seal(secret)
    addon.updated_at = now()
    session.flush()
    after = records.resource(session, addon)
    for app in _apps(session, addon):
        named = attaching.names_on(session, addon, app)
        if was == State.PROVISIONED.value:
            description, renewal = f"Update {', '.join(named)} by {addon.service}", Renewal(addon, before, after)
            attaching.release_renewed(
                session, app, renewal, by=by or app.owner, description=description, variables=variables
            )
            continue
        if by is not None:
            description = f"Attach {', '.join(named)} (@ref:{addon.name})"
        else:
            listed = ", ".join(variable for name in named for variable in variables(after, name))
            description = f"@ref:{addon.name} completed provisioning, setting {listed or named[0]}."
        attaching.release_all(session, [app], description=description, variables=variables, by=by)
    return addon


def planned(
    session: Session, addon_id: str, plan: Plan, secret: Mapping[str, str], *, by: User, variables: Variables
) -> Addon:
    """The provider has given it another plan: write that down, in a release of each app that uses it."""
    addon = session.get_one(Addon, addon_id)
    before = records.resource(session, addon)
    addon.plan = plan.name
    addon.secret = config.vault(session).seal(secret)
    session.flush()
    renewal, description = (
        Renewal(addon, before, records.resource(session, addon)),
        f"Update {addon.name} to {plan.full_name}",
    )
    for app in _apps(session, addon):
        attaching.release_renewed(
            session, app, renewal, by=by, description=description, variables=variables, always=True
        )
    return addon


def rename(session: Session, addon: Addon, name: str) -> Addon:
    """Raises `Invalid` for a name that is taken or impossible."""
    addon = session.get_one(Addon, addon.id)
    if name != addon.name:
        addon.name = _free(session, names.check(name))
        session.flush()
    return addon


def attach(
    session: Session, addon: Addon, app: App, *, name: str | None, confirm: str | None, by: User, variables: Variables
) -> Attachment:
    """Attach it to the app, in a release. Raises `Invalid` and `ConfirmationRequired`."""
    addon, app = session.get_one(Addon, addon.id), session.get_one(App, app.id)
    attaching.require_sharing(addon, app)
    rival = attaching.replaced(session, app, name, addon)
    last_words = f"Detach {rival.name} (@ref:{rival.addon.name})" if rival else ""
    before = attaching.names_on(session, addon, app)
    attachment = attaching.attach(session, addon, app, name=name, confirm=confirm)
    if attachment.name in before or addon.state != State.PROVISIONED.value:
        return attachment
    if last_words:
        attaching.release_all(session, [app], description=last_words, variables=variables, by=by)
    description = f"Attach {attachment.name} (@ref:{addon.name})"
    attaching.release_all(session, [app], description=description, variables=variables, by=by)
    return attachment


def detach(session: Session, attachment: Attachment, *, by: User, variables: Variables) -> None:
    """Take it off its app, in a release. Its own app goes on owning it even if nothing is left of it there."""
    attachment = session.get_one(Attachment, attachment.id)
    addon, app = attachment.addon, attachment.app
    session.delete(attachment)
    session.flush()
    description = f"Detach {attachment.name} (@ref:{addon.name})"
    attaching.release_all(session, [app], description=description, variables=variables, by=by)


def destroy(session: Session, addon: Addon, *, by: User | None, force: bool, variables: Variables) -> None:
    """Take it off all apps, in releases, and leave the rest to its provider; its name is free at once.

    Raises `Conflict` if other apps use it, unless `force`.
    """
    addon = session.get_one(Addon, addon.id)
    apps = _apps(session, addon)
    others = sorted(app.name for app in apps if app.id != addon.app_id)
    if others and not force:
        raise Conflict(
            f"{addon.name} is attached to {', '.join(others)} too.",
            id="addon_in_use",
            why="These apps would lose it.",
            fix=f"Detach it from them, or say so: `heroku addons:destroy {addon.name} --force`.",
        )
    known_as = {app.id: ", ".join(attaching.names_on(session, addon, app)) for app in apps}
    name, was = addon.name, addon.state
    for attachment in records.attachments_of(session, addon):
        session.delete(attachment)
    addon.state = State.DEPROVISIONED.value
    addon.name = addon.id
    session.flush()
    if was != State.PROVISIONED.value:  # no app has had anything of it yet
        return
    for app in apps:
        description = f"Detach {known_as[app.id]} (@ref:{name})"
        attaching.release_all(session, [app], description=description, variables=variables, by=by)


def forget(session: Session, addon_id: str) -> None:
    """Its provider has cleared it away."""
    addon = session.get(Addon, addon_id)
    if addon is not None:
        session.delete(addon)


@dataclass(frozen=True)
class Duties:
    """What the loop finds to do."""

    provision: list[Resource]
    deprovision: list[Resource]
    tend: list[Resource]


def duties(session: Session, variables: Variables) -> Duties:
    """All add-ons by what is to be done about them; one whose app is gone is given up here."""
    rows = list(session.scalars(select(Addon).order_by(Addon.created_at)))
    for addon in rows:
        if addon.app_id is None and addon.state != State.DEPROVISIONED.value:
            destroy(session, addon, by=None, force=True, variables=variables)
    by_state = {state: [records.resource(session, row) for row in rows if row.state == state.value] for state in State}
    return Duties(by_state[State.PROVISIONING], by_state[State.DEPROVISIONED], by_state[State.PROVISIONED])


def _apps(session: Session, addon: Addon) -> list[App]:
    found = {attachment.app.id: attachment.app for attachment in records.attachments_of(session, addon)}
    return list(found.values())


def _new_name(session: Session, kind: catalog.Service, wanted: str | None) -> str:
    if wanted is not None:
        return _free(session, names.check(wanted))
    name = names.generate(kind)
    while _is_taken(session, name):
        name = names.generate(kind)
    return name


def _free(session: Session, name: str) -> str:
    if _is_taken(session, name):
        raise Invalid(f"Name {name} is already taken by another add-on.", fix="Choose another one.")
    return name


def _is_taken(session: Session, name: str) -> bool:
    return session.scalar(select(Addon.id).where(Addon.name == name)) is not None
