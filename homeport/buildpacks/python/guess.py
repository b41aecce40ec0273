"""What an app without a Procfile most likely wants to run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homeport.buildpacks.procfile import NAME
from homeport.buildpacks.python.django import manage_py
from homeport.buildpacks.reading import inside
from homeport.buildpacks.voice import Voice

_PLACES = ("app.py", "wsgi.py", "main.py", "asgi.py", "application.py", "server.py", "run.py", "api.py", "index.py")
_CALLED = re.compile(
    r"^(app|application)\s*=\s*(?:\w+\.)?(?:create|make|build|get)_app(?:lication)?\(", re.MULTILINE
)
_LIMIT = 200_000  # bytes; larger files are hardly where an app begins


@dataclass(frozen=True)
class Entry:
    """Where an app object is: `app.main:app`, or the function that makes it: `app:create_app()`."""

    module: str
    name: str
    factory: bool = False


def process_types(source: Path, packages: Mapping[str, str], voice: Voice) -> dict[str, str]:
    """A guess for `web`, with a warning where it is a makeshift. Empty when there is a Procfile or no idea."""
    if (source / NAME).exists():
        return {}
    command = _django(source, packages, voice) or _asgi(source, packages, voice) or _flask(source, packages, voice)
    if command is None:
        voice.warning(
            "There is no Procfile, and nothing that Homeport recognises as a web app.\n\n"
            "Say what your app runs in a file named Procfile in the top folder, for example:\n\n"
            "  web: gunicorn app:app"
        )
        return {}
    return {"web": command}


def _django(source: Path, packages: Mapping[str, str], voice: Voice) -> str | None:
    script = manage_py(source)
    if "django" not in packages or script is None:
        return None
    folder = Path(script).parent
    module = _settings_package(source / script)
    wsgi = f"{module}.wsgi" if module and (source / folder / module.replace(".", "/") / "wsgi.py").is_file() else None
    if wsgi is not None and "gunicorn" in packages:
        chdir = f" --chdir {folder}" if str(folder) != "." else ""
        return f"gunicorn{chdir} {wsgi}"
    _makeshift(voice, "Django's own server", "gunicorn", f"web: gunicorn {wsgi or 'yourproject.wsgi'}")
    return f"python {script} runserver --noreload 0.0.0.0:$PORT"


def _settings_package(script: Path) -> str | None:
    named = re.search(r"DJANGO_SETTINGS_MODULE['\"],\s*['\"]([\w.]+)['\"]", script.read_text(errors="replace"))
    if named is None:
        return None
    package, _, last = named[1].rpartition(".")
    return package.removesuffix(".settings") if last else None


def _asgi(source: Path, packages: Mapping[str, str], voice: Voice) -> str | None:
    for kind in ("FastAPI", "Starlette", "Quart", "Litestar"):
        entry = find(source, kind) if kind.lower() in packages else None
        if entry is None:
            continue
        target = f"{entry.module}:{entry.name}{' --factory' if entry.factory else ''}"
        if "uvicorn" in packages:
            return f"uvicorn {target} --host 0.0.0.0 --port $PORT --proxy-headers"
        if "hypercorn" in packages and not entry.factory:
            return f"hypercorn {target} --bind 0.0.0.0:$PORT"
        voice.warning(
            f"This is a {kind} app, but uvicorn, which runs it, is not among its dependencies.\n\n"
            "Add a line with uvicorn to your requirements, and push again."
        )
    return None


def _flask(source: Path, packages: Mapping[str, str], voice: Voice) -> str | None:
    entry = find(source, "Flask") if "flask" in packages else None
    if entry is None:
        return None
    target = f"{entry.module}:{entry.name}{'()' if entry.factory else ''}"
    if "gunicorn" in packages:
        return f"gunicorn '{target}'" if entry.factory else f"gunicorn {target}"
    if "waitress" in packages:
        call = f"--call {entry.module}:{entry.name}" if entry.factory else target
        return f"waitress-serve --listen=0.0.0.0:$PORT {call}"
    _makeshift(voice, "Flask's development server", "gunicorn", f"web: gunicorn {target}")
    return f"FLASK_APP='{target}' flask run --host 0.0.0.0 --port $PORT"


def _makeshift(voice: Voice, used: str, missing: str, line: str) -> None:
    voice.warning(
        f"{missing} is not among the dependencies, so {used} serves your app. It is slow and not meant for this.\n\n"
        f"Add a line with {missing} to your requirements, and a Procfile that says:\n\n  {line}"
    )


def find(source: Path, kind: str) -> Entry | None:
    """Where an object of this class is made at the top of a module, or in a function that an app calls."""
    for place in (*_PLACES, *_packages(source)):
        if inside(source, place) is None or (source / place).stat().st_size > _LIMIT:
            continue
        text = (source / place).read_text(errors="replace")
        module = place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        made = re.search(rf"^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:\w+\.)?{kind}\(", text, re.MULTILINE)
        made = made or _CALLED.search(text)
        if made is not None:
            return Entry(module, made[1])
        factory = re.search(rf"^def ((?:create|make|build)_app)\([^)]*\)[^:]*:(?:.|\n)*?\b{kind}\(", text, re.MULTILINE)
        if factory is not None and kind in text:
            return Entry(module, factory[1], factory=True)
    return None


def _packages(source: Path) -> list[str]:
    """The first files of the packages at the top, where larger apps begin."""
    names = sorted(path.parent.name for path in source.glob("*/__init__.py"))
    folders = [name for name in names if name not in ("tests", "test", "migrations", "docs")]
    places = [f"{name}/{file}" for name in folders for file in ("__init__.py", "app.py", "main.py", "wsgi.py")]
    loose = [f"{name}/{file}" for name in ("app", "src", "api") if name not in names for file in ("main.py", "app.py")]
    return places + loose
