"""`homeport`: the command line. Heroku's topics and verbs, over HTTP to the Platform API; needs no Node."""

from homeport.cli.entry import main

__all__ = ["main"]
