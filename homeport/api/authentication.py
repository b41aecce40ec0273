"""Which secret a request brings: https://devcenter.heroku.com/articles/platform-api-reference#authentication.

Clients send it in several ways, each on every endpoint: `Bearer TOKEN` (the CLI, the gems), Basic `:TOKEN` (pg
commands, heroku3), `EMAIL:TOKEN` (Terraform, `login -i`), `heroku:TOKEN` (git).
"""

from __future__ import annotations

import base64
import binascii

from homeport.errors import Unauthorized


def presented_secret(authorization: str | None) -> str:
    """The secret in an Authorization header. Raises `Unauthorized` if there is none."""
    scheme, _, value = (authorization or "").strip().partition(" ")
    value = value.strip()
    match scheme.lower():
        case "bearer" | "token":
            secret = value
        case "basic":
            secret = _password(value)
        case _:
            secret = ""
    if not secret:
        raise Unauthorized(fix="Send your API token: `Authorization: Bearer TOKEN`, or as the password of Basic.")
    return secret


def _password(encoded: str) -> str:
    try:
        text = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise Unauthorized("The Authorization header is malformed.") from None
    user, _, password = text.partition(":")
    return password or user  # `curl -u TOKEN:`
