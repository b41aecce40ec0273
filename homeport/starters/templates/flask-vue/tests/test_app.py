from app import app


def test_the_api_greets():
    assert app.test_client().get("/api/greetings/Ada").json == {"text": "Hello, Ada!"}


def test_it_says_that_it_is_up():
    assert app.test_client().get("/up").json == {"status": "ok"}
