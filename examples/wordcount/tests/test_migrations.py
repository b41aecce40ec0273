import sqlalchemy as sa
from flask_migrate import check, downgrade, upgrade

from wordcount.extensions import db

OLD = sa.table(
    "counts", *map(sa.column, ("id", "url", "title", "state", "total", "asked_at")), sa.column("words", sa.JSON())
)


def test_migrations_make_what_the_models_say(app):
    with app.app_context():
        check()


def test_there_and_back_with_rows_in_the_table(app):
    with app.app_context():
        downgrade(revision="0001")
        row = {"id": "a", "url": "http://x", "title": "X", "state": "done", "total": 3, "asked_at": "2026-01-01"}
        db.session.execute(OLD.insert().values(words=[["tea", 2], ["cup", 1]], **row))
        db.session.commit()
        upgrade()
        assert db.session.execute(sa.text("select distinct_words from counts")).scalar() == 2
        db.session.execute(sa.text("update counts set url = null, text = 'pasted'"))
        db.session.commit()
        downgrade(revision="0001")
        assert db.session.execute(sa.text("select count(*) from counts")).scalar() == 0
        downgrade(revision="base")
        upgrade()
