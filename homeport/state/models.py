"""The tables. Rows are the truth about what should be; the engine and the proxy are made to follow them.

Ids are UUID strings, times are timezone-aware UTC. A row never holds a plain secret: tokens are hashes, config vars
are ciphertext.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware UTC time, also on SQLite, which forgets time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def new_id() -> str:
    return str(uuid.uuid4())


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own hook
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        dict[str, str]: JSON,
        list[str]: JSON,
        list[dict[str, str]]: JSON,
    }


class User(Base):
    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Token(Base):
    """An API token. Only a SHA-256 of the 256-bit random secret is kept."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    description: Mapped[str] = mapped_column(String(255), default="")
    scope: Mapped[list[str]] = mapped_column(default=lambda: ["global"])
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    expires_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="joined")


class Key(Base):
    """An SSH public key of a person."""

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    public_key: Mapped[str]
    fingerprint: Mapped[str] = mapped_column(String(100), unique=True)
    comment: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    user: Mapped[User] = relationship(lazy="joined")


class App(Base):
    """An app is a record; verbs on it live in the rooms."""

    __tablename__ = "apps"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(30), unique=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    region: Mapped[str] = mapped_column(default="us")
    stack: Mapped[str] = mapped_column(default="heroku-24")
    maintenance: Mapped[bool] = mapped_column(default=False)
    build_description: Mapped[str | None]  # "Python", as Heroku's buildpack_provided_description
    repo_size: Mapped[int | None]  # bytes
    current_release_id: Mapped[str | None] = mapped_column(
        ForeignKey("releases.id", use_alter=True, name="fk_apps_current_release")
    )
    asleep_release_id: Mapped[str | None] = mapped_column(String(36))  # it fell asleep with this release in force
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    released_at: Mapped[datetime | None]

    owner: Mapped[User] = relationship(lazy="joined")
    current_release: Mapped[Release | None] = relationship(
        foreign_keys=[current_release_id], post_update=True, lazy="selectin"
    )

    @property
    def asleep(self) -> bool:
        """Whether its Eco dynos rest until somebody asks for something. With a new release it is awake."""
        return self.asleep_release_id is not None and self.asleep_release_id == self.current_release_id


class Domain(Base):
    __tablename__ = "domains"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), index=True)
    hostname: Mapped[str] = mapped_column(String(253), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    app: Mapped[App] = relationship(lazy="joined")


class Feature(Base):
    """An app feature (`heroku features`, `heroku labs`) whose switch is not at its default."""

    __tablename__ = "features"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    enabled: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    __table_args__ = (UniqueConstraint("app_id", "name"),)


class BuildpackInstallation(Base):
    __tablename__ = "buildpack_installations"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), index=True)
    ordinal: Mapped[int]
    url: Mapped[str]


