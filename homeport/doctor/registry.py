"""The checks: every module of `homeport.doctor.checks` is one, its name is the id and its docstring the help page."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from homeport.doctor import checks
from homeport.doctor.findings import Finding
from homeport.doctor.project import Project
from homeport.errors import NotFound


@dataclass(frozen=True)
class Check:
    """`title` is the first line of `help`. `find` is pure but for reading the project's files."""

    id: str
    help: str
    find: Callable[[Project], Iterator[Finding]]

    @property
    def title(self) -> str:
        return self.help.split("\n", 1)[0]


@cache
def all_checks() -> tuple[Check, ...]:
    """In the order of their names."""
    found = []
    for module in sorted(pkgutil.iter_modules(checks.__path__), key=lambda module: module.name):
        loaded = import_module(f"{checks.__name__}.{module.name}")
        found.append(Check(module.name, inspect.cleandoc(loaded.__doc__ or ""), loaded.find))
    return tuple(found)


def named(id: str) -> Check:
    """Raises `NotFound`."""
    for check in all_checks():
        if check.id == id:
            return check
    raise NotFound("check", f"There is no check {id!r}.", fix="List them: homeport check --list")
