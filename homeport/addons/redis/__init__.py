"""`heroku-redis`: a server of its own for every add-on."""

from homeport.addons.redis import tuning
from homeport.addons.redis.facts import Facts
from homeport.addons.redis.provider import Redis
from homeport.addons.redis.tuning import Tuning

__all__ = ["Facts", "Redis", "Tuning", "tuning"]
