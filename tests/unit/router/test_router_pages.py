from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from homeport.router.codes import CODES, NOTHING_HERE
from homeport.router.pages import APP_NAME, files, html_page, json_body

CODED = [code for code in CODES.values() if code.title]


def rendered(page: str) -> str:
    """A log-format file as HAProxy serves it for the app `shop`."""
    return page.replace(APP_NAME, "shop").replace("%%", "%")


class Outline(HTMLParser):
    """Which tags are left open, and what is fetched from elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta",):
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("code", [*CODED, NOTHING_HERE], ids=lambda code: code.number or "nothing")
def test_a_page_is_whole_and_stands_alone(code) -> None:  # type: ignore[no-untyped-def]
    outline = Outline(rendered(html_page(code)))
    assert outline.open == []
    assert outline.fetched == []


@pytest.mark.parametrize("code", CODED, ids=lambda code: code.number)
def test_a_page_names_its_code_the_app_and_what_helps(code) -> None:  # type: ignore[no-untyped-def]
    page = rendered(html_page(code))
    assert f"<b>{code.number}</b>" in page
    assert "heroku " in page
    assert "shop" in page


@pytest.mark.parametrize("code", [*CODED, NOTHING_HERE], ids=lambda code: code.number or "nothing")
def test_programs_get_the_same_as_json(code) -> None:  # type: ignore[no-untyped-def]
    body = json.loads(rendered(json_body(code)))
    assert body["id"] == code.id
    assert code.meaning in body["message"]
    assert body.get("code", "") == code.number


def test_percent_signs_cannot_be_taken_for_log_format() -> None:
    for name, page in files().items():
        assert re.fullmatch(r"([^%]|%%|%\[var\(txn\.route\),field\(3,/\)\])*", page), name


def test_a_page_fits_into_a_buffer() -> None:
    assert max(len(page.encode()) for page in files().values()) < 16 * 1024
