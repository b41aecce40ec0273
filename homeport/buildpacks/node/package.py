"""What a package.json says: https://devcenter.heroku.com/articles/nodejs-support. Pure but for reading the file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.reading import inside, read_text

NAME = "package.json"


class Manager(Enum):
    """The value is the program's name."""

    NPM = "npm"
    YARN = "yarn"
    BERRY = "yarn berry"  # Yarn 2 and later, another program of the same name
    PNPM = "pnpm"

    @property
    def lock(self) -> str:
        return _LOCKS[self]

    @property
    def program(self) -> str:
        return self.value.split()[0]


_LOCKS = {
    Manager.NPM: "package-lock.json",
    Manager.YARN: "yarn.lock",
    Manager.BERRY: "yarn.lock",
    Manager.PNPM: "pnpm-lock.yaml",
}
_LIFECYCLE = ("preinstall", "install", "postinstall", "prepare", "prepublish", "heroku-prebuild")
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "workspaces")
_BUILD = ("heroku-postbuild", "build")
_DECLARED = re.compile(r"(npm|yarn|pnpm)@(\d+[\w.+-]*)")
_EXACT = re.compile(r"\d+\.\d+\.\d+[\w.+-]*")


@dataclass(frozen=True)
class Package:
    """`wants` are versions or ranges by program, from `engines` and `packageManager`. `locked` is the lock file's text.

    `self_contained`: what gets installed depends on this file and the lock file alone, so that it can be shared.
    """

    text: str
    manager: Manager
    locked: str | None
    scripts: Mapping[str, str] = field(default_factory=dict)
    wants: Mapping[str, str] = field(default_factory=dict)
    has_dependencies: bool = True
    self_contained: bool = True

    @property
    def build_script(self) -> str | None:
        """The one that is run: `heroku-postbuild` in the place of `build`, as on Heroku."""
        return next((name for name in _BUILD if name in self.scripts), None)


def looks_like_node(source: Path) -> bool:
    return inside(source, NAME) is not None


def read(source: Path) -> Package:
    """Raises `BuildFailed`: `package_json_invalid`, `node_lockfiles_conflict`, `source_unreadable`."""
    text = read_text(source, NAME) or ""
    document = _object(text)
    locks = [manager for manager in (Manager.NPM, Manager.YARN, Manager.PNPM) if inside(source, manager.lock)]
    if len(locks) > 1:
        raise _conflict(locks)
    locked = read_text(source, locks[0].lock) if locks else None
    scripts = _texts(document.get("scripts"))
    wants = _texts(document.get("engines"))
    declared = _DECLARED.match(str(document.get("packageManager", "")))
    if declared:
        wants[declared[1]] = declared[2].partition("+")[0]
    manager = _manager(locks[0] if locks else Manager(declared[1]) if declared else Manager.NPM, locked, wants)
    return Package(
        text=text,
        manager=manager,
        locked=locked,
        scripts=scripts,
        wants=wants,
        has_dependencies=any(document.get(kind) for kind in _DEPENDENCIES),
        self_contained=(
            locked is not None
            and manager is not Manager.BERRY
            and not any(name in scripts for name in _LIFECYCLE)
            and "workspaces" not in document
            and inside(source, "pnpm-workspace.yaml") is None
            and not re.search(r'"link": true|\b(file|link|portal):(?!//)', locked)
        ),
    )


def _manager(found: Manager, locked: str | None, wants: Mapping[str, str]) -> Manager:
    if found is not Manager.YARN:
        return found
    version = wants.get("yarn", "")
    newer = re.match(r"\D*([2-9]|\d\d)\b", version) if locked is None else "__metadata:" in locked
    return Manager.BERRY if newer else Manager.YARN


def is_exact(version: str) -> bool:
    return _EXACT.fullmatch(version) is not None


def _object(text: str) -> dict[str, object]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _invalid(str(error)) from error
    if not isinstance(document, dict):
        raise _invalid("It must hold one object: { … }.")
    return document


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(name): text.strip() for name, text in value.items() if isinstance(text, str) and text.strip()}


def _invalid(why: str) -> BuildFailed:
    return BuildFailed(
        FailureId.PACKAGE_JSON_INVALID,
        "package.json is not valid JSON.",
        why=why[:300],
        fix="Correct it (a comma after the last entry and a merge conflict are the usual reasons) and push again.",
    )


def _conflict(locks: list[Manager]) -> BuildFailed:
    names = "\n".join(f"  {manager.lock} ({manager.program})" for manager in locks)
    return BuildFailed(
        FailureId.NODE_LOCKFILES_CONFLICT,
        "Several package managers for Node.js have their lock file in this commit.",
        why=f"They may name different versions, and a guess could build with the wrong ones:\n\n{names}",
        fix=f"Delete all but one:\n\n  git rm {locks[1].lock}\n  git commit -m 'Use {locks[0].program}'",
    )
