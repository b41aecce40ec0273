"""The database: the truth about what should be."""

from homeport.state.database import Database, migrate, touch
from homeport.state.models import (
    App,
    Base,
    Build,
    BuildpackInstallation,
    Crash,
    Domain,
    Dyno,
    Feature,
    Formation,
    Key,
    Release,
    Slug,
    Token,
    User,
    new_id,
    now,
)

__all__ = [
    "App",
    "Base",
    "Build",
    "BuildpackInstallation",
    "Crash",
    "Database",
    "Domain",
    "Dyno",
    "Feature",
    "Formation",
    "Key",
    "Release",
    "Slug",
    "Token",
    "User",
    "migrate",
    "new_id",
    "now",
    "touch",
]
