"""The backends of the platform's own: the API, the error tracker, buckets, and dynos that a terminal is attached to.

The tracker and the buckets take some requests at a time, from anybody. So nobody may have more than a part of these
places, by address: one in IPv4, a network of 64 bits, as every household gets, in IPv6. This machine itself is not
counted, since dynos and a proxy before Homeport speak for many.
"""

from __future__ import annotations

from homeport.router import pages, paths
from homeport.router.settings import Settings, milliseconds

ADDRESS = "src,ipmask(32,64)"
LOCAL = "{ src 127.0.0.1 ::1 }"

_TRACKER_PLACES = 100
_TRACKER_PLACES_EACH = 20
_BUCKET_PLACES = 500
_BUCKET_PLACES_EACH = 100


def counting() -> str:
    """A table of how much each address has open just now."""
    return "  stick-table type ipv6 size 100k expire 1m store conn_cur"


def platform_backends(settings: Settings) -> list[str]:
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
        f"  timeout tunnel {milliseconds(settings.timeouts.platform)}",
        "  http-request set-log-level silent",
        "  http-request set-header X-Forwarded-For %[src]",
        "  http-request set-header X-Forwarded-Proto %[var(txn.protocol)]",
        "  http-request set-header X-Forwarded-Port %[dst_port]",
        *(f"  http-error status {status} content-type {pages.JSON_TYPE} string '{down}'" for status in (502, 503, 504)),
        f"  server api unix@{settings.api_socket}",
        "",
        *_errors_backend(settings),
        "",
        *_buckets_backend(settings),
        "",
        "backend api-needs-tls from base",
        "  mode http",
        "  http-request set-log-level silent",
        f"  http-request return status 403 content-type {pages.JSON_TYPE} string '{tls}'",
        "",
        "backend rendezvous from base",
        "  mode tcp",
        f"  timeout tunnel {milliseconds(settings.timeouts.platform * 24)}",
        f"  server rendezvous unix@{settings.rendezvous_socket}",
    ]


def _errors_backend(settings: Settings) -> list[str]:
    """The tracker takes a few at a time; the others wait here, where waiting costs nothing. Bodies are waited for here
    too, as far as they fit into a buffer, as most do: a slow sender has no place yet."""
    gone = '{"detail":"The error tracker does not answer."}'
    many = '{"detail":"Too many events are being sent from this address at once."}'
    return [
        "backend errors from base",
        "  mode http",
        "  timeout server 30s",
        "  timeout queue 10s",
        "  http-request set-log-level silent",
        counting(),
        f"  http-request track-sc1 {ADDRESS} unless {LOCAL}",
        f"  http-request return status 429 content-type {pages.JSON_TYPE} string '{many}' hdr Retry-After 10"
        f" if {{ sc1_conn_cur gt {_TRACKER_PLACES_EACH} }}",
        f"  http-request wait-for-body time {milliseconds(settings.timeouts.headers)}",
        *(
            f"  http-error status {status} content-type {pages.JSON_TYPE} string '{gone}' hdr Retry-After 30"
            for status in (502, 503, 504)
        ),
        f"  server errors unix@{paths.ERRORS_SOCKET} maxconn {_TRACKER_PLACES}",
    ]


def _buckets_backend(settings: Settings) -> list[str]:
    gone = (
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>ServiceUnavailable</Code>'
        "<Message>The bucket server does not answer just now. It is started again by itself.</Message></Error>"
    )
    many = (
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
        "<Message>Too many requests are under way from this address.</Message></Error>"
    )
    return [
        "backend buckets from base",
        "  mode http",
        f"  timeout server {milliseconds(settings.timeouts.platform)}",
        "  http-request set-log-level silent",
        counting(),
        f"  http-request track-sc1 {ADDRESS} unless {LOCAL}",
        # SDKs know this error of S3's, and try again.
        f"  http-request return status 503 content-type application/xml string '{many}' hdr Retry-After 1"
        f" if {{ sc1_conn_cur gt {_BUCKET_PLACES_EACH} }}",
        *(
            f"  http-error status {status} content-type application/xml string '{gone}' hdr Retry-After 1"
            for status in (502, 503, 504)
        ),
        f"  server buckets unix@{paths.BUCKETS_SOCKET} maxconn {_BUCKET_PLACES}",
    ]
