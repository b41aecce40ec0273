"""What HAProxy is told: a route table and settings in, configuration text and maps out. Nothing here touches a file.

The text falls into a *skeleton* (settings, headers, pages, timeouts), which only a reload changes, and one backend
per app, whose servers come and go at run time. All paths are relative to `$HOMEPORT_HOME`, where HAProxy is started.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from homeport.router import pages
from homeport.router.codes import CODES
from homeport.router.table import AppRoute, AppState, RouteTable, Server

ADMIN_SOCKET = "run/haproxy.sock"
MASTER_SOCKET = "run/haproxy-master.sock"
CONFIG_FILE = "router/haproxy.cfg"
HOSTS_MAP = "router/hosts.map"
CERTIFICATE_LIST = "router/certificates.list"
API_CERTIFICATE_LIST = "router/api-certificates.list"
DEFAULT_CERTIFICATE = "tls/default.pem"
LOBBY = "router/lobby.lua"
PAGES = "router/pages"

API = "api"
"""The route of the host names that belong to the API and git."""

RENDEZVOUS_PREFIX = "rendezvous-"
"""What every rendezvous secret begins with: no HTTP method does."""

_HOSTNAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")


@dataclass(frozen=True)
class Timeouts:
    """Seconds. The defaults are Heroku's (Dev Center, "HTTP Routing" and "Request Timeout")."""

    connect: float = 5.0
    first_byte: float = 30.0
    idle: float = 55.0
    boot: float = 75.0
    headers: float = 30.0
    keep_alive: float = 60.0
    platform: float = 3600.0


@dataclass(frozen=True)
class Settings:
    """What a reload is needed for to change.

    `addresses` are what to listen on. `api_socket` and `rendezvous_socket` are paths, relative ones to
    `$HOMEPORT_HOME`. `version` is HAProxy's; `lua` whether it has Lua, which the lobby is written in.
    """

    domain: str
    https_port: int
    http_port: int
    addresses: tuple[str, ...]
    api_socket: str
    rendezvous_socket: str
    timeouts: Timeouts = field(default_factory=Timeouts)
    threads: int = 2
    connections: int = 4000
    version: tuple[int, int] = (2, 6)
    lua: bool = True


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


def server_name(server: Server) -> str:
    """Unique in its backend even while the dyno before it of the same name drains; the log cuts the id off."""
    return f"{server.name}:{server.dyno_id[:8]}"


def route(app: AppRoute) -> str:
    """How a host name's entry in the map says where it leads: state or H code, app id, app name."""
    state = {
        AppState.UP: "up",
        AppState.STARTING: "starting",
        AppState.CRASHED: "H10",
        AppState.NO_WEB: "H14",
        AppState.MAINTENANCE: "H80",
    }[app.state]
    return f"{state}/{app.app_id}/{app.name}"


def configure(table: RouteTable, settings: Settings) -> Configuration:
    """The whole configuration for a route table."""
    hosts = dict.fromkeys(api_hosts(settings.domain), API)
    for app in table.apps:
        # The app's own name goes before anybody's custom domain.
        hosts.setdefault(app.hostnames[0], route(app))
    for app in table.apps:
        for hostname in app.hostnames[1:]:
            if _HOSTNAME.fullmatch(hostname):
                hosts.setdefault(hostname, route(app))
    backends = {backend_name(app.app_id): app.servers for app in table.apps}
    skeleton = _skeleton(settings)
    digest = hashlib.sha256("\0".join([skeleton, *_companions().values()]).encode()).hexdigest()[:16]
    text = skeleton.replace("DIGEST", digest) + "".join(_app_backend(name, backends[name]) for name in backends)
    return Configuration(text, digest, backends, hosts)


def companion_files() -> dict[str, str]:
    """The files that the skeleton refers to, by path: pages and the lobby."""
    return dict(_companions())


def certificate_list(paths: Iterable[str]) -> str:
    """The crt-list of the certificates of host names; HAProxy takes the names from the certificates."""
    return "".join(f"{path}\n" for path in sorted(paths))


def api_certificate_list(domain: str) -> str:
    """The crt-list of the API's host names: HTTP/1.1 only.

    git (2.39 with curl 7.88) waits for ever when an HTTP/2 answer breaks off in the middle, as one does when the
    daemon is killed during a build; over HTTP/1.1 it says that the remote end hung up.
    """
    names = [name for name in api_hosts(domain) if not name[0].isdigit() and not name.startswith("[")]
    return f"{DEFAULT_CERTIFICATE} [alpn http/1.1] {' '.join(names)}\n"


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
    return {LOBBY: lobby} | {f"{PAGES}/{name}": text for name, text in pages.files().items()}


