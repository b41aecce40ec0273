"""Ports that were picked because somebody asked for any (`--port 0`): the next start takes them again.

Git remotes, bookmarks and what other programs were told lead to them; with others at every start, all of that would
break each time.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from homeport import router
from homeport.daemon.parts import Settings
from homeport.home import Home, write_whole
from homeport.router import Proxy

PATIENCE_SECONDS = 2.0
"""For the kernel to let go of a port of a platform that was killed, or of an outgoing connection that has it."""

REMOTES = " Git remotes follow by: homeport git:remote -a APP"

_log = logging.getLogger("homeport")


@dataclass(frozen=True)
class Picked:
    """The ports that were picked last; 0 where none was yet."""

    https: int = 0
    http: int = 0
    ssh: int = 0


def read(home: Home) -> Picked:
    """What cannot be read was never picked."""
    try:
        found = json.loads(home.ports.read_text())
        known = {field.name: int(found.get(field.name, 0)) for field in fields(Picked)}
    except (OSError, ValueError, TypeError, AttributeError):
        return Picked()
    return Picked(**{name: port if 0 < port < 65536 else 0 for name, port in known.items()})


def again(port: int, addresses: Sequence[str], *, patience: float = PATIENCE_SECONDS) -> int:
    """The port, if nobody else has it now; else 0, for another one."""
    if not port:
        return 0
    deadline = time.monotonic() + patience
    while not router.is_free(addresses, port):
        if time.monotonic() > deadline:
            return 0
        time.sleep(0.05)
    return port


async def prefer(proxy: Proxy, settings: Settings, picked: Picked) -> None:
    """Have a proxy that is to be started take the ports of before. One that runs goes on with those that it has."""
    if await proxy.alive():
        return
    addresses = router.addresses(settings.domain, settings.bind)
    if settings.https_port == 0 and picked.https != settings.http_port:
        proxy.https_port = await asyncio.to_thread(again, picked.https, addresses)
    if settings.http_port == 0 and picked.http != settings.https_port:
        proxy.http_port = await asyncio.to_thread(again, picked.http, addresses)


def settle(home: Home, settings: Settings, before: Picked, now: Picked) -> tuple[str, ...]:
    """Remember those that were picked; returns what is to be said of those that others have taken."""
    remembered = Picked(
        https=before.https if settings.https_port else now.https,
        http=before.http if settings.http_port else now.http,
        ssh=now.ssh if settings.picks_ssh_port else before.ssh,
    )
    if remembered != before:
        write_whole(home.ports, json.dumps(asdict(remembered)) + "\n")
    changes = (
        ("--port", before.https, remembered.https, REMOTES),
        ("--http-port", before.http, remembered.http, ""),
        ("--ssh-port", before.ssh, remembered.ssh, REMOTES),
    )
    notes = tuple(
        f"Somebody else has port {old} now, which {flag} 0 had picked before: it is {new}.{more}"
        for flag, old, new, more in changes
        if old and new and old != new
    )
    for note in notes:
        _log.warning("%s", note)
    return notes
