"""Slugs: content-addressed layers on disk, and the records that name them."""

from homeport.slugs.records import find_slug, layers_in_use, record

__all__ = ["find_slug", "layers_in_use", "record"]
