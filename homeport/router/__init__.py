"""The router: the pure route table, the proxy's configuration and run-time sync, certificates, pages, access lines."""

from homeport.router.authority import Authority
from homeport.router.ports import addresses, is_free
from homeport.router.proxy import Proxy
from homeport.router.route_table import AppRoute, AppState, RouteTable, Server, table
from homeport.router.settings import Timeouts
from homeport.router.skeleton import RENDEZVOUS_PREFIX

__all__ = [
    "RENDEZVOUS_PREFIX",
    "AppRoute",
    "AppState",
    "Authority",
    "Proxy",
    "RouteTable",
    "Server",
    "Timeouts",
    "addresses",
    "is_free",
    "table",
]
