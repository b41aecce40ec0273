from app import app


def test_the_home_page_greets():
    page = app.test_client().get("/?name=Ada")
    assert page.status_code == 200
    assert "Hello, Ada!" in page.text


def test_it_says_that_it_is_up():
    assert app.test_client().get("/up").json == {"status": "ok"}
