from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import JSON, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from .extensions import db

QUEUED, COUNTING, DONE, FAILED = "queued", "counting", "done", "failed"


def now() -> datetime:
    """UTC without a zone, which every database keeps alike."""
    return datetime.now(UTC).replace(tzinfo=None)


class Count(db.Model):
    """One text whose words somebody wants counted. The web process adds it, the worker fills it in."""

    __tablename__ = "counts"

    # Random: whoever pasted a text has the only link to its words.
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=lambda: uuid4().hex)
    url: Mapped[str | None] = mapped_column(String(2000))
    text: Mapped[str | None] = mapped_column(Text)  # only until it is counted
    title: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(10), default=QUEUED)
    problem: Mapped[str | None] = mapped_column(String(300))
    words: Mapped[list[list]] = mapped_column(JSON, default=list)  # [["whale", 12], …], most frequent first
    total: Mapped[int] = mapped_column(default=0)
    distinct: Mapped[int] = mapped_column("distinct_words", default=0)
    asked_at: Mapped[datetime] = mapped_column(index=True, default=now)
    ended_at: Mapped[datetime | None]

    @property
    def has_ended(self) -> bool:
        return self.state in (DONE, FAILED)

    def fail(self, problem: str) -> None:
        self.state, self.problem, self.text, self.ended_at = FAILED, problem[:300], None, now()

    @classmethod
    def latest_pages(cls, limit: int = 8) -> list["Count"]:
        """The pages counted last. Pasted texts are nobody else's business."""
        query = select(cls).where(cls.state == DONE, cls.url.is_not(None)).order_by(cls.asked_at.desc()).limit(limit)
        return list(db.session.scalars(query))
