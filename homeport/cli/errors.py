"""Failures that only a command line has, and how any failure is shown and which exit code it gives.

Exit codes are the official CLI's: 2 for wrong usage and for what the API refuses, 127 for an unknown command, 130
for Ctrl-C, 100 for `whoami` when nobody is logged in, 1 for the rest.
"""

from __future__ import annotations

from homeport.errors import HomeportError


class UsageError(HomeportError):
    """The command line itself is wrong. `command` is the one whose help page tells more."""

    def __init__(self, what: str, *, command: str = "", fix: str = "", id: str = "usage") -> None:
        help_page = f"See more help: homeport help {command}".rstrip()
        super().__init__(id, what, fix=fix or help_page)
        self.command = command


class UnknownCommand(HomeportError):
    """No command of that name."""

    def __init__(self, what: str, *, fix: str) -> None:
        super().__init__("unknown_command", what, fix=fix)


class NotLoggedIn(HomeportError):
    """`whoami` without credentials that are valid."""

    def __init__(self, fix: str) -> None:
        super().__init__("not_logged_in", "not logged in", fix=fix)


class RemoteExit(HomeportError):
    """The command in the dyno ended with `code`, which becomes ours."""

    def __init__(self, code: int) -> None:
        super().__init__("remote_exit", f"Process exited with code {code}")
        self.code = code


class ApiError(HomeportError):
    """The server refused a request. `coded`: it said why in Heroku's form; otherwise it only gave a status."""

    def __init__(
        self, id: str, what: str, *, status: int, coded: bool, fix: str = "", resource: str = "", url: str = ""
    ) -> None:
        super().__init__(id, what, fix=fix, resource=resource)
        self.status = status
        self.coded = coded
        self.url = url


def exit_code(error: HomeportError) -> int:
    if isinstance(error, RemoteExit):
        return error.code
    if isinstance(error, UnknownCommand):
        return 127
    if isinstance(error, NotLoggedIn):
        return 100
    if isinstance(error, UsageError) or (isinstance(error, ApiError) and error.coded):
        return 2
    return 1


def lines(error: HomeportError) -> list[str]:
    """What is shown: the message, then the stable id that scripts and searches go by."""
    shown = f"Error: {error.message}".splitlines()
    shown += ["", f"Error ID: {error.id}"]
    if isinstance(error, ApiError) and error.url:
        shown.append(f"See {error.url} for more information.")
    return shown
