"""What can go wrong, said so that the person who meets it knows what to do.

Every failure that leaves a room is one of these. They know nothing of HTTP or of a terminal: `api.errors` turns
them into wire errors, `cli.errors` into messages and exit codes. Each carries a stable `id` that scripts may match.
"""

from __future__ import annotations


class HomeportError(Exception):
    """A failure with a stable id, what happened, why it matters and what to do about it.

    `what` is one sentence without secrets; `why` and `fix` may be empty or several lines long.
    """

    def __init__(self, id: str, what: str, *, why: str = "", fix: str = "", resource: str = "") -> None:
        super().__init__(what)
        self.id = id
        self.what = what
        self.why = why
        self.fix = fix
        self.resource = resource

    @property
    def message(self) -> str:
        """What, why and fix as one text, paragraphs apart by a newline."""
        return "\n".join(part for part in (self.what, self.why, self.fix) if part)


class NotFound(HomeportError):
    """Something that was named does not exist, or the actor may not know that it does."""

    def __init__(self, resource: str, what: str = "", *, fix: str = "") -> None:
        text = what or f"Couldn't find that {resource.replace('_', ' ')}."
        super().__init__("not_found", text, fix=fix, resource=resource)


class Invalid(HomeportError):
    """The request is understood and cannot be carried out as it stands (Heroku: 422 invalid_params)."""

    def __init__(self, what: str, *, id: str = "invalid_params", why: str = "", fix: str = "") -> None:
        super().__init__(id, what, why=why, fix=fix)


class BadRequest(HomeportError):
    """The request cannot be understood (malformed JSON, wrong types)."""

    def __init__(self, what: str, *, id: str = "bad_request", why: str = "", fix: str = "") -> None:
        super().__init__(id, what, why=why, fix=fix)


class Conflict(HomeportError):
    """Something else is under way that excludes this (Heroku: 409 conflict)."""

    def __init__(self, what: str, *, id: str = "conflict", why: str = "", fix: str = "") -> None:
        super().__init__(id, what, why=why, fix=fix)


class Unauthorized(HomeportError):
    """No credentials, or credentials that are not (or no longer) valid."""

    def __init__(self, what: str = "Invalid credentials provided.", *, fix: str = "") -> None:
        super().__init__("unauthorized", what, fix=fix)


class Forbidden(HomeportError):
    """Known credentials that do not reach this far."""

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__("forbidden", what, fix=fix)


class TooLarge(HomeportError):
    """More bytes than this platform takes."""

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__("too_large", what, fix=fix)


class ConfirmationRequired(HomeportError):
    """It would overwrite something, and nobody has said that this is meant (Heroku: 423 confirmation_required)."""

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__("confirmation_required", what, fix=fix)


class Unavailable(HomeportError):
    """A part that is needed does not answer now; trying again later may help."""

    def __init__(self, what: str, *, id: str = "unavailable", why: str = "", fix: str = "") -> None:
        super().__init__(id, what, why=why, fix=fix)
