"""The part of HAProxy's configuration that no app changes: limits, doors, headers, pages. Pure text, by sections.

Every request goes through a frontend, which finds its route in a map by host name, and on to one backend: the API's,
a rendezvous, a page, or an app's own.
"""

from __future__ import annotations

from homeport.router import pages, paths
from homeport.router.codes import CODES
from homeport.router.platform import ADDRESS, LOCAL, counting, platform_backends
from homeport.router.settings import Settings, milliseconds

RENDEZVOUS_PREFIX = "rendezvous-"
"""What every rendezvous secret begins with: no HTTP method does."""


def skeleton(settings: Settings) -> str:
    sections = (
        _global(settings),
        _defaults(settings),
        _addresses(),
        _https_frontend(settings),
        _http_frontend(settings),
        _hops(settings),
        platform_backends(settings),
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
        f"  stats socket unix@{paths.ADMIN_SOCKET} mode 600 level admin expose-fd listeners",
        "  stats timeout 1m",
        # Workers of before a reload go on for their websockets and log tails, but not for ever, and not by the hundred.
        "  hard-stop-after 24h",
        "  mworker-max-reloads 50",
        # One buffer must hold all headers: the heroku CLI's Request-Id alone grows to 7 KB.
        "  tune.bufsize 32768",
        "  tune.maxrewrite 4096",
        "  ssl-default-bind-options ssl-min-ver TLSv1.2",
        # Standard output is a pipe that the daemon reads; up to PIPE_BUF a line is written whole.
        "  log stdout len 4000 format raw local0 info",
    ]
    if settings.lua:
        lines.append(f"  lua-load {paths.LOBBY}")
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
        # A connection to a dyno serves one request: nothing can go stale in between (decisions 0021 and 0225).
        "  option http-server-close",
        f"  timeout connect {milliseconds(timeouts.connect)}",
        f"  timeout client {milliseconds(timeouts.upload)}",
        f"  timeout client-fin {milliseconds(timeouts.headers)}",
        f"  timeout server {milliseconds(timeouts.platform)}",
        f"  timeout http-request {milliseconds(timeouts.headers)}",
        f"  timeout http-keep-alive {milliseconds(timeouts.keep_alive)}",
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
        f" crt-list {paths.API_CERTIFICATE_LIST} crt {paths.DEFAULT_CERTIFICATE} crt-list {paths.CERTIFICATE_LIST}"
        " alpn h2,http/1.1",
        *_door(settings, settings.connections // 2),
        f"  tcp-request inspect-delay {milliseconds(settings.timeouts.headers)}",
        "  tcp-request content switch-mode http proto h2 if { ssl_fc_alpn h2 }",
        "  tcp-request content switch-mode http if { ssl_fc_alpn http/1.1 }",
        f"  tcp-request content accept if {rendezvous}",
        "  tcp-request content switch-mode http",
        *_routing(settings, "https"),
        f"  use_backend rendezvous if {rendezvous}",
        "  use_backend api if { var(txn.route) -m str api }",
        "  use_backend errors if { var(txn.route) -m str errors }",
        "  use_backend buckets if { var(txn.route) -m str buckets }",
        *_leading_back("https"),
        *_app_routing(),
    ]


