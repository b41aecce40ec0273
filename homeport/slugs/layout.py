"""Where the layers of a slug appear in a dyno's home folder. Pure; the first word of a layer's key says what it is."""

from __future__ import annotations

from collections.abc import Sequence

_PLACES = {
    "python": ".heroku/python",  # as on Heroku
    "node": ".heroku/node",
    "modules": "node_modules",
    "conda": ".heroku/conda",
}


def places(layers: Sequence[str]) -> dict[str, str]:
    """Path below the home folder -> key of the layer that is found there. Of two of a kind the first one is."""
    found: dict[str, str] = {}
    for key in layers:
        place = _PLACES.get(key.partition("-")[0])
        if place is not None:
            found.setdefault(place, key)
    return found
