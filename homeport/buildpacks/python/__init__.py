"""The Python buildpack."""

from homeport.buildpacks.python.buildpack import Python
from homeport.buildpacks.python.checks import READS_DATABASE_URL, SQLITE_ENGINE, SQLITE_URL
from homeport.buildpacks.python.django import SETTINGS_MODULE, manage_py
from homeport.buildpacks.python.foresight import Foresight, foresee
from homeport.buildpacks.python.guess import Guess, likely
from homeport.buildpacks.python.package_managers import has_manager, looks_like_python

__all__ = [
    "READS_DATABASE_URL",
    "SETTINGS_MODULE",
    "SQLITE_ENGINE",
    "SQLITE_URL",
    "Foresight",
    "Guess",
    "Python",
    "foresee",
    "has_manager",
    "likely",
    "looks_like_python",
    "manage_py",
]
