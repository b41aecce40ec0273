"""Our reading and writing of age's format, against an implementation that is not ours."""

from __future__ import annotations

import io

import pyrage  # type: ignore[import-untyped]
import pytest

from homeport.backup.age import CHUNK, Decrypting, Encrypting, is_encrypted
from homeport.errors import Invalid

CHEAP = 10  # rounds of scrypt, as a power of two: guessing is not to be made hard here

SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]


def sealed(content: bytes, passphrase: bytes = b"horse battery", *, piece: int = 1000) -> bytes:
    target = io.BytesIO()
    writer = Encrypting(target, passphrase, work=CHEAP)
    for start in range(0, len(content), piece):
        writer.write(content[start : start + piece])
    writer.close()
    return target.getvalue()


def content(size: int) -> bytes:
    return bytes(index * 7 % 251 for index in range(size))


def opened(data: bytes, passphrase: bytes = b"horse battery") -> bytes:
    return Decrypting(io.BytesIO(data), passphrase).read()


@pytest.mark.parametrize("size", SIZES)
def test_age_opens_what_is_written_here(size: int) -> None:
    assert pyrage.passphrase.decrypt(sealed(content(size)), "horse battery") == content(size)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_written_here_opens_here(size: int) -> None:
    assert is_encrypted(sealed(content(size)))
    assert opened(sealed(content(size))) == content(size)


@pytest.mark.parametrize("piece", [1, 10_000, CHUNK, CHUNK + 1, 10 * CHUNK])
def test_the_pieces_that_are_written_and_read_do_not_matter(piece: int) -> None:
    whole = content(2 * CHUNK + 5) if piece > 1 else content(500)
    reader = Decrypting(io.BytesIO(sealed(whole, piece=piece)), b"horse battery")
    read = b""
    while part := reader.read(piece):
        read += part
    assert read == whole


def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(Invalid) as refused:
        opened(sealed(b"secret"), b"horse batterz")
    assert refused.value.id == "backup_passphrase_wrong"


@pytest.mark.parametrize("kept", [0, 10, 100, 150, 170, 1000, CHUNK + 200])
def test_a_file_without_its_end_is_damaged(kept: int) -> None:
    with pytest.raises(Invalid) as refused:
        opened(sealed(content(2 * CHUNK))[:kept])
    assert refused.value.id == "backup_damaged"


def test_every_byte_counts() -> None:
    whole = sealed(b"all of it")
    for index in range(len(whole)):
        damaged = bytearray(whole)
        damaged[index] ^= 0x01
        with pytest.raises(Invalid):
            opened(bytes(damaged))


def test_a_chunk_left_out_or_swapped_is_noticed() -> None:
    whole = sealed(content(3 * CHUNK + 10))
    payload = len(whole) - (3 * (CHUNK + 16) + 10 + 16)
    first, second = whole[payload : payload + CHUNK + 16], whole[payload + CHUNK + 16 : payload + 2 * (CHUNK + 16)]
    rest = whole[payload + 2 * (CHUNK + 16) :]
    for changed in (whole[:payload] + second + first + rest, whole[:payload] + first + rest):
        with pytest.raises(Invalid):
            opened(changed)


def test_a_header_that_asks_for_too_much_memory_is_refused() -> None:
    greedy = sealed(b"x").replace(b" 10\n", b" 30\n", 1)
    with pytest.raises(Invalid) as refused:
        opened(greedy)
    assert refused.value.id == "backup_damaged"
