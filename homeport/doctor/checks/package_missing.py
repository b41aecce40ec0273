"""The app imports a package that will not be installed.

A package that is installed on your machine, and not named in requirements.txt (or the lock file), is not on the dyno:
`ModuleNotFoundError`, and the page for H10. The name to install is not always the name to import: `PIL` is Pillow,
`yaml` PyYAML, `dotenv` python-dotenv.

An error where it is certain, a warning where the package might come along with another one, or where the import happens
in a function. `--fix` adds what is certain to requirements.txt.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from homeport.doctor import django, packages
from homeport.doctor.findings import AddLine, Finding, error, warning
from homeport.doctor.project import Project
from homeport.doctor.reach import for_type_checkers
from homeport.doctor.source import Source


def find(project: Project) -> Iterator[Finding]:
    if project.foresight is None:
        return
    seen: set[str] = set()
    for source in project.running:
        for name, line, always in sorted(_imports(source), key=lambda one: (not one[2], one[1])):
            if name not in seen and not _there(project, name):
                seen.add(name)
                yield _finding(project, source.path, line, name, always=always)
    yield from _settings(project, seen)
    yield from _pictures(project, seen)


def _imports(source: Source) -> Iterator[tuple[str, int, bool]]:
    """First part of the name, line, and whether it is imported whenever the file is."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        else:
            continue
        if source.conditional(node) or for_type_checkers(source, node) or source.for_home(node):
            continue
        always = source.function_of(node) is None
        yield from ((name.split(".")[0], node.lineno, always) for name in names)


def _settings(project: Project, seen: set[str]) -> Iterator[Finding]:
    """Django imports what its settings name: `whitenoise.middleware.WhiteNoiseMiddleware`, `rest_framework`."""
    settings = django.settings(project)
    for name in ("MIDDLEWARE", "INSTALLED_APPS") if settings is not None else ():
        for setting in settings.all(name) if settings is not None else ():
            if not isinstance(setting.value, ast.List | ast.Tuple) or not setting.certain:
                continue
            for part in setting.value.elts:
                text = part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
                top = text.split(".")[0]
                if top and top not in seen and packages.well_known(top) and not _there(project, top):
                    seen.add(top)
                    yield _finding(project, setting.path, part.lineno, top, always=True)


def _pictures(project: Project, seen: set[str]) -> Iterator[Finding]:
    """Django imports Pillow for its ImageField, and refuses every command without (fields.E210)."""
    if "PIL" in seen or _there(project, "PIL") or not project.uses("django"):
        return
    for source in project.running:
        for call in source.calls("ImageField"):
            if ast.unparse(call.func) == "models.ImageField":
                yield _finding(project, source.path, call.lineno, "PIL", always=True)
                return


def _there(project: Project, name: str) -> bool:
    if name in packages.STANDARD or name in project.own_names or not name.isidentifier():
        return True
    if any(provider in project.packages for provider in packages.providers(name)):
        return True
    if packages.well_known(name):
        return False
    plain = packages.canonical(name)  # a package that has the name within its own is taken to bring it
    return any(plain in package or package in plain for package in project.packages if len(package) > 2)


def _finding(project: Project, path: str, line: int, name: str, *, always: bool) -> Finding:
    foresight = project.foresight
    file = foresight.file if foresight is not None else "requirements.txt"
    package = packages.providers(name)[0]
    known = foresight is not None and (foresight.complete or all(one in packages.BRINGS for one in foresight.names))
    what = f"{name} is imported, and {'it' if package == name.lower() else package} is not in {file}."
    fix = (
        f"Add a line to {file}:\n\n  {package}"
        if foresight is not None and foresight.plain
        else f"Add {package} to {file}."
    )
    if not packages.well_known(name):
        fix = f"Add the package that brings it to {file}; `pip show {name}` may tell its name."
    if always and known and packages.well_known(name):
        mend = AddLine(file, package) if foresight is not None and foresight.plain else None
        why = "It will not be installed, so the app stops with ModuleNotFoundError as soon as it starts (H10)."
        return error(path, line, what, why=why, fix=fix, mend=mend)
    when = "as soon as it starts (H10)" if always else "when it comes to this line"
    unless = "" if foresight is not None and foresight.complete else "Unless another package brings it along, "
    why = f"{unless}{'the' if unless else 'The'} app stops with ModuleNotFoundError {when}."
    return warning(path, line, what, why=why, fix=fix)
