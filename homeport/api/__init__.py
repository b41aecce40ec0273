"""The Platform API v3 over HTTP. No rules live here: handlers call the rooms' verbs and shape what they return."""

from homeport.api.asgi import application
from homeport.api.authentication import presented_secret
from homeport.api.parts import Core, Data, Deployer, Fleet, Pipelines, Urls

__all__ = ["Core", "Data", "Deployer", "Fleet", "Pipelines", "Urls", "application", "presented_secret"]
