"""Slugs: content-addressed layers on disk, and the records that name them."""

from homeport.slugs.layout import places
from homeport.slugs.records import find_slug, known_slug, layers_in_use, record
from homeport.slugs.scratch import Scratch
from homeport.slugs.store import Store
from homeport.slugs.trees import fingerprint, measure, remove
from homeport.slugs.unpacking import unpack

__all__ = [
    "Scratch",
    "Store",
    "find_slug",
    "fingerprint",
    "known_slug",
    "layers_in_use",
    "measure",
    "places",
    "record",
    "remove",
    "unpack",
]
