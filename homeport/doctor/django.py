"""Django's settings as a dyno gets them: read from the tree, along `from .base import *`, without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from homeport.buildpacks import SETTINGS_MODULE, manage_py
from homeport.doctor.source import Source, for_home, last_name

if TYPE_CHECKING:
    from homeport.doctor.project import Project

_DEEPEST = 8  # settings that import settings


@dataclass(frozen=True)
class Setting:
    """One assignment. `certain`: it holds whatever the environment says."""

    source: Source
    node: ast.stmt
    value: ast.expr
    certain: bool

    @property
    def path(self) -> str:
        return self.source.path

    @property
    def line(self) -> int:
        return self.node.lineno


class Settings:
    """All assignments of the settings module in their order, those of the modules that it imports whole included."""

    def __init__(self, path: str, assignments: dict[str, list[Setting]], text: str) -> None:
        self.path = path
        self.text = text
        self._assignments = assignments

    def all(self, name: str) -> list[Setting]:
        return self._assignments.get(name, [])

    def get(self, name: str) -> Setting | None:
        """What counts, if that can be told: the last assignment, and nothing after it that may or may not happen."""
        found = self.all(name)
        return found[-1] if found and found[-1].certain else None

    def value(self, name: str) -> Any:
        """The value where it is written out (a number, a text, a list of such); None where it is not."""
        setting = self.get(name)
        try:
            return ast.literal_eval(setting.value) if setting is not None else None
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None

    def entries(self, name: str) -> list[str]:
        """The texts in all that is ever put into a list."""
        return [
            part.value
            for setting in self.all(name)
            for part in ast.walk(setting.value)
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        ]


def settings(project: Project) -> Settings | None:
    """The settings that web dynos use. None when this is no Django project, or when it cannot be told."""
    if not project.uses("django"):
        return None
    path = in_production(project, chosen(project))
    if path is None or (project.foresight is None and "manage.py" not in project):
        return None  # the folder of several projects is none itself
    assignments: dict[str, list[Setting]] = {}
    texts: list[str] = []
    _read(project, path, assignments, texts, certain=True, depth=0)
    return Settings(path, assignments, "\n".join(texts))


def chosen(project: Project) -> str | None:
    """The file of the settings that count unless the environment names others."""
    for text in _places(project):
        named = SETTINGS_MODULE.search(text)
        path = project.module(named[1], _folder(project)) if named is not None else None
        if path is not None and (project.text(path) or "").strip():
            return path
    return None


def in_production(project: Project, path: str | None) -> str | None:
    """Those for production beside settings that are named for development: a config var will choose them."""
    if path is None or not for_home(path):
        return path
    folder = path.rpartition("/")[0]
    beside = (f"{folder}/{name}.py" for name in ("production", "prod", "heroku", "live", "staging", "deploy"))
    return next((other for other in beside if other in project), path)


def _folder(project: Project) -> str:
    script = manage_py(project.root)
    return script.rpartition("/")[0] if script else ""


def _places(project: Project) -> Iterator[str]:
    """Texts that may name the module: the server's own file first, then manage.py."""
    target = project.web.target if project.web is not None else None
    served = project.module(target.module, project.web.folder) if target is not None and project.web else None
    script = manage_py(project.root)
    servers = [path for path in project.python if path.rpartition("/")[2] in ("wsgi.py", "asgi.py")]
    for path in (served, *servers, script):
        if path is not None:
            yield project.text(path) or ""


def _read(
    project: Project,
    path: str,
    found: dict[str, list[Setting]],
    texts: list[str],
    *,
    certain: bool,
    depth: int,
) -> None:
    source = project.source(path)
    if source is None or source.tree is None or depth > _DEEPEST:
        return
    texts.append(source.text)
    for node, sure in _statements(source.tree.body, certain):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            inner = _imported(project, source, node)
            if inner is not None:
                _read(project, inner, found, texts, certain=sure, depth=depth + 1)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                name = last_name(target.value if isinstance(target, ast.Subscript) else target)
                whole = isinstance(target, ast.Name)
                found.setdefault(name, []).append(Setting(source, node, node.value, sure and whole))
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            found.setdefault(last_name(node.target), []).append(Setting(source, node, node.value, sure))
        elif isinstance(node, ast.AugAssign):
            found.setdefault(last_name(node.target), []).append(Setting(source, node, node.value, certain=False))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            _called(source, node, node.value, found)


def _called(source: Source, node: ast.stmt, call: ast.Call, found: dict[str, list[Setting]]) -> None:
    """`DATABASES["default"].update(…)` and `django_heroku.settings(locals())` change what was set before."""
    if isinstance(call.func, ast.Attribute):
        names = [part.id for part in ast.walk(call.func.value) if isinstance(part, ast.Name)]
        if names[:1] in (["django_heroku"], ["django_on_heroku"]):
            names = ["DATABASES", "ALLOWED_HOSTS", "STATIC_ROOT", "MIDDLEWARE", "SECRET_KEY", "STATICFILES_STORAGE"]
        for name in names:
            found.setdefault(name, []).append(Setting(source, node, call, certain=False))


def _statements(body: list[ast.stmt], certain: bool) -> Iterator[tuple[ast.stmt, bool]]:
    for node in body:
        yield node, certain
        for part in ("body", "orelse", "finalbody"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _statements(getattr(node, part, []), certain and isinstance(node, ast.With))


def _imported(project: Project, source: Source, node: ast.ImportFrom) -> str | None:
    package = source.path.removesuffix(".py").split("/")[: -node.level] if node.level else []
    return project.module(".".join([*package, *([node.module] if node.module else [])]))
