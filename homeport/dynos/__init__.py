"""Dynos: what should run, what does, and how the second follows the first."""

from homeport.dynos import sizes
from homeport.dynos.environment import trusting
from homeport.dynos.fleet import Fleet
from homeport.dynos.formation import Update, align_formation, commands, formation, scale
from homeport.dynos.limits import Limits
from homeport.dynos.one_offs import SECRET_PREFIX
from homeport.dynos.orders import find_dyno, running, serving
from homeport.dynos.outputs import Outputs
from homeport.dynos.rendezvous import Rendezvous
from homeport.dynos.rollout import RolloutResult
from homeport.dynos.sizes import Size
from homeport.dynos.states import State

__all__ = [
    "SECRET_PREFIX",
    "Fleet",
    "Limits",
    "Outputs",
    "Rendezvous",
    "RolloutResult",
    "Size",
    "State",
    "Update",
    "align_formation",
    "commands",
    "find_dyno",
    "formation",
    "running",
    "scale",
    "serving",
    "sizes",
    "trusting",
]
