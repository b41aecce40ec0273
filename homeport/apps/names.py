"""App names: the rule, and pleasant ones for those who don't care."""

from __future__ import annotations

import re
import secrets

from homeport.errors import Invalid

_RULE = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")
_RESERVED = frozenset({"api", "git", "www", "dashboard", "registry", "data", "localhost", "homeport", "status"})

_ADJECTIVES = """
    airy amber ample autumn balmy bold brave breezy bright brisk calm candid cedar clear cobalt coral
    cosy crisp dapper dawn deft eager early evening fair fern fleet frosty gentle glad golden green
    hardy hazel honest humble indigo ivory jolly keen kind lively lucid lunar maple merry mild misty
    mossy nimble noble olive opal patient placid plucky polar quick quiet rapid ruby rustic sage sandy
    serene silver sleek snowy solar spry steady stout sunny swift teal tidal tidy umber velvet vivid
    warm western windy witty
""".split()
_NOUNS = """
    acorn anchor atoll bay beacon birch bluff brook buoy canyon cape cliff cloud coast compass cove
    creek crest delta dock dune eddy falls ferry field fjord forest garden glade glen grove gulf harbour
    haven heath hill inlet island jetty keel kelp lagoon lake lantern ledge lighthouse marsh mast meadow
    mesa mooring oar orchard pebble pier pine plain pond port prairie quay reef ridge river rudder sail
    shoal shore skiff sound spring strand stream summit tarn thicket tide trail vale valley wave wharf
    wood
""".split()


def check(name: str) -> str:
    """The name, if it can be one: https://devcenter.heroku.com/articles/platform-api-reference#app gives the rule.

    Raises `Invalid`.
    """
    if not _RULE.fullmatch(name) or "--" in name:
        raise Invalid(
            "Name must start with a letter, end with a letter or digit and can only contain lowercase letters, "
            "digits, and dashes, 3 to 30 of them.",
            why="It becomes a host name.",
        )
    if name in _RESERVED:
        raise Invalid(f"Name {name} is reserved for the platform itself.", fix="Choose another one.")
    return name


def generate() -> str:
    """Something like "quiet-harbour-48213"."""
    number = 10_000 + secrets.randbelow(90_000)
    return f"{secrets.choice(_ADJECTIVES)}-{secrets.choice(_NOUNS)}-{number}"
