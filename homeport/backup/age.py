"""The age file format, version 1, with a passphrase: https://github.com/C2SP/C2SP/blob/main/age.md.

What is written here `age -d` opens, and the other way round: see docs/decisions/0150.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from typing import BinaryIO

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from homeport.backup.manifest import damaged
from homeport.errors import Invalid

MAGIC = b"age-encryption.org/v1\n"
CHUNK = 64 * 1024
_TAG = 16
_WORK = 17
"""2^17 rounds: 128 MB and about half a second for every guess. age's own 18 would be hard on a small server."""
_MOST_WORK = 22
"""4 GB, as for age itself: a damaged or hostile header must not ask for more."""
_MAX_HEADER = 4096
_HEADER = re.compile(
    rb"age-encryption\.org/v1\n-> scrypt ([A-Za-z0-9+/]{22}) ([1-9][0-9]?)\n([A-Za-z0-9+/]{43})\n---"
    rb" ([A-Za-z0-9+/]{43})\n"
)


class Encrypting:
    """A file to write to: what is written is encrypted into `target`. Without `close` the result is not whole."""

    def __init__(self, target: BinaryIO, passphrase: bytes, *, work: int = _WORK) -> None:
        self._target = target
        file_key = os.urandom(16)
        salt = os.urandom(16)
        wrapped = ChaCha20Poly1305(_wrapping_key(passphrase, salt, work)).encrypt(bytes(12), file_key, None)
        header = MAGIC + b"-> scrypt %b %d\n%b\n---" % (_encode(salt), work, _encode(wrapped))
        nonce = os.urandom(16)
        target.write(header + b" " + _encode(_signature(file_key, header)) + b"\n" + nonce)
        self._cipher = _Chunks(file_key, nonce)
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        whole = (len(self._waiting) - 1) // CHUNK  # the last chunk, which is marked, may be a full one
        for index in range(whole):
            chunk = bytes(self._waiting[index * CHUNK : (index + 1) * CHUNK])
            self._target.write(self._cipher.seal(chunk, last=False))
        if whole > 0:
            del self._waiting[: whole * CHUNK]
        return len(data)

    def flush(self) -> None:
        """Nothing: a chunk is written when it is full."""

    def close(self) -> None:
        """Write the last chunk. `target` stays open."""
        self._target.write(self._cipher.seal(bytes(self._waiting), last=True))
        self._waiting.clear()


class Decrypting:
    """A file to read from: the contents of `source`, each chunk checked before it is given.

    Raises `Invalid`: `backup_passphrase_wrong`, and `backup_damaged` here or while reading.
    """

    def __init__(self, source: BinaryIO, passphrase: bytes) -> None:
        self._source = source
        file_key = _file_key(source, passphrase)
        nonce = source.read(16)
        if len(nonce) != 16:
            raise damaged("It ends right after its header.")
        self._cipher = _Chunks(file_key, nonce)
        self._next = source.read(CHUNK + _TAG)
        self._ready = bytearray()
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        while not self._ended and (size < 0 or len(self._ready) < size):
            self._ready += self._chunk()
        wanted = len(self._ready) if size < 0 else size
        data = bytes(self._ready[:wanted])
        del self._ready[:wanted]
        return data

    def _chunk(self) -> bytes:
        sealed, self._next = self._next, self._source.read(CHUNK + _TAG)
        self._ended = not self._next
        try:
            return self._cipher.open(sealed, last=self._ended)
        except InvalidTag:
            raise damaged("It was changed, or its end is missing.") from None


class _Chunks:
    """STREAM: each chunk sealed under its number, the last one marked, so that none can be left out or swapped."""

    def __init__(self, file_key: bytes, nonce: bytes) -> None:
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._number = 0

    def seal(self, chunk: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(last), chunk, None)

    def open(self, sealed: bytes, *, last: bool) -> bytes:
        """Raises `InvalidTag`."""
        if len(sealed) < _TAG:
            raise InvalidTag
        return self._cipher.decrypt(self._nonce(last), sealed, None)

    def _nonce(self, last: bool) -> bytes:
        nonce = self._number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
        self._number += 1
        return nonce


def is_encrypted(beginning: bytes) -> bool:
    """Whether a file that begins so is one of age's."""
    return beginning.startswith(MAGIC)


def _file_key(source: BinaryIO, passphrase: bytes) -> bytes:
    header = b""
    while b"\n---" not in header and len(header) < _MAX_HEADER:
        line = source.readline(_MAX_HEADER)
        if not line:
            break
        header += line
    found = _HEADER.fullmatch(header)
    if found is None or not 1 <= int(found[2]) <= _MOST_WORK:
        raise damaged("Its header isn't that of a file encrypted with a passphrase by age.")
    try:
        salt, wrapped, signature = (_decode(found[index]) for index in (1, 3, 4))
    except binascii.Error:
        raise damaged("Its header can't be read.") from None
    try:
        file_key = ChaCha20Poly1305(_wrapping_key(passphrase, salt, int(found[2]))).decrypt(bytes(12), wrapped, None)
    except InvalidTag:
        raise Invalid(
            "The backup does not open with this passphrase.",
            id="backup_passphrase_wrong",
            why="It is another one, or the first bytes of the file are damaged. Nothing was changed.",
            fix="Give the file with the passphrase it was made with: --passphrase-file FILE.",
        ) from None
    try:
        _signer(file_key, header[: header.rindex(b"---") + 3]).verify(signature)
    except InvalidSignature:
        raise damaged("Its header was changed.") from None
    return file_key


def _wrapping_key(passphrase: bytes, salt: bytes, work: int) -> bytes:
    return Scrypt(salt=b"age-encryption.org/v1/scrypt" + salt, length=32, n=2**work, r=8, p=1).derive(passphrase)


def _signature(file_key: bytes, header: bytes) -> bytes:
    return _signer(file_key, header).finalize()


def _signer(file_key: bytes, header: bytes) -> hmac.HMAC:
    signer = hmac.HMAC(_derived(file_key, b"", b"header"), hashes.SHA256())
    signer.update(header)
    return signer


def _derived(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=purpose).derive(key)


def _encode(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    """Raises `binascii.Error`, for another spelling of the same bytes too."""
    data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    if _encode(data) != text:
        raise binascii.Error
    return data
