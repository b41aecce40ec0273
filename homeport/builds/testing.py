"""Running an app's own tests in what was just built, before anything of it is released.

As Heroku CI has it: `environments.test` of app.json says what to run and with which variables. The app's config vars
are not there: a test that empties its database must not find the one that customers use.
https://devcenter.heroku.com/articles/heroku-ci
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from homeport import manifests
from homeport.buildpacks import HOOK_PACKAGES, RUN_PATH, BuildFailed, FailureId, Finished, Shell, Voice, read_bytes
from homeport.builds.job import Built
from homeport.errors import Invalid
from homeport.slugs import Store, places

SETTING = "HOMEPORT_TEST_COMMAND"
"""Config var: the command whose success a push must have, or `app.json` for what that says."""

FROM_MANIFEST = "app.json"

_LAYER = re.compile(r"\{layer:([^{}]+)\}")
_LOGIN = """\
for homeport_file in "$HOME"/.profile.d/*.sh; do [ -f "$homeport_file" ] && . "$homeport_file"; done
[ -f "$HOME/.profile" ] && . "$HOME/.profile"
unset homeport_file
exec /bin/bash -c "$1"
"""


@dataclass(frozen=True)
class Suite:
    """What to run. `setup` may be empty; `ignored` are parts of `environments.test` that mean nothing here."""

    command: str
    setup: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def wanted(config: Mapping[str, str], source: Path, *, always: bool) -> Suite | None:
    """The tests of a source folder, None where a push does without.

    `always`: they are all that is asked for. Raises `BuildFailed` (`tests_missing`, `source_unreadable`).
    """
    command = config.get(SETTING, "").strip()
    if not command and not always:
        return None
    tests = _of_manifest(read_bytes(source, manifests.NAME))
    if command and command != FROM_MANIFEST:
        return Suite(command, tests.setup if tests else "", tests.env if tests else {}, tests.ignored if tests else ())
    if tests is None or not tests.command:
        raise _missing()
    return tests


def _of_manifest(data: bytes | None) -> Suite | None:
    """`environments.test`, above what app.json says for every environment."""
    try:
        document = json.loads(data or b"{}")
        test = document.get("environments", {}).get("test", {})
        merged = {**document, **test}
        scripts = {**(document.get("scripts") or {}), **(test.get("scripts") or {})}
        reading = manifests.read(json.dumps(merged).encode())
    except (ValueError, AttributeError, TypeError, RecursionError, Invalid) as error:
        raise BuildFailed(
            FailureId.TESTS_MISSING,
            "app.json, which names the tests, cannot be read.",
            why=str(error)[:300],
            fix="Correct it; `environments.test.scripts.test` is the command that runs the tests.",
        ) from error
    if data is None:
        return None
    env = {
        variable.name: secrets.token_hex(32) if variable.generated else variable.value or ""
        for variable in reading.manifest.env
        if variable.generated or variable.value is not None
    }
    ignored = tuple(f"add-on {addon.plan}" for addon in reading.manifest.addons if test.get("addons"))
    return Suite(_text(scripts.get("test")), _text(scripts.get("test-setup")), env, ignored)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


async def run(tests: Suite, env: Mapping[str, str], folder: Path, shell: Shell, voice: Voice) -> None:
    """Run them in a laid out slug at `folder` with `env`. Raises `BuildFailed` (`tests_failed`)."""
    voice.blank()
    for part in tests.ignored:
        voice.detail(f"Not made for tests here: {part}")
    if tests.setup:
        voice.step(f"Running test-setup command `{tests.setup}`...")
        done = await _run(tests.setup, folder, env, shell)
        voice.step(f"test-setup command `{tests.setup}` completed with exit status {done.code}")
        if done.code != 0:
            raise _failed(tests.setup, done, "prepares the tests")
    voice.step(f"Running test command `{tests.command}`...")
    done = await _run(tests.command, folder, env, shell)
    voice.step(f"test command `{tests.command}` completed with exit status {done.code}")
    if done.code != 0:
        raise _failed(tests.command, done, "runs the tests")


def environment(tests: Suite, built: Built, folder: Path, commit: str | None, store: Store) -> dict[str, str]:
    """What a dyno of this slug would have, with the variables of tests in the place of config vars."""
    profile = {
        name: _LAYER.sub(lambda match: str(store.path(match[1])), value).replace("{app}", str(folder))
        for name, value in built.profile.items()
    }
    packages = folder / HOOK_PACKAGES
    path = profile.get("PATH") or RUN_PATH
    modules = ":".join(filter(None, [profile.get("PYTHONPATH", ""), str(packages)]))
    return {
        **profile,
        "PATH": f"{packages / 'bin'}:{path}",
        "PYTHONPATH": modules,
        "PIP_TARGET": str(packages),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PYTHONDONTWRITEBYTECODE": "1",  # layers are shared, and pip's own modules in them are not compiled
        "CI": "true",
        "DYNO": "test.1",
        "HEROKU_TEST_RUN_ID": str(uuid.uuid4()),
        **({"HEROKU_TEST_RUN_COMMIT_VERSION": commit} if commit else {}),
        **tests.env,
        "HOME": str(folder),
    }


def lay_out(built: Built, folder: Path, store: Store) -> None:
    """A copy of the code with its layers in their places, as a dyno has them."""
    shutil.copytree(store.path(built.code), folder, symlinks=True)
    for place, key in places(built.layers).items():
        link = folder / place
        link.parent.mkdir(parents=True, exist_ok=True)
        if link.is_symlink() or not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(store.path(key))


async def _run(command: str, folder: Path, env: Mapping[str, str], shell: Shell) -> Finished:
    return await shell.run(["/bin/bash", "-c", _LOGIN, "bash", command], cwd=folder, env=env)


def _failed(command: str, done: Finished, what: str) -> BuildFailed:
    fix = "Mend what it says and push again."
    if done.code == 127:
        fix = "The command was not found. Add the test runner to the requirements, or install it in `test-setup`:\n\n"
        fix += '  "environments": {"test": {"scripts": {"test-setup": "pip install pytest", "test": "pytest"}}}'
    return BuildFailed(
        FailureId.TESTS_FAILED,
        f"`{command[:200]}`, which {what}, failed with exit code {done.code}.",
        why="Its output is above. Tests have the variables of app.json and none of the app's config vars.",
        fix=f"{fix}\n\nTo push without tests: heroku config:unset {SETTING}",
    )


def _missing() -> BuildFailed:
    return BuildFailed(
        FailureId.TESTS_MISSING,
        "Nothing says how the tests of this app are run.",
        why="They were asked for, and app.json has no `environments.test.scripts.test`.",
        fix="Add it to app.json, as Heroku CI has it, and commit:\n\n"
        '  {"environments": {"test": {"scripts": {"test": "pytest"}}}}\n\n'
        f"Or name the command in a config var:\n\n  heroku config:set {SETTING}=pytest",
    )
