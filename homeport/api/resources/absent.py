"""What isn't here yet: lists of it are empty, one of it is not found, making one says so.

So the commands that ask for it in passing (`labs` asks for account features) go on working.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from homeport.accounts import Action
from homeport.api.exchange import Call, Reply
from homeport.api.table import Access, Needs, route
from homeport.errors import Invalid, NotFound

# fmt: off
LISTS = (
    ("/account/app-transfers",                    "apps:transfer"),
    ("/account/features",                         "labs"),
    ("/apps/{app}/log-drains",                    "drains"),
    ("/apps/{app}/sni-endpoints",                 "certs, domains:add"),
    ("/apps/{app}/telemetry-drains",              "telemetry"),
    ("/apps/{app}/webhook-deliveries",            "webhooks:deliveries"),
    ("/apps/{app}/webhook-events",                "webhooks:events"),
    ("/apps/{app}/webhooks",                      "webhooks"),
    ("/enterprise-accounts",                      "platform-api"),
    ("/oauth/clients",                            "clients"),
    ("/oauth/sessions",                           "sessions"),
    ("/spaces",                                   "spaces"),
    ("/teams",                                    "teams"),
)

# The third is the error's `resource`, by which the CLI decides to try something else.
ONES = (
    ("GET    /account/features/{feature}",         "labs:enable",          "feature"),
    ("DELETE /apps/{app}/log-drains/{drain}",      "drains:remove",        "drain"),
    ("DELETE /oauth/sessions/{session}",           "auth:logout",          "session"),
    ("GET    /teams/{team}",                       "members",              "team"),
)

LOGIN = "Run `heroku login -i`: any e-mail address, and an API token as the password."

NEW = (
    ("/account/app-transfers",                    "apps:transfer",         "App transfers aren't here yet.", ""),
    ("/apps/{app}/acm",                           "certs:auto:enable",     "Automatic TLS isn't here yet.", ""),
    ("/apps/{app}/log-drains",                    "drains:add",            "Log drains aren't here yet.", ""),
    ("/apps/{app}/sni-endpoints",                 "certs:add",             "Own certificates aren't here yet.", ""),
    ("/apps/{app}/webhooks",                      "webhooks:add",          "Webhooks aren't here yet.", ""),
    ("/auth",                                     "login",                 "The browser login isn't here yet.", LOGIN),
    ("/oauth/clients",                            "clients:create",        "OAuth clients aren't here yet.", ""),
    ("/teams/apps",                               "create --team",         "There are no teams here yet.", ""),
)
# fmt: on

Handler = Callable[[Call, Session], Reply]


def _none(_call: Call, _session: Session) -> Reply:
    return Reply([])


def _missing(resource: str) -> Handler:
    def handler(_call: Call, _session: Session) -> Reply:
        raise NotFound(resource)

    return handler


def _refused(what: str, fix: str) -> Handler:
    def handler(_call: Call, _session: Session) -> Reply:
        raise Invalid(what, id="not_here_yet", fix=fix)

    return handler


def _needs(path: str) -> Needs:
    """What isn't here needs no more than a look; but an app that is someone else's isn't here either."""
    if path == "/auth":
        return Access.PUBLIC
    return Action.VIEW if "{app}" in path else Access.ANYONE


ROUTES = (
    *(route(f"GET {path}", _none, _needs(path), command) for path, command in LISTS),
    *(route(asked, _missing(resource), _needs(asked), command) for asked, command, resource in ONES),
    *(route(f"POST {path}", _refused(what, fix), _needs(path), command) for path, command, what, fix in NEW),
)
