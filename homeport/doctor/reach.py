"""Which files of an app its dynos load: from the commands of the Procfile, along the imports.

What only a developer runs (a script beside the app, a notebook's helper) is left alone by the checks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from homeport.buildpacks import SETTINGS_MODULE
from homeport.doctor.source import Source, last_name, text_of

if TYPE_CHECKING:
    from homeport.doctor.project import Project

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:\w+)?")
_TAKES_MODULES = ("from_object", "import_module", "include", "import_string", "autodiscover_tasks")


def beginnings(project: Project) -> list[str]:
    """The files where the processes of the Procfile begin."""
    found: list[str | None] = []
    for command in project.commands:
        target = command.target
        if target is not None:
            found.append(project.module(target.module, command.folder))
        if command.script is not None:
            found.append(command.script)
        if command.program == "flask" and target is None:
            found += ["app.py" if "app.py" in project else "wsgi.py"]
        if command.program == "gunicorn":
            found.append((command.option("-c", "--config") or "gunicorn.conf.py").removeprefix("python:"))
    paths = [path for path in found if path is not None and path in project]
    settings = [path for path in ("gunicorn.conf.py",) if path in paths]
    return [path for path in paths if path not in settings] and list(dict.fromkeys(paths))


def modules(project: Project, begin: Iterable[str]) -> frozenset[str]:
    """The files that are loaded from there on; Django's, which it finds by their names, too."""
    waiting = list(begin)
    found: set[str] = set()
    while waiting:
        path = waiting.pop()
        source = project.source(path) if path not in found else None
        if source is None:
            continue
        found.add(path)
        waiting += list(_led_to(project, source))
    return frozenset(found)


def _led_to(project: Project, source: Source) -> Iterator[str]:
    for dotted in imported_modules(source):
        yield from _files(project, dotted, source.path)
    for node, text in source.strings:
        if ("." in text or ":" in text or _given_as_module(source, node)) and _DOTTED.fullmatch(text):
            yield from _files(project, text.partition(":")[0], source.path)
    for match in SETTINGS_MODULE.finditer(source.text):
        yield from _files(project, match[1], source.path)
    for name in installed_apps(source):
        yield from _app(project, name)


def _given_as_module(source: Source, node: ast.AST) -> bool:
    parent = next(source.above(node), None)
    return isinstance(parent, ast.Call) and last_name(parent.func) in _TAKES_MODULES


def _files(project: Project, dotted: str, importer: str) -> Iterator[str]:
    """The files of a dotted name: its packages, and itself or the module that has it."""
    parts = dotted.split(".")
    beside = str(PurePosixPath(importer).parent) if "/" in importer else ""
    for count in range(1, len(parts) + 1):
        path = project.module(".".join(parts[:count]), beside)
        if path is not None:
            yield path


def imported_modules(source: Source) -> Iterator[str]:
    """Dotted names of what a file imports anywhere, relative ones resolved; those for type checkers left out."""
    package = list(PurePosixPath(source.path).parent.parts)
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not for_type_checkers(source, node):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            if name:
                yield name
            yield from (f"{name}.{alias.name}".lstrip(".") for alias in node.names if alias.name != "*")


def top_names(source: Source) -> Iterator[str]:
    """The first parts of what is imported by its full name."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.split(".")[0]


def for_type_checkers(source: Source, node: ast.AST) -> bool:
    return any(isinstance(above, ast.If) and "TYPE_CHECKING" in ast.unparse(above.test) for above in source.above(node))


def import_lines(source: Source) -> Iterator[str]:
    """Import statements and the calls of what they bring, as text: where a library's name would show."""
    for node in source.nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield ast.unparse(node)
        elif isinstance(node, ast.Call):
            yield f"{ast.unparse(node.func)}("


def installed_apps(source: Source) -> Iterator[str]:
    """The entries of Django's INSTALLED_APPS, wherever a list of this name is put together."""
    for node in source.nodes:
        if isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(last_name(target).endswith("_APPS") for target in targets if isinstance(target, ast.expr)):
                yield from (text for part in ast.walk(node.value) if (text := text_of(part)) is not None)


def _app(project: Project, name: str) -> Iterator[str]:
    """All that Django may load of one of its apps; `blog` and `blog.apps.BlogConfig` are the same app."""
    folder = name.partition(".apps.")[0].replace(".", "/")
    if any(path.startswith(f"{folder}/") for path in project.python):
        yield from (path for path in project.under(folder) if path in project.python and "/management/" not in path)
