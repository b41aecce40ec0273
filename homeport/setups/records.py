"""App setups as records. One transaction each; between them the work is done, or the power fails."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import update
from sqlalchemy.orm import Session

from homeport import apps, releases
from homeport.errors import NotFound
from homeport.manifests import Manifest
from homeport.state import App, AppSetup, Build, Release, User

INTERRUPTED = "The platform was stopped while the app was set up. It can be destroyed and set up again."


@dataclass(frozen=True)
class Wish:
    """An app to be. `env` and `buildpacks` go above what the app.json says."""

    name: str | None = None
    region: str | None = None
    stack: str | None = None
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    buildpacks: Sequence[str] | None = None


@dataclass(frozen=True)
class Order:
    """A setup that was begun, for whom, and what it has made so far."""

    setup: AppSetup
    app: App
    by: User
    wish: Wish


def begin(session: Session, wish: Wish, by: User) -> Order:
    """The app is there at once, as on Heroku; the rest follows. Raises `Invalid`."""
    by = session.get_one(User, by.id)
    app = apps.create(session, owner=by, name=wish.name, region=wish.region, stack=wish.stack)
    releases.start(session, app, by)
    setup = AppSetup(user_id=by.id, app_id=app.id, app_name=app.name)
    session.add(setup)
    session.flush()
    return Order(setup, app, by, wish)


def find(session: Session, setup_id: str, by: User) -> AppSetup:
    """Raises `NotFound`."""
    setup = session.get(AppSetup, setup_id)
    if setup is None or setup.user_id != by.id:
        raise NotFound("app_setup", "Couldn't find that app setup.")
    return setup


def build_of(session: Session, setup: AppSetup) -> Build | None:
    return session.get(Build, setup.build_id) if setup.build_id is not None else None


def missing(manifest: Manifest, wish: Wish) -> list[str]:
    """The config vars that the app needs and nobody has given, in Heroku's words."""
    return [
        f"config var {variable.name} is required"
        for variable in manifest.env
        if variable.required and not variable.generated and variable.value is None and variable.name not in wish.env
    ]


def variables(manifest: Manifest, wish: Wish) -> dict[str, str]:
    """The config vars of the new app; secrets are made here."""
    found = {}
    for variable in manifest.env:
        if variable.generated and variable.name not in wish.env:
            found[variable.name] = secrets.token_hex(32)
        elif variable.value is not None:
            found[variable.name] = variable.value
    return {**found, **wish.env}


def configure(session: Session, order: Order, manifest: Manifest) -> Release:
    """Stack, buildpacks, config vars. Raises `Invalid`."""
    app = session.get_one(App, order.app.id)
    if manifest.stack is not None and order.wish.stack is None:
        apps.set_stack(session, app, manifest.stack)
    chosen = manifest.buildpacks if order.wish.buildpacks is None else order.wish.buildpacks
    if chosen:
        apps.set_buildpacks(session, app, list(chosen))
    values = variables(manifest, order.wish)
    release = releases.set_config(session, app, values, by=order.by) if values else releases.current(session, app)
    session.get_one(AppSetup, order.setup.id).success_url = manifest.success_url or None
    return release


def note_build(session: Session, order: Order, build_id: str) -> None:
    session.get_one(AppSetup, order.setup.id).build_id = build_id


def note_postdeploy(session: Session, order: Order, output: str, exit_code: int) -> None:
    setup = session.get_one(AppSetup, order.setup.id)
    setup.postdeploy_output, setup.postdeploy_exit_code = output, exit_code


def succeed(session: Session, order: Order) -> None:
    session.get_one(AppSetup, order.setup.id).status = "succeeded"


def fail(session: Session, order: Order, message: str, errors: Sequence[str] = (), *, keep_app: bool) -> None:
    """`keep_app`: there is something in it to look at; else it goes, as if nobody had asked for it."""
    setup = session.get_one(AppSetup, order.setup.id)
    setup.status, setup.failure_message, setup.manifest_errors = "failed", message, list(errors)
    app = session.get(App, order.app.id)
    if app is not None and not keep_app:
        apps.destroy(session, app)


def recover(session: Session) -> None:
    """What was under way when the platform was killed has failed."""
    under_way = update(AppSetup).where(AppSetup.status == "pending")
    session.execute(under_way.values(status="failed", failure_message=INTERRUPTED))
