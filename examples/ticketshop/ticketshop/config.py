"""One class of settings per place where the shop runs; PRODUCTION chooses.

python-decouple looks a name up in the environment first, then in a file .env. So the same code runs on a dyno, where
`heroku config:set` filled the environment, and at home, where .env stands in for it.
"""

from __future__ import annotations

import secrets
from typing import Any

from decouple import config


class Config:
    """What is the same everywhere."""

    PRODUCTION = False
    TOKEN_LIFETIME = 7 * 24 * 3600  # seconds
    MAX_CONTENT_LENGTH = 64 * 1024  # bytes of a request: orders are small
    SEND_FILE_MAX_AGE_DEFAULT = 31_536_000  # Vite puts a hash in the name of every asset: they never change

    def __init__(self) -> None:
        url = database_url(config("DATABASE_URL", default="sqlite:///ticketshop.sqlite"))
        self.SQLALCHEMY_DATABASE_URI = url
        self.SQLALCHEMY_ENGINE_OPTIONS = engine_options(url)


class Development(Config):
    """At home. A key made at random keeps a shop safe that forgot PRODUCTION=True: its tokens die with the process."""

    def __init__(self) -> None:
        super().__init__()
        self.SECRET_KEY = config("SECRET_KEY", default=secrets.token_hex(32))


class Production(Config):
    """On a dyno. There is no default for the key: all dynos must share one that nobody else knows."""

    PRODUCTION = True

    def __init__(self) -> None:
        super().__init__()
        self.SECRET_KEY = config("SECRET_KEY")


def chosen() -> Config:
    return Production() if config("PRODUCTION", default=False, cast=bool) else Development()


def database_url(url: str) -> str:
    """Heroku says postgres://, SQLAlchemy knows only postgresql://, and psycopg 3 has to be asked for by name."""
    scheme, separator, rest = url.partition("://")
    return "postgresql+psycopg://" + rest if scheme in ("postgres", "postgresql") else scheme + separator + rest


def engine_options(url: str) -> dict[str, Any]:
    """Small databases allow 20 connections, shared by all dynos: 3 dynos with 2 workers of 3 connections fit in.

    Of the three only one is kept open when it is quiet, which leaves room for the dynos of the next release while those
    of this one still run. The threads of a worker take turns.
    """
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": 15}}  # seconds that a writer waits for another
    size, overflow = config("DATABASE_POOL", default=1, cast=int), config("DATABASE_OVERFLOW", default=2, cast=int)
    return {"pool_size": size, "max_overflow": overflow, "pool_pre_ping": True, "pool_recycle": 300}
