"""App setups: a new app from the app.json of its source."""

from homeport.setups.records import Wish, build_of, find, recover
from homeport.setups.setups import Setups

__all__ = ["Setups", "Wish", "build_of", "find", "recover"]
