"""Attaching and detaching: which app knows an add-on by which name, and the releases that come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import releases
from homeport.addons import catalog, names, records
from homeport.addons.provider import Resource
from homeport.addons.records import State
from homeport.errors import ConfirmationRequired, Invalid
from homeport.state import Addon, App, Attachment, Release, User

Variables = Callable[[Resource, str], dict[str, str]]
"""The config vars of a resource's attachment of that name: `Provider.config_vars` of the right provider."""


def attach(
    session: Session, addon: Addon, app: App, *, name: str | None = None, confirm: str | None = None
) -> Attachment:
    """Write the attachment down; config vars are `release`'s business.

    One that is there already is returned as it is. Raises `Invalid`, and `ConfirmationRequired` where something would
    be overwritten and `confirm` isn't the app's name.
    """
    kind = catalog.service(addon.service)
    if name is None:
        chosen = names.attachment(kind, _taken(session, app, kind.suffixes))
    else:
        chosen = names.check_attachment(name)
        present = _named(session, app, chosen)
        if present is not None and present.addon_id == addon.id:
            return present
        _require_free(session, app, chosen, present, kind.suffixes, confirmed=confirm == app.name)
        if present is not None:
            session.delete(present)
            session.flush()
    attachment = Attachment(addon_id=addon.id, app_id=app.id, name=chosen)
    attachment.addon = session.get_one(Addon, addon.id)
    attachment.app = session.get_one(App, app.id)
    session.add(attachment)
    session.flush()
    return attachment


def release(session: Session, app: App, *, by: User, description: str, variables: Variables) -> Release:
    """A release of the app with the config vars of all that is attached to it now."""
    now = attached(session, app, variables)
    return releases.set_addon_vars(session, app, now.values, plans=now.plans, by=by, description=description)


def attached(session: Session, app: App, variables: Variables) -> releases.Attached:
    """What a release of the app should have of add-ons."""
    values: dict[str, str] = {}
    for attachment in records.attachments(session, app):
        addon = attachment.addon
        if addon.state == State.PROVISIONED.value and addon.secret is not None:
            values |= variables(records.resource(session, addon), attachment.name)
    plans = tuple(records.plan_of(addon).full_name for addon in records.owned(session, app))
    return releases.Attached(values, plans)


@dataclass(frozen=True)
class Renewal:
    """An add-on that was there before and is another now: a password, an address, a plan."""

    addon: Addon
    before: Resource
    after: Resource


def release_renewed(
    session: Session,
    app: App,
    renewal: Renewal,
    *,
    by: User,
    description: str,
    variables: Variables,
    always: bool = False,
) -> Release | None:
    """A release of the app with what it runs with renewed, in force at once: what was before leads nowhere any more.

    None if it runs with none of what is another now, unless `always`.
    """
    now = attached(session, app, variables)
    current = releases.current(session, app)
    there = releases.variables(session, current)
    there = {name: there[name] for name in current.addon_vars if name in there}
    values = dict(now.values)
    if releases.has_command(current.slug):  # some of what is attached may wait for a command, or have failed with it
        named = names_on(session, renewal.addon, app)
        values = renewed(there, [(variables(renewal.before, name), variables(renewal.after, name)) for name in named])
    if values == there and not always:
        return None
    return releases.set_addon_vars(session, app, values, plans=now.plans, by=by, description=description, at_once=True)


def renewed(there: Mapping[str, str], changes: Iterable[tuple[dict[str, str], dict[str, str]]]) -> dict[str, str]:
    """Config vars that an app runs with, renewed. Pure.

    `changes` are what each of an add-on's attachments gave before, and what it gives now. Values count, not names: the
    app may still run with this database by the name of DATABASE, while another is waiting to be that.
    """
    values = dict(there)
    for old, new in changes:
        instead = {old[name]: value for name, value in new.items() if name in old and old[name] != value}
        values = {name: instead.get(value, value) for name, value in values.items()}
        if not values.keys().isdisjoint(new):
            values |= {name: value for name, value in new.items() if name not in old}
    return values


