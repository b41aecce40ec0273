"""The rows of the command table that concern who somebody is, and who may use an app."""

from __future__ import annotations

from homeport.cli.grammar import Command, Flag
from homeport.cli.vocabulary import EMAIL, LONG_JSON, accepted, command, on_app

ACCOUNT_TOPICS = {
    "access": "manage user access to apps",
    "auth": "manage authentication for your account",
}

ACCOUNT_COMMANDS: tuple[Command, ...] = (
    # auth
    command("auth:whoami", "auth:whoami", "display the current logged in user", aliases=("whoami",)),
    command(
        "auth:login",
        "auth:login",
        "log in with your e-mail address and password or API token",
        accepted("interactive", "i"),
        Flag("expires-in", "duration of token in seconds (default 30 days)", char="e", value="value", number=True),
        Flag("host", "the platform to log in to, such as https://localhost:8443", value="url"),
        aliases=("login",),
        examples=("login", "login --host https://api.example.com"),
    ),
    command("auth:logout", "auth:logout", "clear local credentials and invalidate their token", aliases=("logout",)),
    command("auth:token", "auth:token", "output the token in use"),
    # access
    on_app("access", "access:list_access", "list who has access to an app", LONG_JSON),
    on_app(
        "access:add",
        "access:add",
        "add new users to your app",
        EMAIL,
        Flag("permissions", "comma separated permissions", char="p", value="value"),
    ),
    on_app("access:remove", "access:remove", "remove users from an app", EMAIL),
)
