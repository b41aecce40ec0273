"""The protocol of Redis, as its servers speak it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from homeport.addons.redis.wire import Connection, Refused


class Ear:
    """A writer that keeps what is written."""

    def __init__(self) -> None:
        self.heard = b""

    def write(self, data: bytes) -> None:
        self.heard += data

    async def drain(self) -> None:
        return


def ask(answer: bytes, *words: str) -> tuple[Any, bytes]:
    async def scenario() -> tuple[Any, bytes]:
        reader, ear = asyncio.StreamReader(), Ear()
        reader.feed_data(answer)
        reader.feed_eof()
        return await Connection(reader, ear).ask(*words), ear.heard  # type: ignore[arg-type]

    return asyncio.run(scenario())


def test_a_command_is_sent_by_the_length_of_its_words_in_bytes() -> None:
    assert ask(b"+OK\r\n", "SET", "clé", "")[1] == b"*3\r\n$3\r\nSET\r\n$4\r\ncl\xc3\xa9\r\n$0\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (b"+PONG\r\n", "PONG"),
        (b":42\r\n", 42),
        (b"$5\r\na\r\nb!\r\n", "a\r\nb!"),
        (b"$-1\r\n", None),
        (b"*-1\r\n", None),
        (b"*0\r\n", []),
        (b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", ["a", [1]]),
    ],
)
def test_answers(answer: bytes, meaning: object) -> None:
    assert ask(answer, "PING")[0] == meaning


def test_a_refusal_has_its_code() -> None:
    with pytest.raises(Refused) as refusal:
        ask(b"-LOADING Redis is loading the dataset in memory\r\n", "PING")
    assert refusal.value.code == "LOADING"


@pytest.mark.parametrize("answer", [b"", b"$5\r\nab", b"+PO", b"*2\r\n:1\r\n"])
def test_an_answer_that_is_cut_short_is_a_lost_connection(answer: bytes) -> None:
    with pytest.raises(EOFError):
        ask(answer, "PING")


def test_what_is_no_answer_is_refused() -> None:
    with pytest.raises(Refused):
        ask(b"HTTP/1.1 400 Bad Request\r\n", "PING")