def release_all(
    session: Session, apps: Iterable[App], *, description: str, variables: Variables, by: User | None = None
) -> list[Release]:
    """A release for each of the apps, by its owner unless somebody is named."""
    return [
        release(session, app, by=by or app.owner, description=description, variables=variables)
        for app in {app.id: app for app in apps}.values()
    ]


def names_on(session: Session, addon: Addon, app: App) -> list[str]:
    """The add-on's attachments on that app, by name."""
    return [found.name for found in records.attachments_of(session, addon) if found.app_id == app.id]


def replaced(session: Session, app: App, name: str | None, addon: Addon) -> Attachment | None:
    """The attachment that would have to make room for one of this name."""
    present = _named(session, app, names.check_attachment(name)) if name else None
    return present if present is not None and present.addon_id != addon.id else None


def _named(session: Session, app: App, name: str) -> Attachment | None:
    return session.scalar(select(Attachment).where(Attachment.app_id == app.id, Attachment.name == name))


def _taken(session: Session, app: App, suffixes: tuple[str, ...]) -> set[str]:
    """Names of attachments, and those whose config vars somebody has set by hand."""
    attached = {attachment.name for attachment in records.attachments(session, app)}
    return attached | {
        own.removesuffix(suffix) for own in _own(session, app) for suffix in suffixes if own.endswith(suffix)
    }


def _own(session: Session, app: App) -> set[str]:
    """The config vars that are not add-ons'."""
    current = releases.current(session, app)
    return set(releases.variables(session, current)) - set(current.addon_vars)


def _require_free(
    session: Session, app: App, name: str, present: Attachment | None, suffixes: tuple[str, ...], *, confirmed: bool
) -> None:
    if confirmed:
        return
    own = sorted(_own(session, app).intersection(name + suffix for suffix in suffixes))
    if present is not None:
        raise ConfirmationRequired(
            f"{name} is the name of {present.addon.name}'s attachment to {app.name}, which would be replaced.",
            fix=f"If you mean it, confirm with the app's name: --confirm {app.name}",
        )
    if own:
        raise ConfirmationRequired(
            f"Attaching {name} to {app.name} overwrites its config var {', '.join(own)}.",
            fix=f"If you mean it, confirm with the app's name: --confirm {app.name}",
        )


def require_unshared(session: Session, app: App) -> None:
    """Raises `Invalid` (`addon_in_use`) when other apps use add-ons of the app's, which would go with it.

    Heroku destroys them without a word about the others; its `addons:destroy` asks for --force in the same case.
    """
    users = {addon: _others(session, addon, app) for addon in records.owned(session, app)}
    shared = {addon: others for addon, others in users.items() if others}
    if not shared:
        return
    used = "; ".join(f"{addon.name} is attached to {_listed(others)} too" for addon, others in shared.items())
    detach = [
        f"  heroku addons:detach {attachment.name} -a {attachment.app.name}"
        for others in shared.values()
        for attachment in others
    ]
    for_all = [f"  heroku addons:destroy {addon.name} -a {app.name} --force" for addon in shared]
    raise Invalid(
        f"{app.name} owns add-ons that other apps use: {used}.",
        id="addon_in_use",
        why="With the app they would be destroyed for all, and what is in them.",
        fix="\n".join(
            (
                "If the other apps can do without, detach them first:",
                *detach,
                "Or destroy them for all, if you mean it:",
                *for_all,
                f"Then destroy {app.name} again.",
            )
        ),
    )


def _others(session: Session, addon: Addon, app: App) -> list[Attachment]:
    """The attachments of an add-on of the app's to other apps."""
    return [found for found in records.attachments_of(session, addon) if found.app_id != app.id]


def _listed(found: list[Attachment]) -> str:
    return ", ".join(f"{attachment.app.name} as {attachment.name}" for attachment in found)


def require_sharing(addon: Addon, app: App) -> None:
    """Raises `Invalid` when this kind of add-on works for its own app only."""
    if addon.app_id != app.id and not catalog.service(addon.service).sharing:
        raise Invalid(f"{addon.service} can't be shared: {addon.name} works for its own app only.")
