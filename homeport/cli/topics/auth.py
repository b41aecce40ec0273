"""`homeport login`, `logout`, `whoami`, `auth:token`."""

from __future__ import annotations

import base64
import socket
from dataclasses import replace
from typing import Any

from homeport.cli.api import Api, path
from homeport.cli.call import Call
from homeport.cli.credentials import Logins
from homeport.cli.endpoint import Endpoint, Login, Source, complete, url_of
from homeport.cli.errors import ApiError, NotLoggedIn, UsageError
from homeport.errors import HomeportError

THIRTY_DAYS = 30 * 24 * 3600


def whoami(call: Call) -> None:
    for name in ("HOMEPORT_API_KEY", "HEROKU_API_KEY"):
        if call.endpoint.source is Source.ENVIRONMENT and call.endpoint.token == call.env.get(name):
            call.terminal.warn(f"{name} is set")
    if call.endpoint.token is None:
        raise NotLoggedIn("Log in: homeport login")
    try:
        account = call.api.get("/account")
    except ApiError as error:
        if error.status == 401:
            raise NotLoggedIn(error.fix) from error
        raise
    call.terminal.out(account["email"])


def login(call: Call) -> None:
    endpoint = _login_target(call)
    seconds = call.number("expires-in") or THIRTY_DAYS
    if seconds > THIRTY_DAYS:
        raise UsageError("Cannot set an expiration longer than thirty days", command=call.command.name)
    if not call.terminal.is_interactive:
        raise HomeportError(
            "no_terminal",
            "There is no terminal to ask for your credentials on.",
            fix="In scripts, set HOMEPORT_HOST and HOMEPORT_API_KEY instead.",
        )
    call.terminal.say(f"homeport: Enter your login credentials for {endpoint.url}")
    email = call.terminal.ask("Email:")
    secret = _ask_secret("Password or API token: ")
    basic = base64.b64encode(f"{email}:{secret}".encode()).decode()
    api = Api(endpoint, call.world.connect(endpoint), call.terminal.warn)
    wanted = {"description": f"Homeport CLI login from {socket.gethostname()}", "scope": ["global"]}
    answer, _ = api.request(
        "POST",
        "/oauth/authorizations",
        {**wanted, "expires_in": seconds},
        headers={"Authorization": f"Basic {basic}"},
    )
    email = answer["user"]["email"]
    Logins.of(call.env).add(endpoint.url, Login(email, answer["access_token"]["token"]))
    call.terminal.out(f"Logged in as {call.terminal.ink.user(email)}")


def _login_target(call: Call) -> Endpoint:
    """The platform to log in to, without any token that we may already have for it."""
    named = call.option("host")
    if named is None and call.endpoint.source is Source.ENVIRONMENT and call.endpoint.token is not None:
        raise HomeportError(
            "api_key_set",
            "Cannot log in while an API key is set in the environment.",
            why="HOMEPORT_API_KEY or HEROKU_API_KEY would go on being used.",
            fix="Unset it first, or name another platform with --host.",
        )
    found = Endpoint(url_of(named) if named else call.endpoint.url, Source.LOGIN)
    return replace(complete(found, call.env, {}, call.world.local()), token=None)


def _ask_secret(prompt: str) -> str:
    import getpass

    return getpass.getpass(prompt)


def logout(call: Call) -> None:
    endpoint = call.endpoint
    if endpoint.token is None:
        call.terminal.warn("You are not logged in.")
        return
    if endpoint.source is Source.LOCAL:
        raise HomeportError(
            "local_token",
            "Nobody is logged in: commands on this machine use the platform's own token.",
            why="Without that token the platform could no longer be used from here.",
            fix="To stop using it, stop the platform: homeport down",
        )
    with call.terminal.doing("Logging out"):
        try:
            _invalidate(call, endpoint.token)
        finally:
            Logins.of(call.env).remove(endpoint.url)


def _invalidate(call: Call, token: str) -> None:
    """End the session and the authorization that the token belongs to; the account's default token is kept, because
    other programs may be using it (so does the official CLI)."""
    try:
        call.api.delete("/oauth/sessions/~")
    except ApiError as error:
        if error.status not in (401, 404):
            raise
    try:
        default = call.api.optional("/oauth/authorizations/~", None)
        if default and _is(token, default):
            return
        for authorization in call.api.all("/oauth/authorizations"):
            if _is(token, authorization):
                call.api.delete(path("oauth", "authorizations", authorization["id"]))
    except ApiError as error:
        if error.status != 401:  # 401: it was not valid any more
            raise


def _is(token: str, authorization: dict[str, Any]) -> bool:
    """Whether an authorization is the token's; the server may show only its ends, with stars between."""
    shown = (authorization.get("access_token") or {}).get("token") or ""
    start, stars, end = shown.partition("*" * 10)
    return bool(shown) and (token.startswith(start) and token.endswith(end.lstrip("*")) if stars else token == shown)


def token(call: Call) -> None:
    if call.endpoint.token is None:
        raise NotLoggedIn("Log in: homeport login")
    call.terminal.out(call.endpoint.token)