class Slug(Base):
    """What a build made: a code layer, the layers it stands on, and the commands of its process types.

    `code` and `layers` are keys in `slugs.Store`. `profile` are environment variables that the buildpack wants at
    run time unless a config var says otherwise; in their values `{app}` is the dyno's home folder and `{layer:KEY}`
    the folder of a layer.
    """

    __tablename__ = "slugs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), index=True)
    code: Mapped[str]
    layers: Mapped[list[str]]
    profile: Mapped[dict[str, str]]
    process_types: Mapped[dict[str, str]]
    cron: Mapped[list[dict[str, str]]] = mapped_column(default=list, server_default="[]")  # jobs of its app.json
    commit: Mapped[str | None]
    buildpack: Mapped[str]  # "Python"
    size: Mapped[int]  # bytes, code and layers together
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Build(Base):
    __tablename__ = "builds"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    status: Mapped[str] = mapped_column(default="pending")  # pending, succeeded, failed
    commit: Mapped[str | None]
    failure_id: Mapped[str | None]  # the stable id of the error that ended it
    slug_id: Mapped[str | None] = mapped_column(ForeignKey("slugs.id"))
    release_id: Mapped[str | None] = mapped_column(ForeignKey("releases.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    user: Mapped[User] = relationship(lazy="joined")


class Release(Base):
    """Immutable but for its status: slug + config vars, numbered per app, with who and when."""

    __tablename__ = "releases"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    version: Mapped[int]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    description: Mapped[str]
    status: Mapped[str] = mapped_column(default="succeeded")  # pending, succeeded, failed
    slug_id: Mapped[str | None] = mapped_column(ForeignKey("slugs.id"))
    config: Mapped[bytes] = mapped_column(LargeBinary)  # sealed by config.Vault
    addon_plans: Mapped[list[str]] = mapped_column(default=list)
    addon_vars: Mapped[list[str]] = mapped_column(default=list, server_default="[]")  # set by add-ons, not by people
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    user: Mapped[User] = relationship(lazy="joined")
    slug: Mapped[Slug | None] = relationship(lazy="joined")

    __table_args__ = (UniqueConstraint("app_id", "version"),)


class Formation(Base):
    """How many dynos of a process type should run, and of which size."""

    __tablename__ = "formations"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    type: Mapped[str]
    quantity: Mapped[int]
    size: Mapped[str] = mapped_column(default="Basic")
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    __table_args__ = (UniqueConstraint("app_id", "type"),)


class Dyno(Base):
    """One dyno, from the decision to start it until it is gone. `id` is also its id at the engine."""

    __tablename__ = "dynos"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"))
    type: Mapped[str]  # web, worker, …, release, run
    name: Mapped[str]  # web.1, run.1234
    size: Mapped[str] = mapped_column(default="Basic")
    command: Mapped[str]
    environment: Mapped[bytes | None] = mapped_column(LargeBinary)  # a one-off's extra variables, sealed
    state: Mapped[str] = mapped_column(default="starting")  # dynos.State
    attached: Mapped[bool] = mapped_column(default=False)
    force_no_tty: Mapped[bool] = mapped_column(default=False)
    attach_digest: Mapped[str | None]  # SHA-256 of the rendezvous secret
    host: Mapped[str | None]  # where the proxy finds it
    port: Mapped[int | None]
    exit_code: Mapped[int | None]
    stop_by: Mapped[datetime | None]  # told to stop; KILL follows then
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    release: Mapped[Release] = relationship(lazy="joined")

    __table_args__ = (Index("ix_dynos_app_state", "app_id", "state"),)


class Crash(Base):
    """How often the dyno of a slot (`web.1`) has crashed in a row: the memory of back-off."""

    __tablename__ = "crashes"

    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True)
    slot: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(default=now)
    retry_at: Mapped[datetime] = mapped_column(default=now)


class Addon(Base):
    """A resource of an add-on service: a database, a Redis, a bucket. Billed to `app`, attached to any number of apps.

    One whose app is gone, and one that is `deprovisioned`, is only still here because its provider has not cleared it
    away yet; its name is free again (it has its id for a name).
    """

    __tablename__ = "addons"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    app_id: Mapped[str | None] = mapped_column(ForeignKey("apps.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    service: Mapped[str]  # heroku-postgresql
    plan: Mapped[str]  # essential-0
    state: Mapped[str] = mapped_column(default="provisioning")  # addons.State
    options: Mapped[dict[str, str]] = mapped_column(default=dict)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)  # what its provider must remember, sealed
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    app: Mapped[App | None] = relationship(lazy="joined")


class Attachment(Base):
    """An add-on as one app knows it: `name` is the root of the config vars that it gets."""

    __tablename__ = "attachments"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    addon_id: Mapped[str] = mapped_column(ForeignKey("addons.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    addon: Mapped[Addon] = relationship(lazy="joined")
    app: Mapped[App] = relationship(lazy="joined")

    __table_args__ = (UniqueConstraint("app_id", "name"),)


class Transfer(Base):
    """A backup of a database, a restore of one, or a copy: `b001`, `r002`, `c003` of an app.

    A backup's file is called by the id. One that is not finished when the platform starts was interrupted.
    """

    __tablename__ = "transfers"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    addon_id: Mapped[str | None] = mapped_column(ForeignKey("addons.id", ondelete="SET NULL"), index=True)
    num: Mapped[int]
    kind: Mapped[str]  # transfers.Kind
    from_name: Mapped[str]
    to_name: Mapped[str]
    schedule: Mapped[str | None]  # the name of the schedule that asked for it
    release: Mapped[int | None]  # the version of the release that it was taken before
    succeeded: Mapped[bool | None]
    warnings: Mapped[int] = mapped_column(default=0)
    source_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    processed_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    logs: Mapped[list[Any]] = mapped_column(JSON, default=list)  # [seconds since 1970, text] each
    proof: Mapped[dict[str, Any] | None]  # what the test restore found
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    canceled_at: Mapped[datetime | None]

    app: Mapped[App] = relationship(lazy="joined")

    __table_args__ = (UniqueConstraint("app_id", "num"),)


class TransferSchedule(Base):
    """A daily backup of a database at an hour of a time zone."""

    __tablename__ = "transfer_schedules"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    addon_id: Mapped[str] = mapped_column(ForeignKey("addons.id", ondelete="CASCADE"))
    name: Mapped[str]  # DATABASE_URL
    hour: Mapped[int]
    timezone: Mapped[str]
    last_run_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    addon: Mapped[Addon] = relationship(lazy="joined")

    __table_args__ = (UniqueConstraint("addon_id", "name"),)
