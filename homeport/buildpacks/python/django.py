"""Django's static files: https://devcenter.heroku.com/articles/django-assets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Project, Shell
from homeport.buildpacks.reading import glance, inside
from homeport.buildpacks.voice import Voice

SWITCH = "DISABLE_COLLECTSTATIC"
SETTINGS_MODULE = re.compile(r"DJANGO_SETTINGS_MODULE['\"],?\s*+\]?\s*+=?\s*+['\"]([\w.]+)['\"]")
"""Where a file names Django's settings, by `setdefault(…)` or in `os.environ[…]`; group 1 is the module."""

_SKIPPED_FOLDERS = frozenset({"node_modules", "venv", ".venv", ".git", ".heroku"})
_NO_ROOT = re.compile(r"without having set the STATIC_ROOT setting")
_NOT_AN_APP = re.compile(r"Unknown command: '?collectstatic")

_EXPLANATIONS = (
    (re.compile(r"ModuleNotFoundError: No module named '?([\w.]+)"),
     "Your settings import {0}, which is not among the dependencies.",
     "Add it to your requirements, commit and push again."),
    (re.compile(r"KeyError: '?([A-Z][A-Z0-9_]*)'?"),
     "Your settings read the variable {0}, which is not set.",
     "Set it, it is visible to the build too:\n\n  heroku config:set {0}=…"),
    (re.compile(r"(?:UndefinedValueError: |Set the )([A-Z][A-Z0-9_]*)(?: not found| environment variable)"),
     "Your settings read the variable {0}, which is not set.",
     "Set it, it is visible to the build too:\n\n  heroku config:set {0}=…"),
    (re.compile(r"The SECRET_KEY setting must not be empty"),
     "Your settings have no SECRET_KEY.",
     "If they read it from the environment, set it:\n\n"
     "  heroku config:set SECRET_KEY=$(openssl rand -base64 40)"),
    (re.compile(r"The file ['\"]?([^'\"\s]+)['\"]? could not be found with <"),
     "A file refers to {0}, which is not among your static files.",
     "Add the missing file or correct the reference. Files are looked up by their exact name, capitals too."),
    (re.compile(r"FileNotFoundError: \[Errno 2\] No such file or directory: '([^']+)'"),
     "The folder or file {0} does not exist.",
     "git does not keep empty folders: put a .gitkeep file in it and commit that, or take it out of your settings."),
    (re.compile(r"(?:OperationalError|could not connect to server|Connection refused)"),
     "Your code asks the database while it is being imported; there is none during a build.",
     "Move the query into a function that runs when a request comes."),
    (re.compile(r"SyntaxError: "),
     "Python cannot read one of your files; perhaps it was written for another version of Python.",
     "Correct the line above, or name the right version in a file .python-version."),
)  # fmt: skip


def manage_py(source: Path) -> str | None:
    """The path of manage.py, at most two folders deep; the uppermost, then the first by name."""
    if inside(source, "manage.py"):
        return "manage.py"
    for pattern in ("*/manage.py", "*/*/manage.py"):
        found = sorted(path.relative_to(source).as_posix() for path in source.glob(pattern))
        for path in found:
            if not _SKIPPED_FOLDERS & set(path.split("/")) and inside(source, path):
                return path
    return None


def why_not(project: Project, packages: Mapping[str, str]) -> str | None:
    """The reason for not collecting static files, "" if there is nothing to say; None to go ahead."""
    if "django" not in packages:
        return ""
    if project.config.get(SWITCH, "0") not in ("", "0"):
        return f"Skipping Django collectstatic since the config var {SWITCH} is set."
    if (project.source / ".heroku/collectstatic_disabled").exists():
        return "Skipping Django collectstatic since the file '.heroku/collectstatic_disabled' exists."
    if manage_py(project.source) is None:
        return "Skipping Django collectstatic since no manage.py file found."
    return None


async def collectstatic(project: Project, shell: Shell, voice: Voice, env: Mapping[str, str]) -> None:
    """Run it. A project without STATIC_ROOT has nowhere to collect to and is passed over, with a note.

    Raises `BuildFailed` (`collectstatic_failed`).
    """
    script = manage_py(project.source)
    voice.step(f"$ python {script} collectstatic --noinput")
    hidden = _Trailing()
    done = await shell.run(
        ["python", str(script), "collectstatic", "--noinput", "--traceback"],
        cwd=project.source,
        env=env,
        show=hidden.show,
    )
    if done.code == 0:
        return
    if _NO_ROOT.search(done.output):
        voice.detail("Skipped: STATIC_ROOT is not set, so Django has nowhere to collect the files to.")
        voice.detail("If your app has static files, set STATIC_ROOT = BASE_DIR / 'staticfiles' and use WhiteNoise.")
        return
    if _NOT_AN_APP.search(done.output):
        voice.detail("Skipped: 'django.contrib.staticfiles' is not among INSTALLED_APPS.")
        return
    voice.detail("\n".join(hidden.held))
    raise _failed(str(script), done.output)


class _Trailing:
    """Holds a traceback back until it is known whether it matters."""

    def __init__(self) -> None:
        self.held: list[str] = []

    def show(self, line: str) -> str | None:
        if self.held or line.startswith(("Traceback (most recent call last)", "Unknown command: ")):
            self.held.append(line)
            return None
        return line


def _failed(script: str, output: str) -> BuildFailed:
    why, fix = "See the traceback above.", "Correct it and push again."
    for pattern, explanation, remedy in _EXPLANATIONS:
        match = pattern.search(output)
        if match is not None:
            why, fix = explanation.format(*match.groups()), remedy.format(*match.groups())
            break
    return BuildFailed(
        FailureId.COLLECTSTATIC_FAILED,
        f"'python {script} collectstatic --noinput' failed.",
        why=why,
        fix=f"{fix}\n\nIf your app needs no static files, skip this step:\n\n  heroku config:set {SWITCH}=1",
    )


def settings_text(source: Path) -> str:
    """The text of the project's settings as far as it can be found without running anything."""
    script = manage_py(source)
    module = settings_module(source, script) if script is not None else None
    if script is None or module is None:
        return ""
    base = Path(script).parent / module.replace(".", "/")
    return glance(source, f"{base}.py") or glance(source, f"{base}/__init__.py")


def settings_module(source: Path, script: str) -> str | None:
    """The module that this manage.py takes the settings from, unless somebody says otherwise."""
    named = SETTINGS_MODULE.search(glance(source, script))
    return named[1] if named is not None else None
