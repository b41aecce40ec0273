"""Geocoding: from the name of a place to where it is, by a small table in this folder. It asks nobody on the network."""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("gazetteer.csv")


@dataclass(frozen=True)
class Place:
    name: str
    latitude: float  # degrees, north is positive
    longitude: float  # degrees, east is positive


class Unknown(Exception):
    """Nobody here knows where that is."""

    def __init__(self, asked: str) -> None:
        super().__init__(f"We do not know where “{asked}” is. Try the next larger city.")
        self.asked = asked


def find(asked: str) -> Place:
    """The place of this name ("Zürich", "zurich", "Zurich, Switzerland"), or at "52.52, 13.40". Raises `Unknown`."""
    asked = asked.strip()[:80]
    place = _coordinates(asked) or _places().get(_plain(asked))
    if place is None:
        raise Unknown(asked)
    return place


def names() -> list[str]:
    """Of all places, for completion."""
    return sorted({place.name for place in _places().values()})


def _coordinates(asked: str) -> Place | None:
    try:
        latitude, longitude = (float(number) for number in asked.split(","))
    except ValueError:
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return Place("your position", latitude, longitude)


@cache
def _places() -> dict[str, Place]:
    """By their names, other names, and names with the country. Of two with one name the first in the table is meant."""
    places: dict[str, Place] = {}
    with TABLE.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            place = Place(row["name"], float(row["latitude"]), float(row["longitude"]))
            for name in (row["name"], *filter(None, row["also"].split("|"))):
                places.setdefault(_plain(name), place)
                places.setdefault(_plain(f"{name}, {row['country']}"), place)
    return places


def _plain(name: str) -> str:
    """Without accents, case, and what people put between words."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(sign if sign.isalnum() else " " for sign in letters if not unicodedata.combining(sign)).split())
