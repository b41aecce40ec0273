from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import BadRequest
from homeport.tracker import envelope
from homeport.tracker.envelope import MAX_ITEMS, parse, read_json


def test_items_with_and_without_a_length() -> None:
    raw = b'{"event_id":"a"}\n{"type":"event"}\n{"x":1}\n{"type":"attachment","length":4}\na\nb\n\n'
    raw += b'{"type":"session"}\n{}\n'
    found = parse(raw)
    assert found.headers == {"event_id": "a"}
    assert [(item.type, item.content) for item in found.items] == [
        ("event", b'{"x":1}'),
        ("attachment", b"a\nb\n"),
        ("session", b"{}"),
    ]


def test_the_last_newline_may_be_missing() -> None:
    (item,) = parse(b'{}\n{"type":"event","length":2}\n{}').items
    assert item.content == b"{}"
    assert parse(b"{}").items == ()
    assert parse(b'{}\n{"type":"event","length":0}').items[0].content == b""


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"[]\n",
        b"{}\n[]\n",
        b"{}\n{\n",
        b'{}\n{"type":"event","length":5}\n{}\n',
        b'{}\n{"type":"event","length":1}\n{}\n',
        b'{}\n{"type":"event","length":-1}\n{}\n',
        b'{}\n{"type":"event","length":true}\n{}\n',
        b'{}\n{"type":"event","length":"2"}\n{}\n',
        b'{"a":"' + b"x" * 70_000 + b'"}\n',
        b"\xff\n",
        b"{}\n" + b'{"type":"event"}\n{}\n' * (MAX_ITEMS + 1),
        b'{"a":' + b"[" * 50_000 + b"\n",
    ],
)
def test_what_is_no_envelope_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        parse(raw)


@given(st.binary(max_size=400))
def test_no_bytes_are_a_crash(raw: bytes) -> None:
    for given_ in (raw, b"{}\n" + raw, b'{}\n{"type":"event"}\n' + raw):
        try:
            envelope.parse(given_)
        except BadRequest:
            continue


def test_json_can_always_be_written_down_again() -> None:
    value = read_json(b'{"a": NaN, "b": "\\ud800x", "c": -Infinity, "d": "\\ud83d\\ude00"}')
    assert value == {"a": None, "b": "?x", "c": None, "d": "😀"}
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
