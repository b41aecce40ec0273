"""What every provider is given: where its data lie, who keeps its servers, and how they are reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from homeport.addons.servers import Servers
from homeport.home import Home


@dataclass(frozen=True)
class Site:
    """One platform, as providers see it.

    `host` is the name in URLs that apps and laptops connect to: never `localhost`, which the official CLI takes for
    the laptop's own server (`pg:push`). Servers listen on `addresses`, "*" being all, and on 127.0.0.1 in any case.
    `certificate` gives a private key and a certificate for a host name, from the platform's own authority, in one PEM
    text. `url` is the platform's public address (`https://localhost:8443`), known once its router has started;
    `clear_url` is the same without TLS, for clients on this machine that can't be told of the platform's own
    authority; "" where there is none.
    """

    home: Home
    servers: Servers
    host: str = "127.0.0.1"
    addresses: tuple[str, ...] = ("127.0.0.1",)
    certificate: Callable[[str], bytes] = lambda _host: b""
    url: Callable[[], str] = lambda: "https://localhost:8443"
    clear_url: Callable[[], str] = lambda: "http://localhost:8080"