def _http_frontend(settings: Settings) -> list[str]:
    return [
        "frontend http from base",
        "  mode http",
        f"  bind {_bind_addresses(settings, settings.http_port)} v6only",
        *_door(settings, settings.connections * 3 // 8),
        *_routing(settings, "http"),
        # A token in clear goes no further than this machine.
        "  use_backend api if { var(txn.route) -m str api } { src 127.0.0.0/8 ::1 }",
        "  use_backend api-needs-tls if { var(txn.route) -m str api }",
        "  use_backend errors if { var(txn.route) -m str errors } { src 127.0.0.0/8 ::1 }",
        "  use_backend api-needs-tls if { var(txn.route) -m str errors }",
        "  use_backend buckets if { var(txn.route) -m str buckets } { src 127.0.0.0/8 ::1 }",
        "  use_backend api-needs-tls if { var(txn.route) -m str buckets }",
        *_leading_back("http"),
        *_app_routing(),
    ]


def _door(settings: Settings, places: int) -> list[str]:
    """How many connections there may be: all doors together leave some for the router's ways back into itself, and one
    address, behind which a thousand people may sit, leaves most to others."""
    return [
        f"  maxconn {places}",
        f"  tcp-request connection track-sc0 {ADDRESS} table addresses unless {LOCAL}",
        f"  tcp-request connection reject if {{ sc0_conn_cur gt {settings.connections // 4} }}",
    ]


def _addresses() -> list[str]:
    return ["backend addresses from base", counting()]


def _hops(settings: Settings) -> list[str]:
    """Ways from the router back into itself, over a socket of its own and a connection per request.

    *relay*: how a worker of before a reload, which knows nothing of what changed since, hands requests to its
    successor: those that waited in its lobby, and those that still come on its connections.

    *alone*: how a request that must not run twice becomes the first one of its connection. Only then does it surely
    get an answer if the dyno hangs up: to a later request HAProxy before 3.0 says nothing but that it may be sent again
    (over HTTP/2 in so many words: REFUSED_STREAM), and browsers do.
    """
    lines = []
    for way in ("relay", "alone"):
        for protocol in ("https", "http"):
            lines += [
                f"backend {way}-{protocol} from base",
                "  mode http",
                "  http-request set-log-level silent",
                "  http-request set-header X-Request-Start %[var(txn.start)]",
                f"  server next unix@run/{way}-{protocol}.sock send-proxy-v2",
                "",
                f"frontend {way}-{protocol}-in from base",
                "  mode http",
                f"  bind unix@run/{way}-{protocol}.sock mode 600 accept-proxy",
                *_routing(settings, protocol, start="req.hdr(x-request-start)"),
                # Who waited here in the lobby, while one reload followed another, is led on.
                _relaying(protocol),
                *_app_routing(),
                "",
            ]
    return lines[:-1]


def _routing(settings: Settings, protocol: str, *, start: str = "date(0,ms)") -> list[str]:
    lines = [
        # What access.py reads, in this order; only what both TCP and HTTP mode know may stand here.
        '  log-format "%[var(txn.route)] %ts %ST %s %Tc %Tw %[date(0,ms),sub(txn.begun)] %B '
        f'{protocol} %[var(txn.line)]"',
        f"  http-request set-var(txn.start) {start}",
        # When work on it began; the lobby sets it anew, so that waiting for an app to start is not its service time.
        "  http-request set-var(txn.begun) date(0,ms)",
        f"  http-request set-var(txn.protocol) str({protocol})",
        "  http-request set-var(txn.host) req.hdr(host),host_only,rtrim(.)",
        f"  http-request set-var(txn.route) var(txn.host),map_str({paths.HOSTS_MAP})",
        f"  http-request set-var(txn.route) var(txn.host),regsub(^[^.]+,*),map_str({paths.HOSTS_MAP})"
        " if !{ var(txn.route) -m found }",
        # Under the API's name SDKs send their events, which the error tracker takes and not the daemon.
        "  http-request set-var(txn.route) str(errors) if { var(txn.route) -m str api }"
        " { path -m reg ^/api/[0-9]+/(envelope|store)/?$ }",
        *_buckets_path(settings),
        "  http-request set-var(txn.json) bool(true) if { req.hdr(accept) -m sub application/json }"
        " !{ req.hdr(accept) -m sub text/html }",
        # What its client may send again if it gets no answer: it has no effect that counts (RFC 9110, 9.2.1).
        "  http-request set-var(txn.repeatable) bool(true) if { method GET }"
        " !{ req.hdr(content-length) -m found } !{ req.hdr(transfer-encoding) -m found }",
    ]
    if settings.lua:
        lines.append(
            f"  http-request lua.lobby {round(settings.timeouts.boot * 1000)}"
            " if { var(txn.route) -m beg starting/ asleep/ }"
        )
    if settings.version >= (2, 9):
        # Longer than the server's, so that it is clear whose fault it was when nothing moves. Not before the lobby.
        idle = milliseconds(settings.timeouts.idle * 1.25)
        lines.append(f"  http-request set-timeout client {idle} unless {{ var(txn.route) -m str api buckets }}")
    return lines


def _relaying(protocol: str) -> str:
    return f"  use_backend relay-{protocol} if {{ stopping }}"


def _leading_back(protocol: str) -> list[str]:
    up = "{ var(txn.route) -m beg up/ }"
    return [
        _relaying(protocol),
        f"  use_backend alone-{protocol} if {up} !{{ var(txn.repeatable) -m found }} !{{ http_first_req }}",
    ]


def _app_routing() -> list[str]:
    return [
        "  use_backend app-%[var(txn.route),field(2,/)] if { var(txn.route) -m beg up/ }",
        "  default_backend pages",
    ]


def _buckets_path(settings: Settings) -> list[str]:
    """Where names below the platform's can't be resolved, buckets have a path of its own name."""
    if settings.domain != "localhost":
        return []
    condition = "if { var(txn.route) -m str api } { path -m reg ^/s3(/|$) }"
    return [f"  http-request set-var(txn.route) str(buckets) {condition}"]


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
    error = f" hdr Homeport-Error {name}" if name in CODES else ""

    def answer(kind: str, suffix: str, *conditions: str) -> str:
        when = " ".join(filter(None, conditions))
        return (
            f'  http-request return status {status} content-type "{kind}" lf-file {paths.PAGES}/{name}.{suffix}'
            f" hdr Cache-Control no-store{error}" + (f" if {when}" if when else "")
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
        f"  timeout server {milliseconds(timeouts.first_byte)}",
        f"  timeout tunnel {milliseconds(timeouts.idle)}",
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
        lines.append(f"  http-response set-timeout server {milliseconds(timeouts.idle)}")
    else:
        # Older HAProxys know one server timeout only, and the first byte is what Heroku is strict about. Event
        # streams say what they are, so that the pause between two events may be as long as on Heroku.
        lines.append(
            f"  http-request set-timeout server {milliseconds(timeouts.idle)}"
            " if { req.hdr(accept) -m sub text/event-stream }"
        )
    for status, number in ((502, "H13"), (503, "H21"), (504, "H12")):
        lines.append(
            f'  http-error status {status} content-type "{pages.HTML_TYPE}" lf-file {paths.PAGES}/{number}.html'
            f" hdr Cache-Control no-store hdr Homeport-Error {number}"
        )
    lines.append("  http-after-response set-status 503 if { res.hdr(homeport-error) -m found }")
    return lines
