"""One class of settings per environment. `APP_SETTINGS` says which: `config.StagingConfig`, for example.

What is secret or differs from machine to machine comes from the environment; what differs between environments by
design stands here, where everybody can read it.
"""

import os
from pathlib import Path

HERE = Path(__file__).parent


def database_url(url: str | None) -> str:
    """The URL as SQLAlchemy wants it. Platforms write postgres://, which SQLAlchemy 1.4 and later refuse."""
    if not url:
        return f"sqlite:///{HERE / 'development.sqlite'}"
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)  # psycopg 3
    return url


def broker_url(url: str | None) -> str | None:
    """The URL as Celery wants it.

    Managed Redis is reached by TLS (rediss://) with a certificate that it signed itself: the connection is encrypted,
    and there is nobody to ask whether the certificate is genuine. Celery wants that said. Whoever does have a
    certificate to verify adds ?ssl_cert_reqs=required to the URL.
    """
    if url and url.startswith("rediss://") and "ssl_cert_reqs=" not in url:
        return f"{url}{'&' if '?' in url else '?'}ssl_cert_reqs=none"
    return url


class Config:
    """What holds everywhere unless a class below says otherwise."""

    DEBUG = False
    TESTING = False
    ENVIRONMENT = "production"

    SQLALCHEMY_DATABASE_URI = database_url(os.environ.get("DATABASE_URL"))
    SQLALCHEMY_ENGINE_OPTIONS = {
        "pool_pre_ping": True,  # a database may restart while we hold a connection
        "pool_size": 2,  # small plans allow 20 connections, for all processes of all dynos together
    }

    # The broker is nothing but a URL: Redis here, RabbitMQ (amqp://) by setting BROKER_URL.
    BROKER_URL = broker_url(os.environ.get("BROKER_URL") or os.environ.get("REDIS_URL"))

    MAX_CONTENT_LENGTH = 600 * 1024  # bytes of a request
    MAX_TEXT = 200_000  # characters that one may paste
    MAX_PAGE = 2 * 1024 * 1024  # bytes of a page that we fetch
    FETCH_SECONDS = 10
    FETCH_PRIVATE_ADDRESSES = os.environ.get("FETCH_PRIVATE_ADDRESSES") == "1"


class DevelopmentConfig(Config):
    DEBUG = True
    ENVIRONMENT = "development"


class TestingConfig(Config):
    TESTING = True
    ENVIRONMENT = "testing"
    SQLALCHEMY_DATABASE_URI = "sqlite://"  # in memory; the tests name a file
    SQLALCHEMY_ENGINE_OPTIONS = {}
    BROKER_URL = None


class StagingConfig(Config):
    """As production, and the pages say that it is not."""

    ENVIRONMENT = "staging"


class ProductionConfig(Config):
    pass
