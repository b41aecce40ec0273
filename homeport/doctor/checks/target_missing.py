"""A command of the Procfile names a file, a module or an object that does not exist.

`gunicorn app:app` serves the object `app` (after the colon) of the module `app` (before it): app.py. If either is not
there, the process ends as soon as it starts, and visitors see the page for H10. A function that makes the app has to be
called: `gunicorn 'app:create_app()'`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from homeport.doctor import packages
from homeport.doctor.commands import SERVERS, Command, Target
from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project
from homeport.doctor.source import Source

_WHY = "The process would end as soon as it starts, and visitors would see that the app has crashed (H10)."


def find(project: Project) -> Iterator[Finding]:
    if project.procfile is None:
        return
    for command in project.commands:
        yield from _script(project, command)
        target = command.target
        if target is not None and command.program in (*SERVERS, "flask", "celery"):
            yield from _target(project, command, target)


def _script(project: Project, command: Command) -> Iterator[Finding]:
    script = command.script
    moved = command.text.lstrip().startswith("cd ")
    if script is None or script in project or script.startswith(("/", "$", "..")) or moved:
        return
    found = [path for path in project.files if path.rpartition("/")[2] == script.rpartition("/")[2]]
    fix = f"Name it by its path:\n\n  {command.text.replace(script, found[0])}" if found else "Correct its name."
    yield error(command.file, command.line, f"{command.process} runs {script}, which is not there.", why=_WHY, fix=fix)


def _target(project: Project, command: Command, target: Target) -> Iterator[Finding]:
    path = project.module(target.module, command.folder)
    if path is None:
        if not _somebody_elses(project, target):
            yield _no_module(project, command, target)
        return
    source = project.source(path)
    if source is None or source.tree is None or command.program == "celery":
        return
    name = target.name or {"gunicorn": "application"}.get(command.program, "")
    if not name or command.program == "flask":
        return
    bound = source.bound
    if bound is not None and name not in bound and not _submodule(project, path, name):
        yield _no_object(command, target, source, name)
    elif bound is not None and not target.called and not target.made:
        yield from _uncalled(command, target, source, name)


def _somebody_elses(project: Project, target: Target) -> bool:
    """A module of a package that is installed, or one that this look at files cannot see."""
    top = target.module.split(".")[0]
    known = any(provider in project.packages for provider in packages.providers(top))
    return known or top in packages.STANDARD or (top in project.own_names and "/" in " ".join(project.python))


def _submodule(project: Project, path: str, name: str) -> bool:
    return path.endswith("/__init__.py") and project.module(f"{path.removesuffix('/__init__.py')}/{name}") is not None


def _no_module(project: Project, command: Command, target: Target) -> Finding:
    guess = project.guess_of_app
    return error(
        command.file,
        command.line,
        f"{command.process} serves {target.text}, and there is no {target.module.replace('.', '/')}.py.",
        why=f"{_WHY}\nBefore the colon stands the file without .py, after it the name of the app object in it.",
        fix=f"This app looks like:\n\n  {command.process}: {guess}" if guess else "Name the file that has your app.",
    )


def _no_object(command: Command, target: Target, source: Source, name: str) -> Finding:
    bound = source.bound or frozenset()
    made = [f"{maker}()" for maker in ("create_app", "make_app", "build_app") if maker in bound]
    near = [other for other in ("app", "application", "server", "api", "asgi") if other in bound] + made
    fix = "Correct the name after the colon."
    if near:
        right = f"{target.module}:{near[0]}"
        old = target.text if target.name else target.module
        new = f"'{right}'" if "(" in right else right
        fix = f"{source.path} has {near[0]}:\n\n  {command.process}: {command.text.replace(old, new)}"
    elif not target.name:
        named = command.text.replace(target.module, f"{target.module}:app")
        fix = f"Name it after a colon:\n\n  {command.process}: {named}"
    return error(
        command.file, command.line, f"{command.process} serves {name} of {source.path}, which has no such name.",
        why=_WHY, fix=fix,
    )  # fmt: skip


def _uncalled(command: Command, target: Target, source: Source, name: str) -> Iterator[Finding]:
    """A factory that the server takes for the app itself: it fails at every request."""
    function = source.function(name)
    if function is None or function.decorator_list:
        return
    required = len(function.args.args) - len(function.args.defaults)
    returns = any(isinstance(node, ast.Return) and isinstance(node.value, ast.Name) for node in ast.walk(function))
    if required >= 2 or not returns or not name.startswith(("create", "make", "build", "get")):
        return
    how = f"{command.text} --factory" if command.program == "uvicorn" else command.text.replace(
        target.text, f"'{target.text}()'"
    )  # fmt: skip
    yield error(
        command.file,
        command.line,
        f"{command.process} serves {target.text}, which is the function that makes the app, not the app.",
        why="Every request would fail with a TypeError.",
        fix=f"Have it called:\n\n  {command.process}: {how}",
    )
