"""What the API answers when it refuses: a status, a stable id for programs, a sentence for people."""

from __future__ import annotations

from flask import Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException


class Problem(Exception):
    def __init__(self, status: int, id: str, message: str) -> None:
        super().__init__(message)
        self.status, self.id, self.message = status, id, message


def init_app(app: Flask) -> None:
    app.register_error_handler(Problem, lambda problem: answer(problem.status, problem.id, problem.message))
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(DBAPIError, database_error)


def answer(status: int, id: str, message: str) -> ResponseReturnValue:
    return {"id": id, "message": message}, status


def http_error(error: HTTPException) -> ResponseReturnValue:
    if not request.path.startswith("/api/"):
        return error  # a page: werkzeug's own will do
    return answer(error.code or 500, error.name.lower().replace(" ", "_"), error.description or error.name)


def database_error(error: DBAPIError) -> ResponseReturnValue:
    """The first thing everybody forgets is to make the tables: say how. Anything else is a bug and stays one."""
    undefined_table = getattr(error.orig, "sqlstate", "") == "42P01" or "no such table" in str(error.orig)
    if not undefined_table:
        raise error
    return answer(503, "no_tables", "The shop has no tables yet. Make them: heroku run flask db upgrade")