def _address(server: Server) -> str:
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{host}:{server.port}"


def _app_backend(name: str, servers: tuple[Server, ...]) -> str:
    lines = [f"backend {name} from app"]
    lines += [f"  server {server_name(server)} {_address(server)}" for server in servers]
    return "\n".join(lines) + "\n"


def _ms(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def _skeleton(settings: Settings) -> str:
    sections = (
        _global(settings),
        _defaults(settings),
        _https_frontend(settings),
        _http_frontend(settings),
        _relay(settings),
        _platform_backends(settings),
        _page_backend(),
        _app_defaults(settings),
    )
    return "\n".join("\n".join(section) + "\n" for section in sections)


def _global(settings: Settings) -> list[str]:
    lines = [
        "# Written by Homeport, over and over: changes here do not last.",
        "global",
        "  description homeport-DIGEST",
        f"  nbthread {settings.threads}",
        f"  maxconn {settings.connections}",
        f"  stats socket unix@{ADMIN_SOCKET} mode 600 level admin expose-fd listeners",
        "  stats timeout 1m",
        # Workers of before a reload go on for their websockets and log tails, but not for ever.
        "  hard-stop-after 24h",
        # One buffer must hold all headers: the heroku CLI's Request-Id alone grows to 7 KB.
        "  tune.bufsize 32768",
        "  tune.maxrewrite 4096",
        "  ssl-default-bind-options ssl-min-ver TLSv1.2",
        # Standard output is a pipe that the daemon reads; up to PIPE_BUF a line is written whole.
        "  log stdout len 4000 format raw local0 info",
    ]
    if settings.lua:
        lines.append(f"  lua-load {LOBBY}")
    return lines


def _defaults(settings: Settings) -> list[str]:
    timeouts = settings.timeouts
    return [
        "defaults base",
        "  log global",
        "  option dontlognull",
        # A reload closes no connection that a client may just be sending its next request on.
        "  option idle-close-on-response",
        # A client that leaves is told apart from an app that is slow (H27, not H12), and frees the dyno. HAProxy before
        # 3.0 notices only if frontend and backend both ask for it.
        "  option abortonclose",
        # A connection to a dyno serves one request, as on Heroku: nothing can go stale in between.
        "  option http-server-close",
        f"  timeout connect {_ms(timeouts.connect)}",
        # A push may be quiet for minutes while git compresses; app requests are limited where HAProxy can.
        f"  timeout client {_ms(timeouts.platform)}",
        f"  timeout client-fin {_ms(timeouts.headers)}",
        f"  timeout server {_ms(timeouts.platform)}",
        f"  timeout http-request {_ms(timeouts.headers)}",
        f"  timeout http-keep-alive {_ms(timeouts.keep_alive)}",
    ]


def _bind_addresses(settings: Settings, port: int) -> str:
    return ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host in settings.addresses)


def _https_frontend(settings: Settings) -> list[str]:
    rendezvous = f"{{ req.payload(0,{len(RENDEZVOUS_PREFIX)}) -m str {RENDEZVOUS_PREFIX} }}"
    return [
        "frontend https from base",
        # TCP at first, because `heroku run` speaks raw TLS to the same port. Whoever negotiated a protocol by ALPN is
        # at once HTTP; the others are when their first bytes are not a rendezvous secret's.
        "  mode tcp",
        f"  bind {_bind_addresses(settings, settings.https_port)} v6only ssl"
        # The API's names first: of two entries for a name the first one counts.
        f" crt-list {API_CERTIFICATE_LIST} crt {DEFAULT_CERTIFICATE} crt-list {CERTIFICATE_LIST} alpn h2,http/1.1",
        f"  tcp-request inspect-delay {_ms(settings.timeouts.headers)}",
        "  tcp-request content switch-mode http proto h2 if { ssl_fc_alpn h2 }",
        "  tcp-request content switch-mode http if { ssl_fc_alpn http/1.1 }",
        f"  tcp-request content accept if {rendezvous}",
        "  tcp-request content switch-mode http",
        *_routing(settings, "https"),
        f"  use_backend rendezvous if {rendezvous}",
        "  use_backend api if { var(txn.route) -m str api }",
        "  use_backend relay-https if { stopping }",
        *_app_routing(),
    ]


