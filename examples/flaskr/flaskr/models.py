from datetime import UTC, datetime

from sqlalchemy import ForeignKey, Select, String, Text, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship
from werkzeug.security import check_password_hash, generate_password_hash

from .extensions import db


class Account(db.Model):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    posts: Mapped[list["Post"]] = relationship(back_populates="author")

    def set_password(self, password: str) -> None:
        self.password_hash = generate_password_hash(password)

    def has_password(self, password: str) -> bool:
        return check_password_hash(self.password_hash, password)

    @classmethod
    def named(cls, name: str) -> "Account | None":
        return db.session.scalar(select(cls).where(cls.name == name))


class Post(db.Model):
    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(index=True, default=lambda: datetime.now(UTC).replace(tzinfo=None))
    author: Mapped[Account] = relationship(back_populates="posts", lazy="joined")

    @classmethod
    def newest_first(cls, words: str = "") -> "Select[tuple[Post]]":
        """All posts, or those with `words` in title or body.

        icontains, not contains: SQLite's LIKE ignores case and Postgres's does not, so a search that finds at home
        would miss in production.
        """
        query = select(cls).order_by(cls.written_at.desc(), cls.id.desc())
        if words:
            found = (column.icontains(words, autoescape=True) for column in (cls.title, cls.body))
            query = query.where(or_(*found))
        return query
