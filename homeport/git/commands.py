"""The head of a push's body: which refs it wants to move, in git's pkt-lines.

https://git-scm.com/docs/pack-protocol#_reference_update_request_and_packfile_transfer
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO

_COMMAND = re.compile(
    rb"(?P<old>[0-9a-f]{40}) (?P<new>[0-9a-f]{40}) (?P<ref>[^\x00\n]+)(?:\x00(?P<capabilities>[^\n]*))?\n?"
)
_MAX_COMMANDS = 10_000


@dataclass(frozen=True)
class Command:
    """`old` is what the client believes the ref is at; it stands at `offset` of the body."""

    old: str
    new: str
    ref: str
    offset: int


@dataclass(frozen=True)
class Head:
    """All commands of a push, and whether the client shows messages while it waits (side-band)."""

    commands: tuple[Command, ...] = ()
    shows_messages: bool = False


def read_head(body: IO[bytes]) -> Head:
    """What a plain (not compressed) body begins with; nothing of a body that is none of a push's."""
    body.seek(0)
    commands: list[Command] = []
    capabilities: set[bytes] = set()
    while len(commands) < _MAX_COMMANDS:
        offset = body.tell() + 4
        size = _size(body.read(4))
        if size < 4:
            break
        line = body.read(size - 4)
        match = _COMMAND.fullmatch(line)
        if match is not None:
            capabilities.update((match["capabilities"] or b"").split())
            ref = match["ref"].decode(errors="replace")
            commands.append(Command(match["old"].decode(), match["new"].decode(), ref, offset))
    body.seek(0)
    return Head(tuple(commands), b"side-band-64k" in capabilities)


def rewrite_old(body: IO[bytes], command: Command, old: str) -> None:
    """Let the command say that its ref is at `old`."""
    body.seek(command.offset)
    body.write(old.encode())
    body.seek(0)


def packet(payload: bytes) -> bytes:
    """One pkt-line."""
    return f"{len(payload) + 4:04x}".encode() + payload


def message(text: str) -> bytes:
    """Lines that the person sees as `remote: …`."""
    return packet(b"\x02" + text.encode() + b"\n")


def _size(digits: bytes) -> int:
    try:
        return int(digits, 16)
    except ValueError:
        return 0
