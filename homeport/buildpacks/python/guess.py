"""What an app without a Procfile most likely wants to run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homeport.buildpacks.procfile import NAME
from homeport.buildpacks.python.django import manage_py, settings_module
from homeport.buildpacks.reading import glance, inside

_PLACES = ("app.py", "wsgi.py", "main.py", "asgi.py", "application.py", "server.py", "run.py", "api.py", "index.py")
_CALLED = re.compile(r"^(app|application)\s*=\s*(?:\w+\.)?(?:create|make|build|get)_app(?:lication)?\(", re.MULTILINE)
_FACTORY = re.compile(r"^def ((?:create|make|build)_app)\([^)]{0,2000}\)[^:]{0,200}:", re.MULTILINE)
_LIMIT = 200_000  # bytes; larger files are hardly where an app begins


@dataclass(frozen=True)
class Entry:
    """Where an app object is: `app.main:app`, or the function that makes it: `app:create_app()`."""

    module: str
    name: str
    factory: bool = False


@dataclass(frozen=True)
class Guess:
    """The command for `web`, "" if there is no idea, and what is to be said about it."""

    web: str = ""
    caution: str = ""

    @property
    def process_types(self) -> dict[str, str]:
        return {"web": self.web} if self.web else {}


_NO_IDEA = Guess(
    caution="There is no Procfile, and nothing that Homeport recognises as a web app.\n\n"
    "Say what your app runs in a file named Procfile in the top folder, for example:\n\n"
    "  web: gunicorn app:app"
)


def process_types(source: Path, packages: Mapping[str, str]) -> Guess:
    """What to run; says nothing about a project that has a Procfile."""
    return Guess() if (source / NAME).exists() else likely(source, packages)


def likely(source: Path, packages: Mapping[str, str]) -> Guess:
    """What looks right for these packages, whatever a Procfile says."""
    return _django(source, packages) or _asgi(source, packages) or _flask(source, packages) or _NO_IDEA


def _django(source: Path, packages: Mapping[str, str]) -> Guess | None:
    script = manage_py(source)
    if "django" not in packages or script is None:
        return None
    folder = Path(script).parent
    module = _settings_package(source, script)
    wsgi = f"{module}.wsgi" if module and (source / folder / module.replace(".", "/") / "wsgi.py").is_file() else None
    if wsgi is not None and "gunicorn" in packages:
        chdir = f" --chdir {folder}" if str(folder) != "." else ""
        return Guess(f"gunicorn{chdir} {wsgi}")
    caution = _makeshift("Django's own server", f"web: gunicorn {wsgi or 'yourproject.wsgi'}")
    return Guess(f"python {script} runserver --noreload 0.0.0.0:$PORT", caution)


def _settings_package(source: Path, script: str) -> str | None:
    package, _, last = (settings_module(source, script) or "").rpartition(".")
    return package.removesuffix(".settings") if last else None


def _asgi(source: Path, packages: Mapping[str, str]) -> Guess | None:
    for kind in ("FastAPI", "Starlette", "Quart", "Litestar"):
        entry = find(source, kind) if kind.lower() in packages else None
        if entry is None:
            continue
        target = f"{entry.module}:{entry.name}{' --factory' if entry.factory else ''}"
        if "uvicorn" in packages:
            return Guess(f"uvicorn {target} --host 0.0.0.0 --port $PORT --proxy-headers")
        if "hypercorn" in packages and not entry.factory:
            return Guess(f"hypercorn {target} --bind 0.0.0.0:$PORT")
        return Guess(
            caution=f"This is a {kind} app, but uvicorn, which runs it, is not among its dependencies.\n\n"
            "Nothing will run. Add a line with uvicorn to your requirements, and push again."
        )
    return None


def _flask(source: Path, packages: Mapping[str, str]) -> Guess | None:
    entry = find(source, "Flask") if "flask" in packages else None
    if entry is None:
        return None
    target = f"{entry.module}:{entry.name}{'()' if entry.factory else ''}"
    if "gunicorn" in packages:
        return Guess(f"gunicorn '{target}'" if entry.factory else f"gunicorn {target}")
    if "waitress" in packages:
        call = f"--call {entry.module}:{entry.name}" if entry.factory else target
        return Guess(f"waitress-serve --listen=0.0.0.0:$PORT {call}")
    caution = _makeshift("Flask's development server", f"web: gunicorn {target}")
    return Guess(f"FLASK_APP='{target}' flask run --host 0.0.0.0 --port $PORT", caution)


def _makeshift(used: str, line: str) -> str:
    return (
        f"gunicorn is not among the dependencies, so {used} serves your app.\n\n"
        "It is slow and not meant for this. Add a line with gunicorn to your requirements, and a Procfile that\n"
        f"says:\n\n  {line}"
    )


def find(source: Path, kind: str) -> Entry | None:
    """Where an object of this class is made at the top of a module, or in a function that an app calls."""
    for place in (*_PLACES, *_packages(source)):
        if inside(source, place) is None or (source / place).stat().st_size > _LIMIT:
            continue
        text = glance(source, place)
        module = place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        made = re.search(rf"^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:\w+\.)?{kind}\(", text, re.MULTILINE)
        made = made or _CALLED.search(text)
        if made is not None:
            return Entry(module, made[1])
        factory = _FACTORY.search(text)
        if factory is not None and re.compile(rf"\b{kind}\(").search(text, factory.end()):
            return Entry(module, factory[1], factory=True)
    return None


def _packages(source: Path) -> list[str]:
    """The first files of the packages at the top, where larger apps begin."""
    names = sorted(path.parent.name for path in source.glob("*/__init__.py"))
    folders = [name for name in names if name not in ("tests", "test", "migrations", "docs")]
    places = [f"{name}/{file}" for name in folders for file in ("__init__.py", "app.py", "main.py", "wsgi.py")]
    loose = [f"{name}/{file}" for name in ("app", "src", "api") if name not in names for file in ("main.py", "app.py")]
    return places + loose
