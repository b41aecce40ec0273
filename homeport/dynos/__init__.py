"""Dynos: what should run, what does, and how the second follows the first."""

from homeport.dynos import sizes
from homeport.dynos.actions import Why
from homeport.dynos.board import Ending
from homeport.dynos.environment import trusting
from homeport.dynos.fleet import Fleet
from homeport.dynos.formations import LIMIT as MOST_DYNOS
from homeport.dynos.formations import Update, align_formation, commands, formation, scale
from homeport.dynos.hands import OnEnd, nobody_listens
from homeport.dynos.limits import Limits
from homeport.dynos.one_offs import SECRET_PREFIX, Wish
from homeport.dynos.one_offs import create as create_one_off
from homeport.dynos.one_offs import started as one_off_started
from homeport.dynos.one_offs import wish as one_off_wish
from homeport.dynos.orders import find_dyno, running, serving
from homeport.dynos.outputs import Outputs
from homeport.dynos.rendezvous import Rendezvous
from homeport.dynos.rollout import RolloutResult
from homeport.dynos.sizes import Size
from homeport.dynos.sleeper import Sleeper
from homeport.dynos.states import State

__all__ = [
    "MOST_DYNOS",
    "SECRET_PREFIX",
    "Ending",
    "Fleet",
    "Limits",
    "OnEnd",
    "Outputs",
    "Rendezvous",
    "RolloutResult",
    "Size",
    "Sleeper",
    "State",
    "Update",
    "Why",
    "Wish",
    "align_formation",
    "commands",
    "create_one_off",
    "find_dyno",
    "formation",
    "nobody_listens",
    "one_off_started",
    "one_off_wish",
    "running",
    "scale",
    "serving",
    "sizes",
    "trusting",
]
