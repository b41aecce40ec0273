"""The tables of pipelines: https://devcenter.heroku.com/articles/pipelines."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from homeport.state.models import App, Base, Release, User, new_id, now


class Pipeline(Base):
    """A group of apps that share one code: what runs on staging today runs in production tomorrow."""

    __tablename__ = "pipelines"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(30))
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    owner: Mapped[User] = relationship(lazy="joined")

    __table_args__ = (UniqueConstraint("owner_id", "name"),)


class Coupling(Base):
    """An app's place in a pipeline. An app is in one at most."""

    __tablename__ = "pipeline_couplings"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    pipeline_id: Mapped[str] = mapped_column(ForeignKey("pipelines.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), unique=True)
    stage: Mapped[str]  # pipelines.Stage
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    pipeline: Mapped[Pipeline] = relationship(lazy="joined")
    app: Mapped[App] = relationship(lazy="joined")


class Promotion(Base):
    """One promotion: the release of an app whose slug goes to others. Its status is that of its targets."""

    __tablename__ = "pipeline_promotions"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    pipeline_id: Mapped[str] = mapped_column(ForeignKey("pipelines.id", ondelete="CASCADE"), index=True)
    source_app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    source_release_id: Mapped[str] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    user: Mapped[User] = relationship(lazy="joined")


class PromotionTarget(Base):
    """An app that a promotion goes to. What it shall run is known here, so that its source may change meanwhile."""

    __tablename__ = "pipeline_promotion_targets"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    promotion_id: Mapped[str] = mapped_column(ForeignKey("pipeline_promotions.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    slug_id: Mapped[str] = mapped_column(ForeignKey("slugs.id", ondelete="CASCADE"))
    description: Mapped[str]  # of the release to be: "Promote demo-staging v12 (1a2b3c4d)"
    release_id: Mapped[str | None] = mapped_column(ForeignKey("releases.id", ondelete="SET NULL"))
    status: Mapped[str] = mapped_column(default="pending", index=True)  # pipelines.Status
    error_message: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)  # how often it was begun: a crash of the platform ends one
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    promotion: Mapped[Promotion] = relationship(lazy="joined")
    release: Mapped[Release | None] = relationship(lazy="joined")

    __table_args__ = (UniqueConstraint("promotion_id", "app_id"),)
