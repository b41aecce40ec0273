"""Builds: fetch the source, run the buildpack in a limited shell, make the slug."""

from homeport.buildpacks import BuildFailed, FailureId, Output
from homeport.builds.builder import Builder, Limits
from homeport.builds.job import Built, Job, Previous
from homeport.builds.subdirectory import app_folder
from homeport.builds.subdirectory import candidates as app_folders
from homeport.builds.tail import Tail

__all__ = [
    "BuildFailed",
    "Builder",
    "Built",
    "FailureId",
    "Job",
    "Limits",
    "Output",
    "Previous",
    "Tail",
    "app_folder",
    "app_folders",
]
