"""What a conda project wants: `environment.yml`, or `conda-requirements.txt` as old buildpacks have it.

https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html#create-env-file-manually
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.reading import inside, read_text

FILES = ("environment.yml", "environment.yaml")
REQUIREMENTS = "conda-requirements.txt"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EDITABLE = re.compile(r"(?:-e|--editable)\s*\.(?:\[[^]]*\])?$|\.(?:\[[^]]*\])?$")


@dataclass(frozen=True)
class Environment:
    """`file` is where it was read. `specs` are conda's, `pip` lines are pip's; `channels` may be names or URLs.

    `has_itself`: pip was to install the app itself, which is on PYTHONPATH anyway.
    """

    file: str
    specs: tuple[str, ...]
    channels: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    has_itself: bool = False


def looks_like_conda(source: Path) -> bool:
    return any(inside(source, name) is not None for name in (*FILES, REQUIREMENTS))


def read(source: Path) -> Environment:
    """Raises `BuildFailed`: `conda_environment_invalid`, `source_unreadable`."""
    for name in FILES:
        text = read_text(source, name)
        if text is not None:
            return parse(text, name)
    text = read_text(source, REQUIREMENTS) or ""
    specs = tuple(line for raw in text.splitlines() if (line := raw.partition("#")[0].strip()))
    if any(line.startswith("@") for line in specs):
        raise _invalid(REQUIREMENTS, "It is a list of explicit URLs (@EXPLICIT), which name one kind of machine.")
    pip = ("-r requirements.txt",) if inside(source, "requirements.txt") else ()
    return Environment(REQUIREMENTS, _complete(specs, pip), pip=pip)


def parse(text: str, name: str = FILES[0]) -> Environment:
    """Pure. Raises `BuildFailed` (`conda_environment_invalid`)."""
    import yaml  # not at the top: only conda builds need it

    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise _invalid(name, " ".join(str(error).split())[:300]) from error
    if not isinstance(document, dict):
        raise _invalid(name, "It must be a mapping with a list of `dependencies`.")
    specs, pip = _dependencies(document.get("dependencies"), name)
    itself = [line for line in pip if _EDITABLE.match(line)]
    pip = [line for line in pip if line not in itself]
    variables = document.get("variables")
    return Environment(
        file=name,
        specs=_complete(tuple(specs), tuple(pip)),
        channels=tuple(_texts(document.get("channels"), "channels", name)),
        pip=tuple(pip),
        variables={
            str(key): str(value)
            for key, value in (variables.items() if isinstance(variables, dict) else ())
            if _NAME.fullmatch(str(key)) and isinstance(value, str | int | float) and "\0" not in str(value)
        },
        has_itself=bool(itself),
    )


def _dependencies(value: object, name: str) -> tuple[list[str], list[str]]:
    if not isinstance(value, list):
        raise _invalid(name, "It has no list of `dependencies`.")
    specs: list[str] = []
    pip: list[str] = []
    for entry in value:
        if isinstance(entry, dict) and list(entry) == ["pip"]:
            pip += _texts(entry["pip"], "pip", name)
        elif isinstance(entry, str) and entry.strip():
            specs.append(entry.strip())
        else:
            raise _invalid(name, f"Its dependency {str(entry)[:100]!r} is neither a text nor a list of pip's.")
    return specs, pip


def _texts(value: object, key: str, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, str) and "\n" not in entry for entry in value):
        raise _invalid(name, f"`{key}` must be a list of texts.")
    return [entry.strip() for entry in value if entry.strip()]


def _complete(specs: tuple[str, ...], pip: tuple[str, ...]) -> tuple[str, ...]:
    """Python is asked for wherever pip is."""
    named = any(re.match(r"(?:[^\s:]+::)?python(?![\w.-])", spec) for spec in specs)
    return specs if named or not pip else (*specs, "python")


def _invalid(name: str, why: str) -> BuildFailed:
    return BuildFailed(
        FailureId.CONDA_ENVIRONMENT_INVALID,
        f"{name} cannot be used.",
        why=why,
        fix="Write it like this:\n\n  channels:\n    - conda-forge\n  dependencies:\n    - python=3.12\n    - flask\n"
        "    - pip:\n        - gunicorn",
    )