def _http_frontend(settings: Settings) -> list[str]:
    return [
        "frontend http from base",
        "  mode http",
        f"  bind {_bind_addresses(settings, settings.http_port)} v6only",
        *_routing(settings, "http"),
        # A token in clear goes no further than this machine.
        "  use_backend api if { var(txn.route) -m str api } { src 127.0.0.0/8 ::1 }",
        "  use_backend api-needs-tls if { var(txn.route) -m str api }",
        "  use_backend relay-http if { stopping }",
        *_app_routing(),
    ]


def _relay(settings: Settings) -> list[str]:
    """How a worker of before a reload, which knows nothing of what changed since, hands requests to its successor:
    those that waited in its lobby, and those that still come on its connections."""
    lines = []
    for protocol in ("https", "http"):
        lines += [
            f"backend relay-{protocol} from base",
            "  mode http",
            "  http-request set-log-level silent",
            "  http-request set-header X-Request-Start %[var(txn.start)]",
            f"  server next unix@run/relay-{protocol}.sock send-proxy-v2",
            "",
            f"frontend relayed-{protocol} from base",
            "  mode http",
            f"  bind unix@run/relay-{protocol}.sock mode 600 accept-proxy",
            *_routing(settings, protocol, start="req.hdr(x-request-start)"),
            *_app_routing(),
            "",
        ]
    return lines[:-1]


def _routing(settings: Settings, protocol: str, *, start: str = "date(0,ms)") -> list[str]:
    lines = [
        # What access.py reads, in this order; only what both TCP and HTTP mode know may stand here.
        '  log-format "%[var(txn.route)] %ts %ST %s %Tc %Tw %[date(0,ms),sub(txn.start)] %B '
        f'{protocol} %[var(txn.line)]"',
        f"  http-request set-var(txn.start) {start}",
        f"  http-request set-var(txn.protocol) str({protocol})",
        "  http-request set-var(txn.host) req.hdr(host),host_only,rtrim(.)",
        f"  http-request set-var(txn.route) var(txn.host),map_str({HOSTS_MAP})",
        f"  http-request set-var(txn.route) var(txn.host),regsub(^[^.]+,*),map_str({HOSTS_MAP})"
        " if !{ var(txn.route) -m found }",
        "  http-request set-var(txn.json) bool(true) if { req.hdr(accept) -m sub application/json }",
    ]
    if settings.lua:
        lines.append(
            f"  http-request lua.lobby {round(settings.timeouts.boot * 1000)} if {{ var(txn.route) -m beg starting/ }}"
        )
    if settings.version >= (2, 9):
        # Longer than the server's, so that it is clear whose fault it was when nothing moves. Not before the lobby.
        idle = _ms(settings.timeouts.idle * 1.25)
        lines.append(f"  http-request set-timeout client {idle} unless {{ var(txn.route) -m str api }}")
    return lines


def _app_routing() -> list[str]:
    return [
        "  use_backend app-%[var(txn.route),field(2,/)] if { var(txn.route) -m beg up/ }",
        "  default_backend pages",
    ]


def _platform_backends(settings: Settings) -> list[str]:
    down = (
        '{"id":"unavailable","message":"The Homeport daemon does not answer. Apps go on running. '
        'Start it with `homeport up`; when it should be up already, `homeport status` says more."}'
    )
    tls = (
        '{"id":"tls_required","message":"The API is served in clear to this machine itself only, because a token '
        f'would travel readably. Use https:// and port {settings.https_port}."}}'
    )
    return [
        "backend api from base",
        "  mode http",
        f"  timeout tunnel {_ms(settings.timeouts.platform)}",
        "  http-request set-log-level silent",
        "  http-request set-header X-Forwarded-For %[src]",
        "  http-request set-header X-Forwarded-Proto %[var(txn.protocol)]",
        "  http-request set-header X-Forwarded-Port %[dst_port]",
        *(f"  http-error status {status} content-type {pages.JSON_TYPE} string '{down}'" for status in (502, 503, 504)),
        f"  server api unix@{settings.api_socket}",
        "",
        "backend api-needs-tls from base",
        "  mode http",
        "  http-request set-log-level silent",
        f"  http-request return status 403 content-type {pages.JSON_TYPE} string '{tls}'",
        "",
        "backend rendezvous from base",
        "  mode tcp",
        f"  timeout tunnel {_ms(settings.timeouts.platform * 24)}",
        f"  server rendezvous unix@{settings.rendezvous_socket}",
    ]


