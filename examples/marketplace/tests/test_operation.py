"""What keeps a market running: limits, reports, storage, settings."""

from __future__ import annotations

import io

import pytest
import sentry_sdk
from botocore.stub import Stubber
from conftest import Browser, picture
from flask import Flask
from PIL import Image
from sentry_sdk.transport import Transport

from market import config, pictures, storage
from market.extensions import db


class Tracker(Transport):
    """Keeps what the SDK would send."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict] = []

    def capture_envelope(self, envelope) -> None:
        event = envelope.get_event()
        if event:
            self.events.append(event)


@pytest.fixture
def tracker():
    tracker = Tracker()
    sentry_sdk.init(dsn="https://key@tracker.example/1", transport=tracker, release="marketplace@v7", environment="test")
    yield tracker
    sentry_sdk.init()


def test_the_api(ada: Browser, visitor: Browser) -> None:
    ada.sell("Atlas", "Potsdam", price="22.50", picture=(picture(), "a.png"))
    answer = visitor.get("/api/v1/items?near=Berlin&within=50").json
    (item,) = answer["items"]
    assert (item["title"], item["price_cents"], item["category"], item["place"]) == ("Atlas", 2250, "books", "Potsdam")
    assert item["distance_km"] == pytest.approx(27.2, abs=0.3)
    assert (item["latitude"], item["longitude"]) == (52.391, 13.065)
    assert visitor.get(item["picture"]).status_code == 200
    assert answer["next"] is None
    assert visitor.get("/api/v1/items/1").json == {**item, "distance_km": None}
    assert len(visitor.get("/api/v1/categories").json["categories"]) == 8
    assert "5 per minute" in visitor.get("/api").text


@pytest.mark.parametrize("query", ["near=Atlantis", "near=Berlin&within=far", "near=Berlin&within=nan", "within=-1"])
def test_the_api_says_what_is_wrong(visitor: Browser, query: str) -> None:
    answer = visitor.get(f"/api/v1/items?{query}")
    assert (answer.status_code, answer.json["id"]) == (422, "invalid")


def test_who_asks_too_often_waits_and_is_reported_once(visitor: Browser, tracker: Tracker) -> None:
    answers = [visitor.get("/api/v1/items") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert answers[-1].json["id"] == "too_many_requests"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    assert answers[0].headers["X-RateLimit-Remaining"] == "4"
    (event,) = tracker.events
    assert (event["message"], event["level"]) == ("a rate limit was hit", "warning")
    assert event["contexts"]["facts"]["limit"] == "5 per 1 minute"
    # Others are not held up, nor is the web site.
    assert visitor.get("/api/v1/items", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 200
    assert visitor.get("/").status_code == 200


def test_a_place_that_nobody_knows_is_reported(visitor: Browser, tracker: Tracker) -> None:
    visitor.get("/?near=Atlantis")
    (event,) = tracker.events
    assert (event["message"], event["contexts"]["facts"]) == ("geocoding failed", {"place": "Atlantis"})


def test_an_error_is_reported_with_its_traceback(app: Flask, visitor: Browser, tracker: Tracker) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    db.session.execute(db.text("ALTER TABLE items RENAME TO things"))
    db.session.commit()
    answer = visitor.get("/")
    db.session.rollback()
    db.session.execute(db.text("ALTER TABLE things RENAME TO items"))
    db.session.commit()
    assert answer.status_code == 500
    (event,) = tracker.events
    frames = [frame["function"] for frame in event["exception"]["values"][-1]["stacktrace"]["frames"]]
    assert "page_of" in frames
    assert (event["release"], event["environment"]) == ("marketplace@v7", "test")
    assert event["event_id"] in answer.text


@pytest.fixture
def bucket(app: Flask):
    bucket = storage.Bucket("attic", aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1")
    app.extensions["storage"] = bucket
    with Stubber(bucket.client) as stubber:
        yield stubber


def test_a_picture_goes_to_the_bucket(ada: Browser, bucket: Stubber) -> None:
    for _ in range(2):
        bucket.add_response("put_object", {})
    page = ada.sell("Atlas", picture=(picture(), "a.png"))
    bucket.assert_no_pending_responses()
    assert 'src="https://attic.s3.amazonaws.com/public/items/' in page.text
    assert "Signature" not in page.text


def test_without_the_bucket_an_item_is_sold_all_the_same(ada: Browser, bucket: Stubber, tracker: Tracker) -> None:
    bucket.add_client_error("put_object", "InternalError", http_status_code=500)
    page = ada.sell("Atlas", picture=(picture(), "a.png"))
    assert "Atlas" in page.text
    assert "could not be kept" in page.text
    (event,) = tracker.events
    assert event["tags"] == {"notice": "the bucket failed"}
    assert event["contexts"]["facts"]["operation"] == "put_object"


def test_a_bomb_is_not_unfolded() -> None:
    bomb = io.BytesIO()
    Image.new("1", (8_000, 6_000)).save(bomb, "PNG")
    assert len(bomb.getvalue()) < 20_000
    bomb.seek(0)
    with pytest.raises(pictures.NotAPicture, match="too many pixels"):
        pictures.read(bomb)


def test_where_a_phone_was_is_nobodys_business() -> None:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}  # GPS
    exif[0x0112] = 6  # turned by a quarter
    kept = Image.open(io.BytesIO(pictures.read(picture((80, 40), "JPEG", exif=exif)).large))
    assert not kept.getexif()
    assert kept.size == (40, 80)


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLASK_CONFIG", raising=False)
    monkeypatch.delenv("SECRET_KEY", raising=False)
    with pytest.raises(RuntimeError, match="SECRET_KEY"):
        config.chosen()
    monkeypatch.setenv("FLASK_CONFIG", "holiday")
    with pytest.raises(RuntimeError, match="development, testing, production"):
        config.chosen()
    monkeypatch.setenv("FLASK_CONFIG", "production")
    monkeypatch.setenv("SECRET_KEY", "k")
    monkeypatch.setenv("REDIS_URL", "rediss://h:6380")
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@h/d")
    chosen = config.chosen()
    assert chosen.SQLALCHEMY_DATABASE_URI == "postgresql+psycopg://u:p@h/d"
    assert chosen.RATELIMIT_STORAGE_OPTIONS == {"ssl_cert_reqs": None}
    assert chosen.SESSION_COOKIE_SECURE


def test_up(visitor: Browser) -> None:
    assert visitor.get("/up").text == "ok\n"
