"""Starters: small apps to begin with, which run at once and deploy with the first push."""

from homeport.starters.starters import STARTERS, Starter, find, make

__all__ = ["STARTERS", "Starter", "find", "make"]
