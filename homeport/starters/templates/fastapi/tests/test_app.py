from fastapi.testclient import TestClient

from app import app

client = TestClient(app)


def test_it_greets():
    assert client.get("/greetings/Ada").json() == {"text": "Hello, Ada!"}


def test_the_home_page_is_there():
    assert client.get("/").status_code == 200
    assert client.get("/static/style.css").status_code == 200


def test_it_says_that_it_is_up():
    assert client.get("/up").json() == {"status": "ok"}
