"""Buildpacks: a source folder becomes layers, run-time variables and process types."""

from homeport.buildpacks.failures import DOCS, BuildFailed, FailureId
from homeport.buildpacks.interface import Buildpack, Compiled, Finished, Project, Shell, Show
from homeport.buildpacks.procfile import Procfile
from homeport.buildpacks.procfile import read as read_procfile
from homeport.buildpacks.python import Python
from homeport.buildpacks.reading import listing, read_text
from homeport.buildpacks.voice import Output, Voice

__all__ = [
    "DOCS",
    "BuildFailed",
    "Buildpack",
    "Compiled",
    "FailureId",
    "Finished",
    "Output",
    "Procfile",
    "Project",
    "Python",
    "Shell",
    "Show",
    "Voice",
    "listing",
    "read_procfile",
    "read_text",
]
