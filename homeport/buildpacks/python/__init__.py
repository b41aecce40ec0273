"""The Python buildpack."""

from homeport.buildpacks.python.buildpack import Python
from homeport.buildpacks.python.package_managers import has_manager, looks_like_python

__all__ = ["Python", "has_manager", "looks_like_python"]
