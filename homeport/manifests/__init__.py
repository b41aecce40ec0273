"""app.json: what an app says of itself, read and nothing more."""

from homeport.manifests.manifest import Addon, Dynos, Fault, Job, Manifest, Reading, Variable
from homeport.manifests.reading import LARGEST, NAME, read

__all__ = ["LARGEST", "NAME", "Addon", "Dynos", "Fault", "Job", "Manifest", "Reading", "Variable", "read"]
