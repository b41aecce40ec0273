"""Debug mode is on, on dynos too.

Whoever meets an error then sees code and settings, and Werkzeug's debugger lets them run code of their own. At home
it is what you want, so let the environment decide:

    DEBUG = os.environ.get("DEBUG") == "1"

`app.run(debug=True)` under `if __name__ == "__main__":` is fine where gunicorn serves: it never gets there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from homeport.doctor import django
from homeport.doctor.findings import Finding, error, warning
from homeport.doctor.project import Project
from homeport.doctor.source import Source, assigned, keyword, last_name, reads_environment

_SHOWN = "Whoever meets an error sees your code and settings."
_OPEN = "Whoever meets an error gets a console in their browser, and runs what they like on your dyno."
_TRUE = ("1", "true", "yes", "on")


def find(project: Project) -> Iterator[Finding]:
    yield from _procfile(project)
    yield from _run_calls(project)
    settings = django.settings(project)
    if settings is not None:
        yield from _django(settings)
    elif project.uses("flask"):
        for source in project.running:
            yield from _flask(source)


def _procfile(project: Project) -> Iterator[Finding]:
    for command in project.commands if project.procfile is not None else ():
        told = command.program == "flask" and "run" in command.words and "--debug" in command.words
        told |= command.environment.get("FLASK_DEBUG", "").casefold() in _TRUE
        told |= command.environment.get("FLASK_ENV", "") == "development"
        if told:
            fix = re.sub(r"\s*(--debug\b|FLASK_DEBUG=\S+|FLASK_ENV=\S+)", "", command.text).strip()
            what = f"{command.process} runs in debug mode."
            why = _OPEN if command.program == "flask" else _SHOWN
            yield error(command.file, command.line, what, why=why, fix=f"Leave it out:\n\n  {command.process}: {fix}")


def _run_calls(project: Project) -> Iterator[Finding]:
    """`app.run(debug=True)` in the very file that is the web process."""
    script = project.web.script if project.web is not None else None
    source = project.source(script) if script is not None else None
    for call in source.calls("run") if source is not None else ():
        debug = keyword(call, "debug")
        if last_name(call.func) == "run" and isinstance(debug, ast.Constant) and debug.value is True:
            fix = 'Let the environment decide:\n\n  app.run(debug=os.environ.get("DEBUG") == "1")\n\n'
            fix += "Better: serve the app by gunicorn, which never runs this line."
            yield error(
                source.path if source else "", call.lineno, "app.run(debug=True) serves the app.", why=_OPEN, fix=fix
            )


def _django(settings: django.Settings) -> Iterator[Finding]:
    setting = settings.get("DEBUG")
    if setting is None:
        return
    fix = 'Let the environment decide:\n\n  DEBUG = os.environ.get("DEBUG") == "1"'
    if isinstance(setting.value, ast.Constant) and setting.value.value is True:
        yield error(setting.path, setting.line, "DEBUG = True stands in the settings.", why=_SHOWN, fix=fix)
    elif reads_environment(setting.value) and _on_by_default(setting.value):
        why = f"Nothing sets the variable on a dyno until you do. {_SHOWN}"
        yield warning(setting.path, setting.line, "DEBUG is on unless the environment says no.", why=why, fix=fix)


def _on_by_default(value: ast.expr) -> bool:
    """`config("DEBUG", default=True)`, `os.environ.get("DEBUG", True)`, and what turns texts into booleans amiss.

    `bool(os.environ.get("DEBUG", "False"))` is true: every text but the empty one is.
    """
    if isinstance(value, ast.Call) and last_name(value.func) == "bool" and value.args:
        inner = value.args[0]
        return isinstance(inner, ast.Call) and len(inner.args) > 1 and bool(_constant(inner.args[1]))
    if not isinstance(value, ast.Call):
        return False
    default = keyword(value, "default") or (value.args[1] if len(value.args) > 1 else None)
    said = _constant(default)
    return said is True or (isinstance(said, str) and said.casefold() in _TRUE)


def _constant(node: ast.expr | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _flask(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        if isinstance(node, ast.Dict):
            continue
        for name, value in assigned(node):
            on = name == "DEBUG" or (name == "debug" and isinstance(node, ast.Assign))
            if not on or not isinstance(value, ast.Constant) or value.value is not True:
                continue
            if not (source.conditional(node) or source.for_home(node) or source.only_as_script(node)):
                fix = 'Let the environment decide:\n\n  app.debug = os.environ.get("DEBUG") == "1"'
                line = getattr(node, "lineno", 0)
                yield warning(source.path, line, f"{name} is set to True.", why=_SHOWN, fix=fix)
