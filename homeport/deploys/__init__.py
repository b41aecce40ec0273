"""One deploy, from left to right: source, build, release, release phase, rollout."""

from homeport.deploys.archive import Archive
from homeport.deploys.deploy import Deploys
from homeport.deploys.launch import Journal, Launch, Launcher
from homeport.deploys.outputs import Outputs
from homeport.deploys.push import PushPolicy
from homeport.deploys.records import forget_old_builds, known_releases, make_current, recover
from homeport.deploys.releaser import Releaser
from homeport.deploys.turns import Turns

__all__ = [
    "Archive",
    "Deploys",
    "Journal",
    "Launch",
    "Launcher",
    "Outputs",
    "PushPolicy",
    "Releaser",
    "Turns",
    "forget_old_builds",
    "known_releases",
    "make_current",
    "recover",
]
