"""Buildpacks: a source folder becomes layers, run-time variables and process types."""

from homeport.buildpacks.failures import DOCS, BuildFailed, FailureId
from homeport.buildpacks.interface import Buildpack, Compiled, Finished, Project, Shell, Show
from homeport.buildpacks.voice import Output, Voice

__all__ = [
    "DOCS",
    "BuildFailed",
    "Buildpack",
    "Compiled",
    "FailureId",
    "Finished",
    "Output",
    "Project",
    "Shell",
    "Show",
    "Voice",
]
