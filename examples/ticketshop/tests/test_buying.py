"""Nothing is sold twice, nobody spends what they do not have, no money is lost."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from conftest import Shopper
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from ticketshop.extensions import db
from ticketshop.models import Account, Entry, Event, Ticket


def sold(event: int) -> int:
    db.session.rollback()
    return db.session.get_one(Event, event, populate_existing=True).sold


def set_event(event: int, **values: object) -> None:
    db.session.execute(update(Event).where(Event.id == event).values(**values))
    db.session.commit()


def test_a_purchase_moves_tickets_and_money(ada: Shopper, event: int) -> None:
    status, order = ada.buy(event, 3)
    assert (status, order["tickets"], order["total_cents"]) == (201, [1, 2, 3], 45_00)
    assert ada.balance() == 55_00
    assert order["event"]["left"] == 7
    assert [entry["amount_cents"] for entry in ada.ask("GET", "/wallet")[1]["entries"]] == [-45_00, 100_00]
    assert ada.ask("GET", "/orders")[1]["orders"] == [order]


def test_the_same_key_buys_once(ada: Shopper, event: int) -> None:
    first = ada.buy(event, 2, key="one purchase")
    assert ada.buy(event, 2, key="one purchase") == first
    assert (ada.balance(), sold(event)) == (70_00, 2)
    assert ada.buy(event, 3, key="one purchase")[1]["id"] == "key_reused"


def test_who_cannot_pay_takes_no_ticket_and_may_try_again(ada: Shopper, event: int) -> None:
    assert ada.buy(event, 7, key="too much yet")[1]["id"] == "overspent"
    assert (ada.balance(), sold(event)) == (100_00, 0)
    ada.ask("POST", "/wallet/deposits", {"amount_cents": 5_00}, "the missing 5")
    assert ada.buy(event, 7, key="too much yet")[0] == 201
    assert ada.balance() == 0


def test_sold_out_costs_nothing(ada: Shopper, event: int) -> None:
    set_event(event, sold=9)
    assert ada.buy(event, 2) == (409, {"id": "sold_out", "message": "Only 1 left: somebody was faster."})
    assert ada.buy(event, 1)[0] == 201
    assert ada.buy(event, 1) == (409, {"id": "sold_out", "message": "Sold out."})
    assert ada.balance() == 85_00


def test_what_has_begun_is_not_sold(ada: Shopper, event: int) -> None:
    set_event(event, starts_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert ada.buy(event)[1]["id"] == "over"


def test_a_free_ticket_needs_no_money(ada: Shopper, event: int) -> None:
    set_event(event, price_cents=0)
    assert ada.buy(event, 8)[0] == 201
    assert ada.balance() == 100_00


def test_a_race(app: Flask, ada: Shopper, event: int) -> None:
    """Six places can be paid, ten are there, twenty want one at once: of the same wallet."""
    answers, barrier = [], threading.Barrier(20)

    def want(number: int) -> None:
        shopper = Shopper(app, ada.token)
        barrier.wait()
        answers.append(shopper.buy(event, key=f"buyer number {number}")[0])

    threads = [threading.Thread(target=want, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201] * 6 + [402] * 14
    assert (ada.balance(), sold(event)) == (10_00, 6)
    assert db.session.scalar(select(func.count()).select_from(Ticket)) == 6
    assert db.session.scalar(select(func.sum(Entry.amount_cents))) == 10_00


def test_one_key_in_many_hands_at_once(app: Flask, ada: Shopper, event: int) -> None:
    orders, barrier = [], threading.Barrier(8)

    def retry() -> None:
        shopper = Shopper(app, ada.token)
        barrier.wait()
        orders.append(shopper.buy(event, key="an impatient finger")[1]["id"])

    threads = [threading.Thread(target=retry) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(orders) == 8
    assert len(set(orders)) == 1
    assert (ada.balance(), sold(event)) == (85_00, 1)


@pytest.mark.parametrize("wrong", [update(Event).values(sold=11), update(Account).values(balance_cents=-1)])
def test_the_database_itself_forbids_it(ada: Shopper, event: int, wrong: object) -> None:
    with pytest.raises(IntegrityError):
        db.session.execute(wrong)
    db.session.rollback()
