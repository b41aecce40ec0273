from __future__ import annotations

import gzip
import zlib

import brotli  # type: ignore[import-untyped] # it has no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import BadRequest, TooLarge
from homeport.tracker.bodies import MB, Body


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw": raw_deflate,
    "br": brotli.compress,
    "identity": lambda data: data,
}


def read(encoding: str, sent: bytes, step: int = 1000, **limits: int) -> bytes:
    body = Body("deflate" if encoding == "raw" else encoding, **limits)
    for start in range(0, len(sent), step):
        body.feed(sent[start : start + step])
    return body.whole()


@pytest.mark.parametrize("encoding", ENCODERS)
@given(data=st.binary(max_size=5000), step=st.integers(1, 3000))
def test_what_was_compressed_comes_back_however_it_is_cut(encoding: str, data: bytes, step: int) -> None:
    assert read(encoding, ENCODERS[encoding](data), step) == data


@pytest.mark.parametrize("encoding", ENCODERS)
def test_large_bodies_come_back_whole(encoding: str) -> None:
    data = bytes(range(256)) * 8192
    assert read(encoding, ENCODERS[encoding](data), 65536) == data


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw", "br"])
def test_a_bomb_is_refused_before_it_goes_off(encoding: str) -> None:
    bomb = ENCODERS[encoding](bytes(12 * MB))
    assert len(bomb) < 100_000
    body = Body("deflate" if encoding == "raw" else encoding, max_body=2 * MB)
    with pytest.raises(TooLarge):
        body.feed(bomb)
    assert len(body) <= 2 * MB


def test_what_is_sent_has_a_limit_too() -> None:
    with pytest.raises(TooLarge):
        read("identity", bytes(3 * MB), 65536, max_sent=2 * MB)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
@pytest.mark.parametrize("sent", [b"not compressed", b"\x1f\x8b", b"\xff" * 100])
def test_what_is_not_what_it_says_is_refused(encoding: str, sent: bytes) -> None:
    with pytest.raises(BadRequest):
        read(encoding, sent)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_body_that_breaks_off_is_refused(encoding: str) -> None:
    with pytest.raises(BadRequest):
        read(encoding, ENCODERS[encoding](bytes(range(256)) * 40)[:-6])


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(BadRequest):
        Body("zstd")
