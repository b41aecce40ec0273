"""The Python buildpack."""

from homeport.buildpacks.python.buildpack import Python

__all__ = ["Python"]
