"""The table of app setups: https://devcenter.heroku.com/articles/setting-up-apps-using-the-heroku-platform-api."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from homeport.state.models import Base, new_id, now


class AppSetup(Base):
    """An app that is made from the app.json of its source, and how far that is."""

    __tablename__ = "app_setups"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    app_id: Mapped[str] = mapped_column(String(36))  # outlives the app: a setup that fails takes it away
    app_name: Mapped[str] = mapped_column(String(30))
    build_id: Mapped[str | None] = mapped_column(ForeignKey("builds.id", ondelete="SET NULL"))
    status: Mapped[str] = mapped_column(default="pending")  # pending, succeeded, failed
    failure_message: Mapped[str | None]
    manifest_errors: Mapped[list[str]] = mapped_column(default=list)
    success_url: Mapped[str | None]
    postdeploy_output: Mapped[str | None] = mapped_column(Text)
    postdeploy_exit_code: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
