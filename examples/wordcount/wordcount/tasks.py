"""What the worker does."""

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from flask import current_app

from . import counting, fetching
from .extensions import db
from .models import COUNTING, DONE, Count, now

KEPT = 25  # words that a result shows


@shared_task
def count(id: str) -> None:
    """Count the words of one `Count` and write them down.

    It is given the id and not the text: messages stay small, and the database stays the only place where anything is
    kept. It may run twice for one id (a dyno went away in the middle): the second time does no harm.
    """
    row = db.session.get(Count, id)
    if row is None or row.has_ended:
        return
    row.state = COUNTING
    db.session.commit()
    try:
        fill_in(row)
    except fetching.CannotFetch as error:
        row.fail(str(error))
    except SoftTimeLimitExceeded:
        row.fail("Counting took too long.")
    except Exception:
        db.session.rollback()
        row.fail("Something went wrong on our side. The log says what.")
        raise  # into the log, with its traceback
    finally:
        db.session.commit()


def fill_in(row: Count) -> None:
    if row.url:
        page = fetching.fetch(row.url, fetching.Limits.of(current_app.config))
        row.title, text = page.title[:200] or row.url[:200], page.text
    else:
        text = row.text or ""
    counted = counting.count(text, top=KEPT)
    row.words, row.total, row.distinct = [list(pair) for pair in counted.words], counted.total, counted.distinct
    row.state, row.text, row.ended_at = DONE, None, now()
