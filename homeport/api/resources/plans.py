"""The plans of an add-on service: `addons:plans`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport.addons import Plan
from homeport.api.exchange import Call, Reply
from homeport.api.ranges import Keys
from homeport.api.resources import addon_services
from homeport.api.shapes import EPOCH, Shape, fixed_id, named
from homeport.errors import NotFound

KIND = "plan"
KEYS: Keys[Plan] = {"name": lambda plan: plan.full_name, "id": lambda plan: fixed_id(KIND, plan.full_name)}

PRICE = {"cents": 0, "contract": False, "unit": "month"}
"""Nothing costs anything here: the machine is yours."""


def reference(plan: Plan) -> Shape:
    return named(KIND, plan.full_name)


def shape(plan: Plan) -> Shape:
    return {
        "addon_service": named(addon_services.KIND, plan.service),
        "compliance": None,
        "created_at": EPOCH,
        "default": plan.default,
        "description": f"{plan.service} {plan.title}",
        "human_name": plan.title,
        "id": fixed_id(KIND, plan.full_name),
        "installable_inside_private_network": False,
        "installable_outside_private_network": True,
        "name": plan.full_name,
        "price": dict(PRICE),
        "space_default": False,
        "state": "public" if plan.visible else "deprecated",
        "updated_at": EPOCH,
        "visible": plan.visible,
    }


def index(call: Call, _session: Session) -> Reply:
    plans = [plan for plan in addon_services.find(call).plans if plan.visible]
    return call.listing(plans, shape, KEYS)


def info(call: Call, _session: Session) -> Reply:
    """Also where the path names its service."""
    services = [addon_services.find(call)] if "service" in call.params else call.addons.services
    wanted = call.params["plan"]
    for service in services:
        for plan in service.plans:
            if wanted in (plan.full_name, fixed_id(KIND, plan.full_name)):
                return Reply(shape(plan))
        if "service" in call.params and (found := service.plan(wanted)) is not None:
            return Reply(shape(found))
    of = services[0].name if "service" in call.params else None
    raise NotFound(
        "plan",
        f"Couldn't find the add-on plan {wanted[:100]!r}" + (f" of {of}." if of else "."),
        fix=f"See the plans that there are: `heroku addons:plans {of}`." if of else "",
    )


def wanted(call: Call, reference: str, *, service: str | None = None) -> Plan:
    """The plan that a body names: by id, "service:plan", a service alone, or, of this `service`, by its own name.

    Raises `NotFound` and `Invalid`.
    """
    for known in call.addons.services:
        for plan in known.plans:
            if reference == fixed_id(KIND, plan.full_name):
                return plan
    return call.addons.plan(reference if service is None or ":" in reference else f"{service}:{reference}")
