from app import app


def test_words_are_counted():
    page = app.test_client().post("/", data={"text": "to be or not to be"})
    assert page.status_code == 200
    assert "to: 2" in page.text


def test_it_says_that_it_is_up():
    assert app.test_client().get("/up").json == {"status": "ok"}
