"""The rest of the API: accounts, tokens, events, the wallet, and what is refused."""

from __future__ import annotations

import pytest
from click.testing import Result
from conftest import Shopper
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import text

from ticketshop.config import Production, chosen, database_url
from ticketshop.extensions import db

ADA = {"name": "Ada", "email": "ada@example.com", "password": "analytical"}
EVENT = {"title": "Late", "venue": "Attic", "starts_at": "2090-05-01T20:00:00Z", "price_cents": 5, "capacity": 3}


def test_register_and_log_in(visitor: Shopper) -> None:
    assert visitor.ask("POST", "/accounts", ADA)[0] == 201
    status, welcome = visitor.ask("POST", "/tokens", {"email": "ADA@example.com", "password": "analytical"})
    assert status == 201
    visitor.token = welcome["token"]
    assert visitor.ask("GET", "/account")[1] == welcome["account"]
    assert "password" not in str(welcome)


@pytest.mark.parametrize(("email", "password"), [("ada@example.com", "wrong one"), ("eve@example.com", "analytical")])
def test_a_wrong_password_and_nobody_look_alike(ada: Shopper, email: str, password: str) -> None:
    assert ada.ask("POST", "/tokens", {"email": email, "password": password})[1]["id"] == "wrong_password"


def test_an_address_registers_once(ada: Shopper) -> None:
    assert ada.ask("POST", "/accounts", ADA)[1]["id"] == "email_taken"


@pytest.mark.parametrize(
    "change",
    [{"email": "ada"}, {"password": "short"}, {"name": ""}, {"name": 7}, {"name": "\0"}, {"email": "a@\ud800"}],
)
def test_a_registration_that_cannot_be(visitor: Shopper, change: dict[str, object]) -> None:
    status, problem = visitor.ask("POST", "/accounts", {**ADA, **change})
    assert (status, problem["id"]) == (422, "invalid")
    assert next(iter(change)) in problem["message"]


def test_logging_out_ends_every_token(ada: Shopper) -> None:
    assert ada.ask("DELETE", "/tokens")[0] == 204
    assert ada.ask("GET", "/account")[0] == 401


@pytest.mark.parametrize("token", ["", "nonsense", "WzEsMF0.a.b"])
def test_no_token_no_wallet(visitor: Shopper, token: str) -> None:
    visitor.token = token
    assert visitor.ask("GET", "/wallet")[1]["id"] == "unauthorized"


def test_a_token_dies_of_age(app: Flask, ada: Shopper) -> None:
    app.config["TOKEN_LIFETIME"] = -1
    assert ada.ask("GET", "/account")[0] == 401


def test_a_deposit_is_made_once(ada: Shopper) -> None:
    for expected in (201, 200):
        assert ada.ask("POST", "/wallet/deposits", {"amount_cents": 7}, "twice the same")[0] == expected
    assert ada.balance() == 100_07


@pytest.mark.parametrize("amount", [0, -5, 500_01, 1.5, True, "7", None, 10**30])
def test_a_deposit_is_whole_cents(ada: Shopper, amount: object) -> None:
    assert ada.ask("POST", "/wallet/deposits", {"amount_cents": amount}, "some deposit")[0] == 422


def test_an_order_needs_a_key_and_an_event(ada: Shopper, event: int) -> None:
    for key in ("", "too\0 bad"):
        assert ada.ask("POST", "/orders", {"event_id": event, "quantity": 1}, key)[1]["id"] == "no_idempotency_key"
    assert ada.buy(event + 1)[0] == 404
    assert ada.buy(event, 9)[0] == 422
    assert ada.ask("POST", "/orders")[0] == 400


def test_only_an_admin_announces(admin: Shopper, visitor: Shopper) -> None:
    status, event = admin.ask("POST", "/events", EVENT)
    assert (status, event["left"]) == (201, 3)
    assert visitor.ask("GET", "/events")[1]["events"] == [event]
    assert visitor.ask("GET", f"/events/{event['id']}")[1] == event


