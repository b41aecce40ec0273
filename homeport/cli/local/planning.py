"""Which processes to start, and what each has in its environment: decided before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from homeport.cli.errors import UsageError
from homeport.cli.local.crew import Worker
from homeport.errors import HomeportError

DEFAULT_PORT = 5006
"""The official CLI's, since macOS has a service of its own on 5000."""

STEP = 100
"""The first process type has the base port and those after it, the second one those from a hundred further on."""


def plan(
    types: Mapping[str, str],
    *,
    asked: Sequence[str],
    concurrency: str,
    variables: Mapping[str, str],
    outer: Mapping[str, str],
    port: str | None,
) -> list[Worker]:
    """A worker per process. `asked` are words such as `web` and `web=2,worker`; without any, every type but `release`.

    `variables` are those of the files, which go before the shell's own (`outer`). Raises `UsageError` for what no
    Procfile has, `HomeportError` (`invalid_port`) for what is no port.
    """
    wanted = _counts(asked) or {name: 1 for name in types if name != "release"}
    wanted |= _counts([concurrency] if concurrency else [])
    if unknown := [name for name in wanted if name not in types]:
        raise UsageError(
            f"The Procfile has no process type {', '.join(unknown)}.",
            command="local",
            fix=f"It has: {', '.join(types)}.",
        )
    base = _port(port or variables.get("PORT") or outer.get("PORT") or str(DEFAULT_PORT))
    workers = []
    for place, (name, count) in enumerate(wanted.items()):
        for number in range(1, count + 1):
            own = {"PORT": str(base + place * STEP + number - 1), "FOREMAN_WORKER_NAME": f"{name}.{number}"}
            env = environment(variables, outer) | own
            workers.append(Worker(f"{name}.{number}", types[name], env))
    return workers


def environment(variables: Mapping[str, str], outer: Mapping[str, str]) -> dict[str, str]:
    """The files' variables over the shell's. Python shall not keep its output back until there is enough of it."""
    return {"PYTHONUNBUFFERED": "1", **outer, **variables}


def _counts(words: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in (item.strip() for word in words for item in word.split(",")):
        name, equals, count = item.partition("=")
        if not item:
            continue
        if equals and not (count.isascii() and count.isdigit() and int(count) <= 50):
            raise UsageError(f"{item} is not TYPE=QUANTITY with a quantity up to 50.", command="local")
        found[name] = int(count) if equals else 1
    return found


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535 - 1000):
        raise HomeportError("invalid_port", f"{text!r} is not a port to begin with.", fix="Name one: --port 5006")
    return int(text)
