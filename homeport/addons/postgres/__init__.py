"""`heroku-postgresql`: one cluster per major version, a database and a role per add-on."""

from homeport.addons.postgres.provider import Postgres

__all__ = ["Postgres"]
