"""Which apps use which tracker, and what the tracker should know of them. Read from the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import releases, tracker
from homeport.addons import records
from homeport.addons.provider import Resource
from homeport.addons.records import State
from homeport.state import Addon, App, Attachment

REMEMBERED_RELEASES = 10
"""Of each app: dynos of old releases may still run, with the old values of config vars."""

Mark = tuple[tuple[str, str | None], ...]
"""The apps of an add-on with their current releases: while these are the same, so is what is known of them."""


@dataclass(frozen=True)
class Tenant:
    """An add-on and the ids of the apps that it is attached to. `knowledge` is None where nothing has changed."""

    resource: Resource = field(repr=False)
    apps: tuple[str, ...]
    mark: Mark
    knowledge: tracker.Knowledge | None


def tenants(session: Session, service: str, known: Mapping[str, Mark]) -> list[Tenant]:
    """All add-ons of the service that are there. `known` has the marks that were seen last, by add-on."""
    attached: dict[str, dict[str, App]] = defaultdict(dict)
    wanted = (Addon.service == service, Addon.state == State.PROVISIONED.value, Addon.app_id.is_not(None))
    for attachment in session.scalars(select(Attachment).join(Addon, Addon.id == Attachment.addon_id).where(*wanted)):
        attached[attachment.addon_id][attachment.app_id] = attachment.app
    found = []
    for addon in session.scalars(select(Addon).where(*wanted)):
        apps = attached[addon.id]
        mark = tuple(sorted((app.id, app.current_release_id) for app in apps.values()))
        knowledge = None if known.get(addon.id) == mark else _knowledge(session, list(apps.values()))
        found.append(Tenant(records.resource(session, addon), tuple(sorted(apps)), mark, knowledge))
    return found


def _knowledge(session: Session, apps: list[App]) -> tracker.Knowledge:
    values: set[str] = set()
    versions: dict[str, str] = {}
    current = ""
    for app in apps:
        for release in reversed(releases.history(session, app, newest=REMEMBERED_RELEASES)):
            values |= tracker.sensitive(releases.variables(session, release), release.addon_vars)
            if release.slug is not None and release.slug.commit and len(apps) == 1:  # of two the newest is what runs
                versions[release.slug.commit] = f"v{release.version}"
        if len(apps) == 1 and app.current_release is not None:
            current = f"v{app.current_release.version}"
    return tracker.Knowledge(tracker.Hidden(frozenset(values)), versions, current)