def _request_line() -> list[str]:
    """The request's part of a log line, its id and where it came from."""
    return [
        "  http-request set-var(txn.id) req.hdr(x-request-id)",
        "  http-request set-var(txn.id) uuid() unless { var(txn.id) -m reg ^[A-Za-z0-9+/=_-]{20,200}$ }",
        "  http-request add-header X-Forwarded-For %[src] if { req.fhdr_cnt(x-forwarded-for) gt 1 }",
        "  http-request set-var(txn.fwd) src",
        '  http-request set-var-fmt(txn.fwd) "%[req.fhdr(x-forwarded-for)], %[src]"'
        " if { req.fhdr_cnt(x-forwarded-for) eq 1 }",
        '  http-request set-var-fmt(txn.line) "method=%[method] path=%{+Q,+E}[pathq] host=%[req.hdr(host),host_only]'
        ' request_id=%[var(txn.id)] fwd=%{+Q,+E}[var(txn.fwd)]"',
    ]


def _page_backend() -> list[str]:
    lines = ["backend pages from base", "  mode http", *_request_line()]
    for number in ("H10", "H14", "H20", "H80"):
        status = CODES[number].status
        lines += _page_rules(number, status, f"{{ var(txn.route) -m beg {number}/ }}")
    # Only without Lua do requests for an app that is starting come here, or when a reload is under way.
    lines += _page_rules("H20", CODES["H20"].status, "{ var(txn.route) -m found }")
    lines += _page_rules("nothing", 404, "")
    return lines


def _page_rules(name: str, status: int, condition: str) -> list[str]:
    def answer(kind: str, suffix: str, *conditions: str) -> str:
        when = " ".join(filter(None, conditions))
        return (
            f'  http-request return status {status} content-type "{kind}" lf-file {PAGES}/{name}.{suffix}'
            " hdr Cache-Control no-store" + (f" if {when}" if when else "")
        )

    return [
        answer(pages.JSON_TYPE, "json", condition, "{ var(txn.json) -m found }"),
        answer(pages.HTML_TYPE, "html", condition),
    ]


def _app_defaults(settings: Settings) -> list[str]:
    timeouts = settings.timeouts
    lines = [
        "defaults app from base",
        "  mode http",
        # Fewest connections first: Python servers take few requests at once, and a slow one should get fewer.
        "  balance leastconn",
        "  retries 3",
        "  option redispatch 1",
        f"  timeout server {_ms(timeouts.first_byte)}",
        f"  timeout tunnel {_ms(timeouts.idle)}",
        *_request_line(),
        "  http-request set-header X-Request-Id %[var(txn.id)]",
        "  http-request set-header X-Request-Start %[var(txn.start)]",
        "  http-request set-header X-Forwarded-For %[var(txn.fwd)] unless { req.fhdr_cnt(x-forwarded-for) gt 1 }",
        "  http-request set-header X-Forwarded-Proto %[var(txn.protocol)]",
        "  http-request set-header X-Forwarded-Port %[dst_port]",
        '  http-request add-header Via "%[req.ver] homeport"',
        # CGI-style servers would show this one to the app as the HTTP_PROXY variable (httpoxy, CVE-2016-1000110).
        "  http-request del-header Proxy",
        '  http-response add-header Via "%[res.ver] homeport"',
    ]
    if settings.version >= (2, 9):
        lines.append(f"  http-response set-timeout server {_ms(timeouts.idle)}")
    else:
        # Older HAProxys know one server timeout only, and the first byte is what Heroku is strict about. Event
        # streams say what they are, so that the pause between two events may be as long as on Heroku.
        lines.append(
            f"  http-request set-timeout server {_ms(timeouts.idle)} if {{ req.hdr(accept) -m sub text/event-stream }}"
        )
    for status, number in ((502, "H13"), (503, "H21"), (504, "H12")):
        lines.append(
            f'  http-error status {status} content-type "{pages.HTML_TYPE}" lf-file {PAGES}/{number}.html'
            f" hdr Cache-Control no-store hdr Homeport-Error {number}"
        )
    lines.append("  http-after-response set-status 503 if { res.hdr(homeport-error) -m found }")
    return lines
