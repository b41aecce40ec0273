"""One deploy, from left to right: source, build, release, release phase, rollout."""

from homeport.deploys.deploy import Deploys, RolloutReport, recover
from homeport.deploys.push import PushPolicy
from homeport.deploys.turns import Turns

__all__ = ["Deploys", "PushPolicy", "RolloutReport", "Turns", "recover"]
