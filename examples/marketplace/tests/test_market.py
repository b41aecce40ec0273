"""What visitors and sellers can do."""

from __future__ import annotations

import html
import re

import pytest
from conftest import Browser, picture
from flask import Flask
from flask_migrate import check

from market import search
from market.extensions import db
from market.gazetteer import Unknown, find
from market.items import cents, distance, money
from market.models import Account, Category, Item


def titles(answer) -> list[str]:
    return [html.unescape(title) for title in re.findall(r"<h2[^>]*>(.*?)</h2>", answer.text)]


def test_an_empty_market_invites(visitor: Browser) -> None:
    assert "Nothing is for sale" in visitor.get("/").text


def test_an_item_is_there_for_everybody(ada: Browser, visitor: Browser) -> None:
    page = ada.sell("Atlas <1968>", price="22.50", description="Good colours")
    assert page.request.path == "/items/1"
    assert titles(visitor.get("/")) == ["Atlas <1968>"]
    shown = visitor.get("/items/1").text
    assert "€22.50" in shown
    assert "Good colours" in shown


def test_the_nearest_come_first_and_the_far_not_at_all(ada: Browser, visitor: Browser) -> None:
    for place in ("Hamburg", "Munich", "Potsdam", "Berlin"):
        ada.sell(f"From {place}", place)
    assert titles(visitor.get("/")) == ["From Berlin", "From Potsdam", "From Munich", "From Hamburg"]
    near = visitor.get("/?near=berlin&within=300")
    assert titles(near) == ["From Berlin", "From Potsdam", "From Hamburg"]
    assert re.search(r"From Potsdam.*?27 km.*From Hamburg.*?256 km", near.text, re.DOTALL)
    assert titles(visitor.get("/?near=52.4,13.05&within=25")) == ["From Potsdam"]
    assert titles(visitor.get("/items/4")) == ["From Potsdam", "From Hamburg", "From Munich"]


def test_near_is_asked_of_the_index(app: Flask, ada: Browser) -> None:
    """Five thousand items, scattered over Europe: neither question reads all of them."""
    ada.sell("Atlas")
    scatter = r"""
        INSERT INTO items (seller_id, category_id, title, price_cents, place_name, place)
        SELECT seller_id, category_id, title, 0, '', ST_Point(n * 7 % 40 - 10 + n * 1e-4, n * 13 % 30 + 35)\:\:geography
        FROM generate_series(1, 5000) n, items
    """
    db.session.execute(db.text(scatter))
    db.session.execute(db.text("ANALYZE items"))

    def plan(query) -> str:
        compiled = str(query.compile(db.engine, compile_kwargs={"literal_binds": True}))
        return "\n".join(db.session.scalars(db.text(f"EXPLAIN {compiled}".replace(":", r"\:"))))

    circle = plan(search.items(search.Search(near=find("Berlin"))).limit(12))
    assert re.search("Index Scan (on|using) items_place", circle), circle
    nearest = plan(search.neighbours(db.session.get(Item, 1)))
    assert "Index Scan using items_place" in nearest
    assert "Order By: (place <->" in nearest


def test_the_date_line_is_no_border(ada: Browser, visitor: Browser) -> None:
    ada.sell("East", "-17, 179.9")
    assert titles(visitor.get("/?near=-17,-179.9&within=25")) == ["East"]


def test_words_and_categories(ada: Browser, visitor: Browser) -> None:
    ada.sell("Slide projector, 100%", category="electronics")
    ada.sell("Atlas", description="Old SLIDES of countries")
    assert len(titles(visitor.get("/?q=slide"))) == 2
    assert titles(visitor.get("/?q=0%25")) == ["Slide projector, 100%"]
    assert titles(visitor.get("/?category=books&q=slide")) == ["Atlas"]
    assert "Nothing here" in visitor.get("/?q=_x").text


def test_pages(app: Flask, ada: Browser, visitor: Browser) -> None:
    app.config["ITEMS_PER_PAGE"] = 2
    for number in range(3):
        ada.sell(f"Book {number}")
    assert titles(visitor.get("/")) == ["Book 2", "Book 1"]
    assert titles(visitor.get("/?page=2")) == ["Book 0"]
    assert "page=2" in visitor.get("/").text
    assert "page=3" not in visitor.get("/?page=2").text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": ""}, "1 to 80"),
        ({"price": "12.345"}, "like 25"),
        ({"price": "-1"}, "like 25"),
        ({"price": "NaN"}, "like 25"),
        ({"price": "1e400"}, "like 25"),
        ({"category": "boats"}, "Choose a category"),
        ({"category": "boats\0"}, "Choose a category"),
        ({"place": "Atlantis"}, "do not know where “Atlantis”"),
    ],
)
def test_what_is_wrong_with_a_form_is_said_and_nothing_typed_is_lost(ada: Browser, change: dict, said: str) -> None:
    page = ada.sell(**{"title": "Atlas", "description": "kept", **change})
    assert said in html.unescape(page.text)
    assert "kept" in page.text


