"""The Python buildpack."""

from homeport.buildpacks.python.buildpack import Python
from homeport.buildpacks.python.package_managers import looks_like_python

__all__ = ["Python", "looks_like_python"]
