"""What HAProxy is told: a route table and settings in, configuration text and maps out. Nothing here touches a file.

The text falls into a *skeleton* (settings, headers, pages, timeouts), which only a reload changes, and one backend
per app, whose servers come and go at run time. All paths are relative to `$HOMEPORT_HOME`, where HAProxy is started.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from homeport.router import pages, paths
from homeport.router.route_table import AppRoute, AppState, RouteTable, Server
from homeport.router.settings import Settings
from homeport.router.skeleton import skeleton

API = "api"
"""The route of the host names that belong to the API and git."""

BUCKETS = "buckets"
"""The route of the host name that belongs to S3 buckets, and of their paths where they have none."""

_HOSTNAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")


@dataclass(frozen=True)
class Configuration:
    """All that HAProxy should know.

    `digest` stands for the skeleton: a running HAProxy shows it, so that it can be told whether it needs a reload.
    `backends` has the servers of each app's backend by backend name, `hosts` the route of every host name.
    """

    text: str
    digest: str
    backends: Mapping[str, tuple[Server, ...]]
    hosts: Mapping[str, str]

    @property
    def hosts_map(self) -> str:
        return "".join(f"{host} {route}\n" for host, route in sorted(self.hosts.items()))


def api_hosts(domain: str) -> tuple[str, ...]:
    """The host names of the API and of git."""
    local = ("localhost", "127.0.0.1", "[::1]")
    return local if domain == "localhost" else (*local, domain, f"api.{domain}", f"git.{domain}")


def backend_name(app_id: str) -> str:
    return f"app-{app_id}"


def app_id_of(backend: str) -> str:
    return backend.removeprefix("app-")


def server_name(server: Server) -> str:
    """Unique in its backend even while the dyno before it of the same name drains; the log cuts the id off."""
    return f"{server.name}:{server.dyno_id[:8]}"


def route(app: AppRoute) -> str:
    """How a host name's entry in the map says where it leads: state or H code, app id, app name."""
    state = {
        AppState.UP: "up",
        AppState.STARTING: "starting",
        AppState.ASLEEP: "asleep",
        AppState.CRASHED: "H10",
        AppState.NO_WEB: "H14",
        AppState.MAINTENANCE: "H80",
    }[app.state]
    return f"{state}/{app.app_id}/{app.name}"


def configure(table: RouteTable, settings: Settings) -> Configuration:
    """The whole configuration for a route table."""
    hosts = dict.fromkeys(api_hosts(settings.domain), API)
    if settings.domain != "localhost":
        hosts[f"s3.{settings.domain}"] = BUCKETS
    for app in table.apps:
        # The app's own name goes before anybody's custom domain.
        hosts.setdefault(app.hostnames[0], route(app))
    for app in table.apps:
        for hostname in app.hostnames[1:]:
            if _HOSTNAME.fullmatch(hostname):
                hosts.setdefault(hostname, route(app))
    backends = {backend_name(app.app_id): app.servers for app in table.apps}
    fixed = skeleton(settings)
    digest = hashlib.sha256("\0".join([fixed, *_companions().values()]).encode()).hexdigest()[:16]
    text = fixed.replace("DIGEST", digest) + "".join(_app_backend(name, backends[name]) for name in backends)
    return Configuration(text, digest, backends, hosts)


def companion_files() -> dict[str, str]:
    """The files that the skeleton refers to, by path: pages and the lobby."""
    return dict(_companions())


def certificate_list(certificates: Iterable[str]) -> str:
    """The crt-list of the certificates of host names; HAProxy takes the names from the certificates."""
    return "".join(f"{path}\n" for path in sorted(certificates))


def api_certificate_list(domain: str) -> str:
    """The crt-list of the API's host names: HTTP/1.1 only.

    git (2.39 with curl 7.88) waits for ever when an HTTP/2 answer breaks off in the middle, as one does when the
    daemon is killed during a build; over HTTP/1.1 it says that the remote end hung up.
    """
    names = [name for name in api_hosts(domain) if not name[0].isdigit() and not name.startswith("[")]
    return f"{paths.DEFAULT_CERTIFICATE} [alpn http/1.1] {' '.join(names)}\n"


def certificate_names(configuration: Configuration, domain: str) -> tuple[set[str], set[str]]:
    """(names of the certificate for everything that has no other, host names with a certificate of their own).

    OpenSSL refuses wildcards right under a top-level domain (`*.localhost`), so apps get one each there; a real
    domain is covered by one wildcard, and only custom domains need their own.
    """
    default = {host.strip("[]") for host, where in configuration.hosts.items() if where == API}
    if domain == "localhost":
        return default, {host for host, where in configuration.hosts.items() if where != API}
    own = set()
    for host, where in configuration.hosts.items():
        label, _, parent = host.partition(".")
        if where != API and not (label and parent == domain):
            own.add(host)
    return default | {f"*.{domain}"}, own


def add_server_command(backend: str, server: Server) -> str:
    return f"add server {backend}/{server_name(server)} {_address(server)}"


def _companions() -> dict[str, str]:
    lobby = files("homeport.router").joinpath("lobby.lua").read_text(encoding="utf-8")
    return {paths.LOBBY: lobby} | {f"{paths.PAGES}/{name}": text for name, text in pages.files().items()}


def _address(server: Server) -> str:
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{host}:{server.port}"


def _app_backend(name: str, servers: tuple[Server, ...]) -> str:
    lines = [f"backend {name} from app"]
    lines += [f"  server {server_name(server)} {_address(server)}" for server in servers]
    return "\n".join(lines) + "\n"
