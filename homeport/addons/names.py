"""Names of add-ons and of attachments."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection

from homeport.addons.catalog import Service
from homeport.errors import Invalid

COLORS = """
    AMBER AQUA BLACK BLUE BRONZE BROWN CHARCOAL COBALT COPPER CRIMSON CYAN GOLD GRAY GREEN IVORY JADE MAROON MAUVE
    NAVY OLIVE ONYX ORANGE PINK PUCE PURPLE RED ROSE SILVER TEAL VIOLET WHITE YELLOW
""".split()

_SHAPES = """
    angular animate asymmetrical circular clean concave concentric contoured convex corrugated crystalline cubed
    curly curved cylindrical deep defined dimensional elliptical encircled fitted flat flexible fluffy globular
    graceful horizontal infinite lively metric octagonal opaque parallel perpendicular polished rectangular regular
    rigid round rugged shaped shallow sinuous slippery solid spherical square symmetrical tapered tetrahedral
    triangular trapezoidal vertical
""".split()

_ADDON = re.compile(r"[a-zA-Z][A-Za-z0-9_-]{0,255}")
_ATTACHMENT = re.compile(r"[A-Z][A-Z0-9_]{0,254}")


def generate(service: Service) -> str:
    """Something like "postgresql-curved-12345"."""
    return f"{service.stem}-{secrets.choice(_SHAPES)}-{10_000 + secrets.randbelow(90_000)}"


def check(name: str) -> str:
    """The name, if an add-on can be called so. Raises `Invalid`."""
    if not _ADDON.fullmatch(name):
        raise Invalid(
            "Name must start with a letter and can only contain letters, digits, underscores and dashes.",
            fix="Try something like `my-database`.",
        )
    return name


def check_attachment(name: str) -> str:
    """The name, if an attachment can be called so; in capitals. Raises `Invalid`."""
    upper = name.upper().replace("-", "_")
    if not _ATTACHMENT.fullmatch(upper):
        raise Invalid(
            "Attachment name must start with a letter and can only contain letters, digits and underscores.",
            why="Config vars are called by it.",
            fix="Try something like `ANALYTICS_DATABASE`.",
        )
    return upper


def attachment(service: Service, taken: Collection[str]) -> str:
    """The name of an attachment that nobody has named: DATABASE, then HEROKU_POSTGRESQL_AMBER and its like."""
    if service.first not in taken:
        return service.first
    free = [name for color in COLORS if (name := f"{service.further}_{color}") not in taken]
    if free:
        return secrets.choice(free)
    number = next(number for number in range(1, len(taken) + 2) if f"{service.further}_{number}" not in taken)
    return f"{service.further}_{number}"
