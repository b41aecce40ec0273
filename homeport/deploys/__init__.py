"""One deploy, from left to right: source, build, release, release phase, rollout."""

from homeport.deploys.deploy import Deploys
from homeport.deploys.push import PushPolicy
from homeport.deploys.records import forget_old_builds, recover
from homeport.deploys.turns import Turns

__all__ = ["Deploys", "PushPolicy", "Turns", "forget_old_builds", "recover"]
