"""Classic buildpacks: anybody's scripts, fetched by URL."""

from homeport.buildpacks.classic.buildpack import Classic

__all__ = ["Classic"]