def test_a_picture_is_drawn_anew_in_two_sizes(app: Flask, ada: Browser, visitor: Browser) -> None:
    ada.sell("Atlas", picture=(picture((3000, 2000)), "holiday.png"))
    shown = re.search(r'src="(/pictures/items/[\w-]+)\.jpg"', visitor.get("/items/1").text)[1]
    large, small = visitor.get(f"{shown}.jpg"), visitor.get(f"{shown}-small.jpg")
    assert large.data.startswith(b"\xff\xd8")
    assert len(large.data) > len(small.data)
    assert "-small.jpg" in visitor.get("/").text
    ada.post("/items/1/delete")
    assert visitor.get(f"{shown}.jpg").status_code == 404


@pytest.mark.parametrize("content", [b"<svg onload='alert(1)'/>", b"GIF89a", b"", b"\x89PNG\r\n\x1a\n rest"])
def test_what_is_no_picture_is_refused(ada: Browser, tmp_path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb") as file:
        assert re.search("no picture|damaged", ada.sell("Atlas", picture=(file, "photo.jpg")).text)


@pytest.mark.parametrize("csrf", [False, True])
def test_a_picture_that_is_too_large_is_refused_and_nobody_seems_logged_out(app: Flask, ada: Browser, csrf: bool) -> None:
    app.config["WTF_CSRF_ENABLED"] = csrf  # which reads the form before anything else does
    page = ada.client.post("/sell", data=bytes(9 * 1024 * 1024), content_type="multipart/form-data; boundary=x")
    assert (page.status_code, "up to 8 MB" in page.text, "Log out ada" in page.text) == (413, True, True)


def test_only_the_seller_takes_an_item_back(app: Flask, ada: Browser) -> None:
    ada.sell("Atlas")
    bob = Browser(app)
    bob.register("bob")
    assert bob.post("/items/1/delete").status_code == 403
    assert titles(ada.get("/mine")) == ["Atlas"]
    assert ada.post("/items/1/delete").request.path == "/mine"
    assert ada.get("/items/1").status_code == 404


def test_selling_needs_an_account(visitor: Browser) -> None:
    assert visitor.get("/sell").request.path == "/accounts/log-in"


def test_log_out_and_in(ada: Browser) -> None:
    ada.post("/accounts/log-out")
    assert "do not belong together" in ada.post("/accounts/log-in", name="ada", password="wrong").text
    assert "Log out ada" in ada.post("/accounts/log-in", name="ada", password="long enough").text


def test_guessing_passwords_is_tedious(visitor: Browser) -> None:
    codes = [visitor.post("/accounts/log-in", name="ada", password="guess").status_code for _ in range(11)]
    assert codes == [200] * 10 + [429]


@pytest.mark.parametrize("fields", [{"name": ""}, {"email": "ada"}, {"password": "short"}, {"name": "ada"}])
def test_a_registration_that_cannot_be(app: Flask, ada: Browser, fields: dict) -> None:
    form = {"name": "bob", "email": "bob@example.com", "password": "long enough", **fields}
    assert 'role="alert"' in Browser(app).post("/accounts/register", **form).text


def test_a_form_without_its_token_is_refused(app: Flask, ada: Browser) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert ada.sell("Atlas").status_code == 400


def test_deploying_again_changes_nothing(app: Flask) -> None:
    before = [(category.id, category.slug) for category in db.session.query(Category).order_by(Category.id)]
    done = app.test_cli_runner().invoke(args=["deploy"])
    assert "0 categories were added, 8 were there" in done.output
    assert [(category.id, category.slug) for category in db.session.query(Category).order_by(Category.id)] == before
    check()


def test_demo(app: Flask, visitor: Browser) -> None:
    assert app.test_cli_runner().invoke(args=["demo"]).exit_code == 0
    assert app.test_cli_runner().invoke(args=["demo"]).exit_code == 1
    assert len(titles(visitor.get("/?near=Berlin&within=100"))) == 5
    assert db.session.query(Account).count() == 1


@pytest.mark.parametrize("name", ["Zürich", "zurich", " ZURICH , switzerland", "Zurich"])
def test_a_place_has_many_names(name: str) -> None:
    assert find(name).name == "Zurich"


@pytest.mark.parametrize("name", ["", "Atlantis", "91, 0", "nan, nan", "1,2,3"])
def test_nobody_knows_where_that_is(name: str) -> None:
    with pytest.raises(Unknown):
        find(name)


def test_words_for_numbers() -> None:
    assert [money(0), money(25_00), money(1234_50)] == ["free", "€25", "€1,234.50"]
    assert [distance(0.2), distance(3.14159), distance(1234.5)] == ["under 1 km", "3.1 km", "1,234 km"]
    assert cents("19.99") == 1999
