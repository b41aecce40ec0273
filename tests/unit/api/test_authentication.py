from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.api import presented_secret
from homeport.errors import Unauthorized


def basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    "header",
    [
        "Bearer s3cret",
        "bearer s3cret",
        "Token s3cret",
        " Bearer  s3cret ",
        basic(b":s3cret"),
        basic(b"ada@example.com:s3cret"),
        basic(b"heroku:s3cret"),
        basic(b"s3cret:"),
        basic(b":s3cret").rstrip("="),
    ],
)
def test_the_secret_of_every_form_that_clients_send(header: str) -> None:
    assert presented_secret(header) == "s3cret"


def test_a_password_may_have_colons() -> None:
    assert presented_secret(basic(b"ada:a:b")) == "a:b"


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic", "Basic Og==", "Basic !", "Basic /w==", "s3cret"]
)
def test_no_secret_is_unauthorized(header: str | None) -> None:
    with pytest.raises(Unauthorized):
        presented_secret(header)


@given(st.text())
def test_no_header_is_a_crash(header: str) -> None:
    with contextlib.suppress(Unauthorized):
        assert presented_secret(header)


def test_what_was_sent_is_not_repeated() -> None:
    with pytest.raises(Unauthorized) as caught:
        presented_secret("Secret hunter2")
    assert "hunter2" not in caught.value.message
