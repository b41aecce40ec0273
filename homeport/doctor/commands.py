"""The commands of a Procfile, taken apart as a shell would, as far as the servers of Python apps need it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

SERVERS = {
    "gunicorn": "gunicorn",
    "uvicorn": "uvicorn",
    "hypercorn": "hypercorn",
    "daphne": "daphne",
    "waitress-serve": "waitress",
    "granian": "granian",
    "uwsgi": "uwsgi",
}
"""Packages by the programs that serve an app."""

PROGRAMS = {**SERVERS, "celery": "celery", "flask": "flask", "alembic": "alembic", "rq": "rq", "fastapi": "fastapi",
            "streamlit": "streamlit", "django-admin": "django", "huey_consumer": "huey", "dramatiq": "dramatiq",
            "newrelic-admin": "newrelic"}  # fmt: skip
"""Packages by the programs that come with them."""

_WRAPPERS = ("exec", "time", "nice", "env", "newrelic-admin run-program", "ddtrace-run", "opentelemetry-instrument",
             "uv run", "poetry run", "pipenv run", "coverage run", "bin/start-pgbouncer")  # fmt: skip
_SWITCHES = frozenset(
    "--preload --preload-app --reload -R --daemon -D --capture-output --no-sendfile --spew --check-config --factory "
    "--print-config --enable-stdio-inheritance --reuse-port --log-syslog --no-control-socket --proxy-headers "
    "--no-proxy-headers --use-colors --no-use-colors --no-access-log --access-log --server-header --no-server-header "
    "--date-header --no-date-header --expose-tracebacks --no-expose-tracebacks --debug --call --with-threads "
    "--without-threads --no-reload --noreload --no-debug --debugger --insecure --ipv6 -6 --nothreading "
    "--nostatic".split()
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.S)
_APP = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*(\(.*\))?)?")


@dataclass(frozen=True)
class Target:
    """`module:name` in a command. `called`: written with parentheses; `made` by the server itself (`--factory`)."""

    module: str
    name: str = ""
    called: bool = False
    made: bool = False

    @property
    def text(self) -> str:
        return f"{self.module}:{self.name}{'()' if self.called else ''}" if self.name else self.module


@dataclass(frozen=True)
class Command:
    """One simple command of a process type; `line` is the one of `file`, the Procfile, where it stands.

    `program` is a name without its path: `python -m gunicorn` is gunicorn, and `python` stays one only for scripts.
    """

    process: str
    line: int
    text: str
    program: str
    words: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    file: str = "Procfile"

    def option(self, *names: str) -> str | None:
        """The value of the last of these options: `-b X`, `-bX`, `--bind X`, `--bind=X`; "" for a bare switch."""
        found: str | None = None
        for index, word in enumerate(self.words):
            for name in names:
                if word == name:
                    following = self.words[index + 1] if index + 1 < len(self.words) else ""
                    found = "" if name in _SWITCHES else following
                elif name.startswith("--") and word.startswith(f"{name}="):
                    found = word.partition("=")[2]
                elif not name.startswith("--") and word.startswith(name) and word not in _SWITCHES:
                    found = word[2:].removeprefix("=")
        return found

    def options(self, *names: str) -> list[str]:
        """All values of an option that may be given several times."""
        return [
            value
            for index in range(len(self.words))
            if (value := Command(self.process, 0, "", "", self.words[index : index + 2]).option(*names)) is not None
            and any(self.words[index].startswith(name) for name in names)
        ]

    @property
    def arguments(self) -> list[str]:
        """Words that are neither an option nor its value."""
        found: list[str] = []
        waiting = list(self.words)
        while waiting:
            word = waiting.pop(0)
            if word == "--":
                return [*found, *waiting]
            if not word.startswith("-"):
                found.append(word)
            elif "=" not in word and word not in _SWITCHES and (word.startswith("--") or len(word) == 2) and waiting:
                waiting.pop(0)
        return found

    @property
    def folder(self) -> str:
        """Where the program looks for the app first: "" or a path relative to the app's folder."""
        named = self.option("--chdir", "--pythonpath", "--app-dir") if self.program in SERVERS else None
        path = (named or "").split(",")[0].removeprefix("./").strip("/")
        return "" if path in (".", "$PWD") or path.startswith(("..", "$", "~")) else path

    @property
    def target(self) -> Target | None:
        """The app that a server is to serve, None where the command does not say it."""
        match self.program:
            case "gunicorn" | "uvicorn" | "hypercorn" | "daphne" | "granian":
                named = next((word for word in self.arguments if _APP.fullmatch(word)), None)
                return _target(named, made="--factory" in self.words)
            case "waitress-serve":
                named = next((word for word in reversed(self.words) if _APP.fullmatch(word) and ":" in word), None)
                return _target(named, made="--call" in self.words)
            case "celery":
                return _target(self.option("-A", "--app"))
            case "flask":
                named = self.option("--app", "-A") or self.environment.get("FLASK_APP")
                return _target(named.removesuffix(".py") if named else None)
        return None

    @property
    def script(self) -> str | None:
        """`app.py` of `python app.py`."""
        if self.program != "python":
            return None
        first = next((word for word in self.words if not word.startswith("-")), None)
        if first is None or not first.endswith(".py") or "-c" in self.words or "-m" in self.words:
            return None
        return str(PurePosixPath(first.removeprefix("./")))


def parse(process: str, text: str, *, line: int = 0, file: str = "Procfile") -> list[Command]:
    """The simple commands of a line, in their order; nothing for what only a shell understands."""
    try:
        lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return []
    commands: list[Command] = []
    pending: list[str] = []
    for word in [*words, ";"]:
        if word and set(word) <= set(";&|"):
            command = _simple(process, text, pending)
            commands += [replace(command, line=line, file=file)] if command is not None else []
            pending = []
        else:
            pending.append(word)
    return commands


def _simple(process: str, text: str, words: list[str]) -> Command | None:
    environment: dict[str, str] = {}
    rest = list(words)
    while rest:
        found = _ASSIGNMENT.fullmatch(rest[0])
        wrapper = next((known for known in _WRAPPERS if rest[: len(known.split())] == known.split()), None)
        if found is not None:
            environment[found[1]] = found[2]
            rest.pop(0)
        elif wrapper is not None:
            del rest[: len(wrapper.split())]
        else:
            break
    if not rest:
        return None
    program = PurePosixPath(rest[0]).name
    rest = rest[1:]
    if re.fullmatch(r"python[\d.]*", program):
        program = "python"
        if len(rest) > 1 and "-m" in rest and all(word.startswith("-") for word in rest[: rest.index("-m")]):
            index = rest.index("-m")
            module = rest[index + 1] if index + 1 < len(rest) else ""
            known = {"waitress": "waitress-serve"}.get(module, module)
            if known in PROGRAMS:
                program, rest = known, rest[index + 2 :]
    return Command(process, 0, text, program, tuple(rest), environment)


def _target(named: str | None, *, made: bool = False) -> Target | None:
    if not named or not _APP.fullmatch(named):
        return None
    module, _, name = named.partition(":")
    bare = name.partition("(")[0]
    return Target(module, bare.split(".")[0], called="(" in name, made=made)
