import pytest

from wordcount import create_app
from wordcount.extensions import db
from wordcount.models import Count


def ask(visitor, **form):
    """Ask for a count; what the page at which one ends up says, as its JSON."""
    page = visitor.post("/counts", data=form, follow_redirects=True)
    assert page.status_code == 200, page.text
    return visitor.get(page.request.path + ".json").json


def test_a_text_is_counted(visitor):
    found = ask(visitor, text="The whale and the <b>harpoon</b>, the whale!")
    assert found["state"] == "done"
    assert found["words"][0] == ["whale", 2]
    assert found["title"].startswith("The whale and")


def test_a_text_is_forgotten_when_it_is_counted_and_is_not_shown_to_others(app, visitor):
    ask(visitor, text="my secret diary")
    with app.app_context():
        assert db.session.query(Count).one().text is None
    assert "diary" not in visitor.get("/").text


def test_a_page_is_counted_and_listed(app, visitor, site):
    app.config["FETCH_PRIVATE_ADDRESSES"] = True
    found = ask(visitor, url=site)
    assert (found["title"], found["words"]) == ("Tea", [["tea", 2], ["café", 1]])
    assert "Tea" in visitor.get("/").text


def test_a_page_that_cannot_be_fetched_is_said(visitor, site):
    found = ask(visitor, url=site)
    assert found["state"] == "failed"
    assert "not on the public internet" in found["problem"]


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({}, "Give the address"),
        ({"url": "https://example.com", "text": "x"}, "not both"),
        ({"url": "javascript:alert(1)"}, "begins with http"),
        ({"url": "http://[::1"}, "begins with http"),
        ({"text": "x" * 200_001}, "at most 200,000"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(visitor, form, why):
    page = visitor.post("/counts", data=form)
    assert page.status_code == 422
    assert why in page.text


def test_what_no_database_keeps_is_left_out(visitor):
    assert ask(visitor, text="tea\0 pot")["words"] == [["pot", 1], ["tea", 1]]
    assert "Give the address" in visitor.post("/counts", data={"text": "\0", "url": "\0"}).text
    assert visitor.get("/counts/%00").status_code == 404


def test_too_much_is_refused_early(visitor):
    assert visitor.post("/counts", data={"text": "x" * 700_000}).status_code == 413


def test_a_broker_that_is_away_is_said(app, tmp_path):
    uri = app.config["SQLALCHEMY_DATABASE_URI"]
    away = create_app({"SQLALCHEMY_DATABASE_URI": uri, "BROKER_URL": "redis://127.0.0.1:1/0"}).test_client()
    assert "The queue does not answer" in ask(away, text="anything")["problem"]


def test_an_app_without_tables_says_what_to_do(tmp_path, monkeypatch):
    app = create_app({"SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'empty.sqlite'}"})
    assert "flask db upgrade" in app.test_client().get("/").text
    monkeypatch.setenv("DYNO", "web.1")
    page = app.test_client().get("/")
    assert page.status_code == 503
    for command in ("addons:create heroku-postgresql", "addons:create heroku-redis", "heroku run flask db upgrade"):
        assert command in page.text
    with app.app_context():
        db.engine.dispose()


def test_a_fault_of_ours_is_said_on_a_page_of_ours(app, monkeypatch):
    monkeypatch.setattr(Count, "latest_pages", lambda: 1 / 0)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    page = app.test_client().get("/")
    assert page.status_code == 500
    assert "Something went wrong" in page.text


def test_no_script_but_our_own(visitor):
    assert "default-src 'self'" in visitor.get("/").headers["Content-Security-Policy"]


def test_a_count_that_is_not_there(visitor):
    assert visitor.get("/counts/none").status_code == 404
    assert visitor.get("/counts/none.json").status_code == 404


def test_up_answers(visitor):
    assert visitor.get("/up").text == "ok\n"
