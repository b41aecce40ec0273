"""A Procfile on this machine: what `homeport local` needs, and no platform."""

from homeport.cli.local.crew import Crew, Worker
from homeport.cli.local.environment import read_files
from homeport.cli.local.planning import plan
from homeport.cli.local.procfile import read

__all__ = ["Crew", "Worker", "plan", "read", "read_files"]
