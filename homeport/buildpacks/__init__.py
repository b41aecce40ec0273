"""Buildpacks: a source folder becomes layers, run-time variables and process types."""

from homeport.buildpacks.bare import Bare
from homeport.buildpacks.classic import Classic
from homeport.buildpacks.conda import Conda, looks_like_conda
from homeport.buildpacks.failures import DOCS, BuildFailed, FailureId
from homeport.buildpacks.interface import BUILD_PATH, RUN_PATH, Buildpack, Compiled, Finished, Project, Shell, Show
from homeport.buildpacks.node import Node, looks_like_node
from homeport.buildpacks.procfile import Procfile
from homeport.buildpacks.procfile import misspelt as misspelt_procfile
from homeport.buildpacks.procfile import parse as parse_procfile
from homeport.buildpacks.procfile import read as read_procfile
from homeport.buildpacks.python import (
    READS_DATABASE_URL,
    SETTINGS_MODULE,
    SQLITE_ENGINE,
    SQLITE_URL,
    Foresight,
    Guess,
    Python,
    foresee,
    has_manager,
    looks_like_python,
    manage_py,
)
from homeport.buildpacks.python import likely as guess
from homeport.buildpacks.python.hooks import PACKAGES as HOOK_PACKAGES
from homeport.buildpacks.python.interpreters import find as pythons
from homeport.buildpacks.reading import listing, read_bytes, read_text
from homeport.buildpacks.references import BuiltIn, Reference, Remote
from homeport.buildpacks.references import parse as parse_reference
from homeport.buildpacks.voice import Output, Voice

__all__ = [
    "BUILD_PATH",
    "DOCS",
    "HOOK_PACKAGES",
    "READS_DATABASE_URL",
    "RUN_PATH",
    "SETTINGS_MODULE",
    "SQLITE_ENGINE",
    "SQLITE_URL",
    "Bare",
    "BuildFailed",
    "Buildpack",
    "BuiltIn",
    "Classic",
    "Compiled",
    "Conda",
    "FailureId",
    "Finished",
    "Foresight",
    "Guess",
    "Node",
    "Output",
    "Procfile",
    "Project",
    "Python",
    "Reference",
    "Remote",
    "Shell",
    "Show",
    "Voice",
    "foresee",
    "guess",
    "has_manager",
    "listing",
    "looks_like_conda",
    "looks_like_node",
    "looks_like_python",
    "manage_py",
    "misspelt_procfile",
    "parse_procfile",
    "parse_reference",
    "pythons",
    "read_bytes",
    "read_procfile",
    "read_text",
]
