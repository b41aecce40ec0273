"""One class of settings per environment; FLASK_CONFIG chooses.

Production is the default: an app that was deployed and not configured then refuses to start, where an app in development
mode would run, with a secret that everybody knows and a debugger that everybody can reach.
"""

from __future__ import annotations

import os
from typing import Any


class Config:
    """What is the same everywhere. Reads the environment when it is made, not when it is imported."""

    ENVIRONMENT = ""
    ITEMS_PER_PAGE = 12
    MAX_CONTENT_LENGTH = 8 * 1024 * 1024  # bytes of a request: the largest picture
    SESSION_COOKIE_SAMESITE = "Lax"
    SESSION_COOKIE_HTTPONLY = True
    RATELIMIT_HEADERS_ENABLED = True  # X-RateLimit-* and Retry-After
    RATELIMIT_IN_MEMORY_FALLBACK_ENABLED = True  # without Redis each process counts for itself; the API goes on

    def __init__(self) -> None:
        self.SECRET_KEY = os.environ.get("SECRET_KEY", "")
        self.SQLALCHEMY_DATABASE_URI = database_url(os.environ.get("DATABASE_URL", "postgres:///marketplace"))
        # Small databases allow 20 connections, shared by all dynos and their workers.
        self.SQLALCHEMY_ENGINE_OPTIONS = {"pool_size": 1, "max_overflow": 2, "pool_pre_ping": True}
        self.API_RATE_LIMIT = os.environ.get("API_RATE_LIMIT", "60 per minute")
        redis = os.environ.get("REDIS_URL", "")
        self.RATELIMIT_STORAGE_URI = redis or "memory://"
        self.RATELIMIT_STORAGE_OPTIONS = redis_options(redis)
        self.BUCKET = bucket()
        self.SENTRY_DSN = os.environ.get("SENTRY_DSN", "")


class Development(Config):
    ENVIRONMENT = "development"

    def __init__(self) -> None:
        super().__init__()
        self.SECRET_KEY = self.SECRET_KEY or "only at home"


class Testing(Config):
    """The tests bring their own database, count in memory and send nothing anywhere."""

    ENVIRONMENT = "testing"
    TESTING = True
    WTF_CSRF_ENABLED = False

    def __init__(self) -> None:
        super().__init__()
        self.SECRET_KEY = "test"
        self.SQLALCHEMY_DATABASE_URI = database_url(os.environ.get("TEST_DATABASE_URL", "postgres:///marketplace_test"))
        self.API_RATE_LIMIT = "5 per minute"
        self.RATELIMIT_STORAGE_URI, self.RATELIMIT_STORAGE_OPTIONS = "memory://", {}
        self.BUCKET, self.SENTRY_DSN = None, ""


class Production(Config):
    ENVIRONMENT = "production"
    SESSION_COOKIE_SECURE = True

    def __init__(self) -> None:
        super().__init__()
        if not self.SECRET_KEY:
            raise RuntimeError("SECRET_KEY is not set: heroku config:set SECRET_KEY=… (at home: FLASK_CONFIG=development)")


CLASSES = {chosen.ENVIRONMENT: chosen for chosen in (Development, Testing, Production)}


def chosen() -> Config:
    name = os.environ.get("FLASK_CONFIG", "production")
    if name not in CLASSES:
        raise RuntimeError(f"FLASK_CONFIG is {name!r}; it is one of {', '.join(CLASSES)}")
    return CLASSES[name]()


def database_url(url: str) -> str:
    """Heroku says postgres://, SQLAlchemy knows only postgresql://, and psycopg 3 has to be asked for by name."""
    scheme, separator, rest = url.partition("://")
    return "postgresql+psycopg://" + rest if scheme in ("postgres", "postgresql") else scheme + separator + rest


def redis_options(url: str) -> dict[str, Any]:
    """Heroku's Redis shows a certificate that it signed itself; nobody could check it, so nobody may insist."""
    return {"ssl_cert_reqs": None} if url.startswith("rediss://") else {}


def bucket() -> dict[str, str] | None:
    """The words of the bucketeer add-on, as boto3 calls them. None without the add-on."""
    name = os.environ.get("BUCKETEER_BUCKET_NAME")
    if not name:
        return None
    return {
        "name": name,
        "aws_access_key_id": os.environ["BUCKETEER_AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": os.environ["BUCKETEER_AWS_SECRET_ACCESS_KEY"],
        "region_name": os.environ.get("BUCKETEER_AWS_REGION", "us-east-1"),
    }
