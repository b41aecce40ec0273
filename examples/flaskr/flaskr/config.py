"""Settings come from the environment: on a dyno from the config vars, at home from nothing at all."""

import os
from pathlib import Path
from typing import Any


def from_environment(instance_path: str) -> dict[str, Any]:
    on_a_dyno = "DYNO" in os.environ
    return {
        "SECRET_KEY": os.environ.get("SECRET_KEY") or (None if on_a_dyno else "only for development"),
        "SQLALCHEMY_DATABASE_URI": database_url(os.environ.get("DATABASE_URL"), instance_path),
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True},  # a database may restart while we hold a connection
        "SESSION_COOKIE_SECURE": on_a_dyno,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "MAX_CONTENT_LENGTH": 1024 * 1024,
    }


def database_url(url: str | None, instance_path: str | Path) -> str:
    """The URL as SQLAlchemy wants it: `DATABASE_URL` begins with postgres://, which SQLAlchemy does not know."""
    if not url:
        Path(instance_path).mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{Path(instance_path) / 'flaskr.sqlite'}"
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url
