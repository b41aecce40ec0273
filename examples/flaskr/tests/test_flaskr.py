"""What visitors and authors can do. Run by `python -m pytest` in this folder."""

import re

import pytest
from flask_migrate import check, downgrade, upgrade

from flaskr import create_app
from flaskr.config import database_url
from flaskr.extensions import db


@pytest.fixture
def app(tmp_path):
    app = create_app({"TESTING": True, "SECRET_KEY": "t", "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'db'}"})
    with app.app_context():
        upgrade()
    return app


class Browser:
    """A visitor: follows redirects, and sends each form with the token that its page holds."""

    def __init__(self, app):
        self.client = app.test_client()

    def get(self, path):
        return self.client.get(path, follow_redirects=True)

    def fill(self, path, *, to=None, **fields):
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)[1]
        return self.client.post(to or path, data={"csrf_token": token, **fields}, follow_redirects=True)

    def register(self, name, password="long enough"):
        return self.fill("/accounts/register", name=name, password=password)


@pytest.fixture
def visitor(app):
    return Browser(app)


@pytest.fixture
def ada(app):
    browser = Browser(app)
    browser.register("ada")
    return browser


def test_an_empty_blog_invites(visitor):
    assert "Nothing written yet" in visitor.get("/").text


def test_a_post_is_there_for_everybody(ada, visitor):
    page = ada.fill("/posts/new", title="Notes", body="On the <engine>")
    assert page.request.path == "/posts/1"
    assert "Notes" in visitor.get("/").text
    assert "On the &lt;engine&gt;" in visitor.get("/posts/1").text


def test_only_the_author_changes_a_post(app, ada):
    ada.fill("/posts/new", title="Notes", body="First")
    bob = Browser(app)
    bob.register("bob")
    assert bob.get("/posts/1/edit").status_code == 403
    assert bob.fill("/posts/new", to="/posts/1/delete").status_code == 403
    assert "Second" in ada.fill("/posts/1/edit", title="Notes", body="Second").text


def test_a_deleted_post_is_gone(ada, visitor):
    ada.fill("/posts/new", title="Notes", body="First")
    ada.fill("/posts/1", to="/posts/1/delete")
    assert visitor.get("/posts/1").status_code == 404


def test_what_is_wrong_with_a_form_is_said_and_nothing_typed_is_lost(ada):
    page = ada.fill("/posts/new", title="x" * 121, body="kept")
    assert "at most 120" in page.text
    assert "kept" in page.text


def test_search_ignores_case_and_takes_signs_literally(ada):
    ada.fill("/posts/new", title="Notes", body="100% Engine")
    assert "Notes" in ada.get("/?q=eNGine").text
    assert "Notes" in ada.get("/?q=0%25").text
    assert "No post says" in ada.get("/?q=_").text


def test_what_no_database_keeps_is_left_out(ada):
    assert "Notes" in ada.fill("/posts/new", title="No\0tes", body="On the\0 engine").text
    assert "Notes" in ada.get("/?q=the%00%20engine").text
    ada.fill("/", to="/accounts/log-out")
    assert "Log out ada" in ada.fill("/accounts/log-in", name="a\0da", password="long enough").text
    ada.fill("/", to="/accounts/log-out")
    assert "1 to 40" in ada.register("\0").text


@pytest.mark.parametrize("path", ["/posts/2147483648", f"/posts/{10**30}", f"/posts/{10**30}/edit", f"/?page={10**30}"])
def test_numbers_that_no_database_counts_to(ada, path):
    assert ada.get(path).status_code == 404


def test_writing_needs_an_account(visitor):
    assert visitor.get("/posts/new").request.path == "/accounts/log-in"


def test_log_out_and_in(ada):
    ada.fill("/", to="/accounts/log-out")
    assert "do not belong together" in ada.fill("/accounts/log-in", name="ada", password="wrong enough").text
    assert "do not belong together" in ada.fill("/accounts/log-in", name="eve", password="wrong enough").text
    assert "Log out ada" in ada.fill("/accounts/log-in", name="ada", password="long enough").text


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [("ada", "long enough", "is taken"), ("", "long enough", "1 to 40"), ("bob", "short", "at least 8")],
)
def test_a_registration_that_cannot_be(app, ada, name, password, said):
    assert said in Browser(app).register(name, password).text


def test_a_form_without_its_token_is_refused(ada):
    assert ada.client.post("/posts/new", data={"title": "x", "body": "y"}).status_code == 400


def test_up_answers(visitor):
    assert visitor.get("/up").text == "ok\n"


def test_migrations_make_what_the_models_say_and_go_back(app):
    with app.app_context():
        check()
        downgrade(revision="base")
        upgrade()


def test_the_database_url_of_the_platform_is_understood(tmp_path):
    assert database_url("postgres://u:p@h/d", tmp_path) == "postgresql+psycopg://u:p@h/d"
    assert database_url(None, tmp_path) == f"sqlite:///{tmp_path / 'flaskr.sqlite'}"


def test_a_database_without_tables_says_what_to_do(tmp_path, monkeypatch):
    app = create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'empty'}"})
    page = app.test_client().get("/")
    assert page.status_code == 503
    assert "flask --app run db upgrade" in page.text
    monkeypatch.setenv("DYNO", "web.1")
    assert "heroku run &#34;flask --app run db upgrade&#34;" in app.test_client().get("/").text
    with app.app_context():
        db.create_all()
    assert app.test_client().get("/").status_code == 200


def test_sqlite_is_fine_at_home_and_warned_of_on_a_dyno(visitor, monkeypatch):
    assert "forgets" not in visitor.get("/").text
    monkeypatch.setenv("DYNO", "web.1")
    assert "This blog forgets" in visitor.get("/accounts/log-in").text


def test_debug_mode_on_a_dyno_is_warned_of(app, visitor, monkeypatch):
    monkeypatch.setenv("DYNO", "web.1")
    assert "Debug mode is on" not in visitor.get("/").text
    app.debug = True
    assert "Debug mode is on" in visitor.get("/").text
