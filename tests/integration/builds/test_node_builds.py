"""Node.js alone, and in front of Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from homeport.builds import Built
from homeport.slugs import fingerprint, places
from tests.integration.builds.workshop import Outcome, Workshop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on this machine"),
]

PYTHON = "requirements in several files"
BOTH = ["heroku/nodejs", "heroku/python"]
PACKAGE: dict[str, Any] = {
    "name": "front-end",
    "version": "1.0.0",
    "engines": {"node": ">=18"},
    "dependencies": {"ms": "2.1.3"},
    "devDependencies": {"left-pad": "1.3.0"},
    "scripts": {"build": "node build.js", "start": "node server.js"},
}
MS = "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA=="
LEFT_PAD = "sha512-XI5MPzVNApjAyhQzphX8BkmKsKUxD4LdyK24iZeQGinBN9yTQT3bFlCBy/aVx2HrNcqQGsdot8ghrjyrvMCoEA=="
BUILD = "require('fs').writeFileSync('built.txt', require('left-pad')(require('ms')('1s'), 6))\n"


def lock(package: dict[str, Any]) -> str:
    registry = "https://registry.npmjs.org"
    root = {
        key: package[key] for key in ("name", "version", "engines", "dependencies", "devDependencies") if key in package
    }
    packages = {
        "": root,
        "node_modules/ms": {"version": "2.1.3", "resolved": f"{registry}/ms/-/ms-2.1.3.tgz", "integrity": MS},
        "node_modules/left-pad": {
            "version": "1.3.0",
            "resolved": f"{registry}/left-pad/-/left-pad-1.3.0.tgz",
            "integrity": LEFT_PAD,
            "dev": True,
        },
    }
    return json.dumps(
        {"name": "front-end", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": packages}
    )


def build(
    shop: Workshop,
    package: dict[str, Any] | None = None,
    files: dict[str, str] | None = None,
    *,
    buildpacks: list[str] = BOTH,
    env: dict[str, str] | None = None,
    project: str = PYTHON,
) -> Outcome:
    package = PACKAGE if package is None else package
    texts = {
        "package.json": json.dumps(package),
        "package-lock.json": lock(package),
        "build.js": BUILD,
        **(files or {}),
    }
    return shop.build(shop.source(project, texts), buildpack_urls=buildpacks, env=env or {})


def in_dyno(shop: Workshop, slug: Built, command: str) -> str:
    app = shop.dyno(slug)
    for place, key in places(slug.layers).items():
        (app / place).parent.mkdir(exist_ok=True)
        (app / place).unlink(missing_ok=True)
        (app / place).symlink_to(shop.store.path(key))
    env = {**shop.environment(slug, app), "HOME": str(app)}
    done = subprocess.run(["bash", "-c", command], cwd=app, env=env, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def test_a_front_end_is_built_and_python_serves_it(workshop: Workshop) -> None:
    first = build(workshop)
    assert first.slug.buildpack == "Python"
    assert in_dyno(workshop, first.slug, "cat built.txt; python -c 'import idna'") == "1000"
    assert in_dyno(workshop, first.slug, "node -p \"require('ms')('2s')\"") == "2000"
    assert "Cannot find module 'left-pad'" in in_dyno(workshop, first.slug, "node -e \"require('left-pad')\"")
    assert in_dyno(workshop, first.slug, "ls -d .heroku/node/bin/node .heroku/python/bin/python").count("\n") == 1
    layers = {key: fingerprint(workshop.store.path(key)) for key in first.slug.layers}
    again = build(workshop, files={"build.js": BUILD.replace("'1s'", "'9s'")})
    assert "npm ci" not in again.text
    assert "Pruning" not in again.text
    assert again.slug.layers == first.slug.layers
    assert in_dyno(workshop, again.slug, "cat built.txt") == "9000"
    assert {key: fingerprint(workshop.store.path(key)) for key in again.slug.layers} == layers


def test_without_anything_to_build_only_what_dynos_need_is_installed(workshop: Workshop) -> None:
    package = {**PACKAGE, "scripts": {"start": "node server.js"}}
    first = build(workshop, package)
    assert "npm ci --omit=dev" in first.text
    again = build(workshop, package)
    assert (again.slug.code, again.slug.layers) == (first.slug.code, first.slug.layers)
    assert "npm ci" not in again.text
    other = build(workshop, package, {"app.py": "# changed\n"})
    assert "npm ci" not in other.text
    assert other.slug.code != first.slug.code


def test_node_alone(workshop: Workshop) -> None:
    outcome = build(workshop, buildpacks=[], project="no python at all")
    assert "-----> Node.js app detected" in outcome.lines
    assert outcome.slug.process_types == {"web": "npm start"}
    assert outcome.slug.buildpack == "Node.js"


def test_beside_python_it_is_only_pointed_at(workshop: Workshop) -> None:
    outcome = build(workshop, buildpacks=[])
    assert "heroku buildpacks:add --index 1 heroku/nodejs" in outcome.text
    assert outcome.slug.buildpack == "Python"
    serving = build(workshop, buildpacks=[], files={"Procfile": "web: NODE_ENV=x node server.js\n"})
    assert serving.slug.buildpack == "Node.js"


def test_what_a_build_writes_into_node_modules_is_kept_with_the_code(workshop: Workshop) -> None:
    script = "require('fs').writeFileSync('node_modules/ms/made.txt', 'by the build')\n"
    for _ in range(2):
        outcome = build(workshop, files={"build.js": script})
        assert in_dyno(workshop, outcome.slug, "cat node_modules/ms/made.txt") == "by the build"
    assert not [key for key in outcome.slug.layers if key.startswith("modules-")]
    assert not (workshop.store.path(outcome.slug.code) / "node_modules" / "left-pad").exists()


def test_static_files_of_python_see_node_modules(workshop: Workshop) -> None:
    package = {**PACKAGE, "scripts": {}}
    outcome = build(
        workshop, package, {"bin/post_compile": "#!/bin/sh\nls node_modules/ms/package.json; node --version\n"}
    )
    assert "       node_modules/ms/package.json" in outcome.lines


@pytest.mark.parametrize(
    ("package", "files", "failure"),
    [
        (PACKAGE, {"build.js": "process.exit(3)\n"}, "node_build_failed"),
        (PACKAGE, {"package.json": "{,}"}, "package_json_invalid"),
        (PACKAGE, {"yarn.lock": ""}, "node_lockfiles_conflict"),
        ({**PACKAGE, "engines": {"node": "99.x"}}, {}, "node_version_unavailable"),
        (PACKAGE, {"package.json": json.dumps({**PACKAGE, "dependencies": {"ms": "2.0.0"}})}, "node_install_failed"),
    ],
)
def test_failures(workshop: Workshop, package: dict[str, Any], files: dict[str, str], failure: str) -> None:
    outcome = build(workshop, package, files)
    assert outcome.error.id == failure, outcome.text
    assert " !     Push rejected, failed to compile Node.js app." in outcome.lines
    if failure == "node_install_failed":
        assert "does not fit package.json" in outcome.error.why


def test_fetching_node_can_be_forbidden(workshop: Workshop) -> None:
    package = {**PACKAGE, "engines": {"node": "17.0.1"}}
    outcome = build(workshop, package, env={"HOMEPORT_NODE_DOWNLOADS": "never"})
    assert "Fetching is forbidden" in outcome.error.why


def test_a_version_that_this_machine_lacks_is_fetched(workshop: Workshop) -> None:
    package = {**PACKAGE, "engines": {"node": "18.20.4"}, "scripts": {"build": "node --version"}}
    outcome = build(workshop, package)
    assert "       v18.20.4" in outcome.lines
    assert in_dyno(workshop, outcome.slug, "node --version; npm --version").startswith("v18.20.4\n10.")
    assert "Downloading" not in build(workshop, package).text


def test_an_app_without_package_json(workshop: Workshop) -> None:
    outcome = workshop.build(workshop.source(PYTHON), buildpack_urls=BOTH)
    assert outcome.error.id == "buildpack_incompatible"
