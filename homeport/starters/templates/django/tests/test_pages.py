import os

import django
from django.test import Client

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()


def test_the_home_page_greets():
    page = Client().get("/?name=Ada")
    assert page.status_code == 200
    assert "Hello, Ada!" in page.content.decode()


def test_it_says_that_it_is_up():
    assert Client().get("/up").json() == {"status": "ok"}
