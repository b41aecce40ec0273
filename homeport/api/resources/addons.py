"""Add-ons: `addons`, `addons:create`, `info`, `upgrade`, `rename`, `destroy`, `wait`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import accounts, addons, apps, releases
from homeport.accounts import Action
from homeport.addons import State, Wish
from homeport.api.exchange import Call, Reply, created
from homeport.api.fields import Fields
from homeport.api.ranges import Keys
from homeport.api.resources import addon_services, plans
from homeport.api.resources import releases as of_releases
from homeport.api.resources.account import oneself
from homeport.api.resources.addon_pages import web_url
from homeport.api.shapes import Shape, app_ref, moment, stamp
from homeport.errors import Invalid, NotFound
from homeport.state import Addon, App, Release

KEYS: Keys[Addon] = {
    "name": lambda addon: addon.name,
    "id": lambda addon: addon.id,
    "created_at": lambda addon: moment(addon.created_at, addon.id),
    "updated_at": lambda addon: moment(addon.updated_at, addon.id),
}


def shape(call: Call, session: Session, addon: Addon, *, is_new: bool = False) -> Shape:
    """Its plan and service by name, or whole if the client asks so (`Accept-Expansion: plan,addon_service`)."""
    plan, whole = addons.plan_of(addon), call.accepted("accept-expansion")
    own = [found for found in addons.attachments_of(session, addon) if found.app_id == addon.app_id]
    owner = app_ref(addon.app) if addon.app else {"id": addon.id, "name": ""}
    service = addons.service_of(addon)
    return {
        "actions": [],
        "addon_service": (addon_services.shape if "addon_service" in whole else addon_services.reference)(service),
        "app": owner,
        "billed_price": {"cents": 0, "contract": False, "unit": "month"},
        "billing_entity": {**owner, "type": "app"},
        "config_vars": [name for found in own for name in call.addons.variable_names(session, found)],
        "created_at": stamp(addon.created_at),
        "id": addon.id,
        "name": addon.name,
        "plan": (plans.shape if "plan" in whole else plans.reference)(plan),
        "provider_id": addon.id,
        "provision_message": service.greeting if is_new else "",
        "state": addon.state,
        "updated_at": stamp(addon.updated_at),
        "web_url": web_url(call, addon),
    }


def index(call: Call, session: Session) -> Reply:
    return _listing(call, session, addons.of_user(session, call.actor.user))


def of_user(call: Call, session: Session) -> Reply:
    return _listing(call, session, addons.of_user(session, oneself(call, session)))


def of_app(call: Call, session: Session) -> Reply:
    return _listing(call, session, addons.of_app(session, call.app))


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(call, session, find(call, session, Action.VIEW)))


def resolve(call: Call, session: Session) -> Reply:
    """`{addon, app, addon_service}`: everything that may be meant. The CLI tries again without the app on a 404."""
    body, user = call.body, call.actor.user
    app = named_app(call, session, body.reference("app"))
    found = addons.resolve(session, user, body.text("addon"), app, service=body.reference("addon_service"))
    return Reply([shape(call, session, addon) for addon in found])


async def create(call: Call) -> Reply:
    body = call.body
    plan = plans.wanted(call, body.reference("plan") or body.text("plan"))
    wish = Wish(
        plan=plan,
        name=body.optional_text("name"),
        attachment=body.nested("attachment").optional_text("name"),
        options=_options(body),
        confirm=body.optional_text("confirm"),
    )
    addon = await call.addons.create(call.app.id, wish, by=call.actor.user)
    if addon.state == State.PROVISIONED.value:
        await say_release(call, call.app)
    return created(await call.core.database.run(_shape_of, call, addon.id, is_new=True))


async def update(call: Call) -> Reply:
    """`{plan}` or `{name}`, or both."""
    body = call.body
    addon = await call.core.database.run(lambda session: find(call, session, Action.OPERATE))
    if (name := body.optional_text("name")) is not None:
        await call.addons.rename(addon, name)
    if (wanted := body.reference("plan")) is not None:
        plan = plans.wanted(call, wanted, service=addon.service)
        await call.addons.change_plan(addon, plan, by=call.actor.user)
        await say_release(call, call.app)
    return Reply(await call.core.database.run(_shape_of, call, addon.id))


async def destroy(call: Call) -> Reply:
    addon, last = await call.core.database.run(_found_with_shape, call)
    await call.addons.destroy(addon, by=call.actor.user, force=call.body.flag("force"))
    await say_release(call, call.app)
    return Reply({**last, "config_vars": [], "state": State.DEPROVISIONED.value})


def config(call: Call, session: Session) -> Reply:
    """What an add-on is configured with; nothing here is configured this way."""
    find(call, session, Action.VIEW)
    return Reply([])


def find(call: Call, session: Session, action: Action) -> Addon:
    """The add-on that the path names, by name or id. Raises `NotFound`, `Forbidden`."""
    addon = addons.find(session, call.params["addon"])
    inside = call.known_app is None or call.known_app.id in _apps(session, addon)
    if addon.app is None or not inside or not accounts.may(call.actor, Action.VIEW, addon.app):
        raise NotFound("add_on", "Couldn't find that add-on.", fix="See those that there are: `heroku addons --all`.")
    accounts.require(call.actor, action, addon.app)
    return addon


def named_app(call: Call, session: Session, name: str | None) -> App | None:
    """The app that a body names, if the caller may see it. Raises `NotFound`."""
    if name is None:
        return None
    app = apps.find(session, name)
    accounts.require(call.actor, Action.VIEW, app)
    return app


async def say_release(call: Call, app: App) -> None:
    """What has changed, for the app's log and its user."""
    release = await call.core.database.run(_newest, app.id)
    of_releases.say_release(call, app, release)


def _newest(session: Session, app_id: str) -> Release:
    return releases.history(session, session.get_one(App, app_id), newest=1)[0]


def _shape_of(session: Session, call: Call, addon_id: str, *, is_new: bool = False) -> Shape:
    return shape(call, session, session.get_one(Addon, addon_id), is_new=is_new)


def _found_with_shape(session: Session, call: Call) -> tuple[Addon, Shape]:
    addon = find(call, session, Action.MANAGE)
    return addon, shape(call, session, addon)


def _listing(call: Call, session: Session, rows: list[Addon]) -> Reply:
    return call.listing(rows, lambda addon: shape(call, session, addon), KEYS)


def _apps(session: Session, addon: Addon) -> set[str | None]:
    return {addon.app_id, *(found.app_id for found in addons.attachments_of(session, addon))}


def _options(body: Fields) -> dict[str, str]:
    """`-- --version=15 --fork DATABASE`: values as strings, a flag alone is "true". Raises `Invalid`."""
    options = {}
    for name, value in body.mapping("config").items():
        if isinstance(value, bool):
            value = "true" if value else "false"
        if not isinstance(value, str | int | float) or len(str(value)) > 1000:
            raise Invalid(f"config.{name} must be a string.")
        options[name] = str(value)
    return options
