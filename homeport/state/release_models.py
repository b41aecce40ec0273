"""The table of changes that wait for a release command: https://devcenter.heroku.com/articles/release-phase."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from homeport.state.models import Base, Release, now


class ReleaseChange(Base):
    """What a release that is not current yet was asked to change. Its turn decides what it is applied to.

    One whose release has failed is kept until the next fails, so that the same can be tried again.
    """

    __tablename__ = "release_changes"

    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True)
    app_id: Mapped[str] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]  # releases.Kind
    config: Mapped[bytes | None] = mapped_column(LargeBinary)  # config vars to be set, sealed by config.Vault
    removed: Mapped[list[str]] = mapped_column(default=list)  # config vars to be removed
    source_id: Mapped[str | None] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"))  # to roll back to
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    release: Mapped[Release] = relationship(foreign_keys=[release_id], lazy="joined")
