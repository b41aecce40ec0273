"""Output that is shown while it comes: a build's, a release command's."""

from __future__ import annotations

from codecs import getincrementaldecoder

from homeport.cli.call import Call
from homeport.cli.controls import Sieve


def copy(call: Call, url: str) -> None:
    """Everything that the stream at `url` has, until it ends. Raises `ApiError` when it answers anything but 200."""
    decoder, sieve = getincrementaldecoder("utf-8")("replace"), Sieve()
    with call.api.stream(url) as stream:
        while chunk := stream.read():
            call.terminal.stdout.write(sieve.feed(decoder.decode(chunk)))
            call.terminal.stdout.flush()
    call.terminal.stdout.write(sieve.feed(decoder.decode(b"", final=True)) + sieve.end())