@pytest.mark.parametrize("starts_at", ["2090-05-01T20:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_event_is_at_a_time_of_this_calendar(admin: Shopper, starts_at: str) -> None:
    assert admin.ask("POST", "/events", {**EVENT, "starts_at": starts_at})[0] == 422


def test_a_buyer_does_not(ada: Shopper) -> None:
    assert ada.ask("POST", "/events", EVENT)[0] == 403


@pytest.mark.parametrize("path", ["/events/999999", "/events/99999999999999", "/nothing"])
def test_what_is_not_there(visitor: Shopper, path: str) -> None:
    status, problem = visitor.ask("GET", path)
    assert (status, problem["id"]) == (404, "not_found")


def test_every_other_address_is_the_front_end(visitor: Shopper) -> None:
    page = visitor.page("/events/1")
    assert "the front end" in page.text
    assert "script" not in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-cache, max-age=0"
    assert visitor.page("/up").text == "ok\n"


def test_a_shop_without_tables_says_how_to_make_them(app: Flask, visitor: Shopper) -> None:
    downgrade(revision="base")
    status, problem = visitor.ask("GET", "/events")
    upgrade()
    assert status == 503
    assert "flask db upgrade" in problem["message"]


def test_in_production_everything_goes_by_https(app: Flask, visitor: Shopper) -> None:
    app.config["PRODUCTION"] = True
    moved = visitor.page("/wallet?a=1", base_url="http://shop.example.com")
    assert (moved.status_code, moved.location) == (308, "https://shop.example.com/wallet?a=1")
    by_tls = {"X-Forwarded-Proto": "https"}
    assert visitor.page("/wallet", base_url="http://shop.example.com", headers=by_tls).status_code == 200
    assert visitor.page("/wallet", base_url="http://shop.localhost:8080").status_code == 200


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=arguments)


def test_the_admin_statement_makes_somebody_who_can_log_in(app: Flask, visitor: Shopper) -> None:
    done = run(app, "admin-statement", "--email", "boss@example.com", "--name", "O'Hara", "--password", "long enough")
    assert "long enough" not in done.output
    for _ in range(2):  # as somebody does who is not sure
        db.session.execute(text(done.output.replace(":", r"\:")))  # a colon would begin a parameter
        db.session.commit()
    welcome = visitor.ask("POST", "/tokens", {"email": "boss@example.com", "password": "long enough"})[1]
    assert (welcome["account"]["is_admin"], welcome["account"]["name"]) == (True, "O'Hara")


def test_whoever_registered_before_becomes_an_administrator_by_the_same_statement(app: Flask, visitor: Shopper) -> None:
    visitor.ask("POST", "/accounts", {"email": "boss@example.com", "name": "Boss", "password": "an old one"})
    done = run(app, "admin-statement", "--email", "boss@example.com", "--name", "X", "--password", "long enough")
    db.session.execute(text(done.output.replace(":", r"\:")))
    db.session.commit()
    welcome = visitor.ask("POST", "/tokens", {"email": "boss@example.com", "password": "long enough"})[1]
    assert (welcome["account"]["is_admin"], welcome["account"]["name"]) == (True, "Boss")


def test_seeding_twice_changes_nothing(app: Flask, visitor: Shopper) -> None:
    for _ in range(2):
        assert run(app, "seed").exit_code == 0
    assert len(visitor.ask("GET", "/events")[1]["events"]) == 6


def test_the_migrations_make_what_the_models_say(app: Flask) -> None:
    check()


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert database_url("postgres://u:p@h/d") == "postgresql+psycopg://u:p@h/d"
    assert database_url("sqlite:///a") == "sqlite:///a"
    monkeypatch.setenv("SECRET_KEY", "k")
    monkeypatch.setenv("PRODUCTION", "True")
    assert isinstance(chosen(), Production)
    monkeypatch.setenv("PRODUCTION", "False")
    assert not chosen().PRODUCTION
