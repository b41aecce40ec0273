"""Homeport: your Heroku apps, home again."""

__version__ = "0.1.0"
