"""The conda buildpack."""

from homeport.buildpacks.conda.buildpack import Conda
from homeport.buildpacks.conda.environment import looks_like_conda

__all__ = ["Conda", "looks_like_conda"]
