"""The one place where failures become wire errors: `{id, message, url?, resource?}` and a status.

https://devcenter.heroku.com/articles/platform-api-reference#errors. The official CLI prints the message, `Error ID: id`
and `See url`, and exits with 2.
"""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass, field

from sqlalchemy.exc import StatementError

from homeport.errors import (
    BadRequest,
    ConfirmationRequired,
    Conflict,
    Forbidden,
    HomeportError,
    Invalid,
    NotFound,
    TooLarge,
    Unauthorized,
    Unavailable,
)

logger = logging.getLogger("homeport.api")

_STATUS: tuple[tuple[type[HomeportError], int], ...] = (
    (BadRequest, 400),
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooLarge, 413),
    (Invalid, 422),
    (ConfirmationRequired, 423),
    (Unavailable, 503),
)


@dataclass(frozen=True)
class WireError:
    """An error as it goes out."""

    status: int
    id: str
    message: str
    resource: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, str]:
        optional = {"resource": self.resource} if self.resource else {}
        return {"id": self.id, "message": self.message, **optional}


def no_such_path(path: str) -> NotFound:
    return NotFound("", f"The requested API endpoint was not found: {path[:100]}.")


def wrong_method(method: str, allowed: list[str]) -> WireError:
    text = f"{method} isn't possible here; {' and '.join(allowed)} {'is' if len(allowed) == 1 else 'are'}."
    return WireError(405, "method_not_allowed", text, headers={"Allow": ", ".join(allowed)})


def to_wire(error: Exception, *, request_id: str) -> WireError:
    """What goes out for an exception. Whatever is no `HomeportError` is a bug: logged here, not told outside."""
    if not isinstance(error, HomeportError):
        logger.error("request %s crashed: %s", request_id, _trace(error))
        return WireError(
            500,
            "internal_server_error",
            f"Homeport met an error of its own while it worked on this.\nIts log has the details under {request_id}.",
        )
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if status >= 500:
        logger.error("request %s failed: %s: %s", request_id, error.id, error.what)
    headers = {"WWW-Authenticate": 'Bearer realm="Homeport"'} if status == 401 else {}
    return WireError(status, error.id, error.message, error.resource, headers)


def _trace(error: Exception) -> str:
    """The traceback, without the values of SQL statements: these may be secrets."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, StatementError):
            cause.hide_parameters = True
        cause = cause.__cause__ or cause.__context__
    return "".join(traceback.format_exception(error))
