"""Pushes that are not plain Python apps: a folder of a repository that must pass its tests, a conda project."""

from __future__ import annotations

import json
import platform as machine
from pathlib import Path

import pytest

from tests.e2e.platform import Platform
from tests.e2e.projects import hello
from tests.integration.builds.conda_channel import PREFIX, Made, write_channel

TESTS = """\
import os, sys

assert "MOOD" not in os.environ and os.environ["CI"] == "true"
sys.exit(open("mood.txt").read() != "green")
"""
MANIFEST = json.dumps({"environments": {"test": {"scripts": {"test": "python check.py"}}}})


def test_a_folder_of_a_repository_that_must_pass_its_tests(platform: Platform, name: str) -> None:
    app = {**hello(), "check.py": TESTS, "app.json": MANIFEST, "mood.txt": "green"}
    project = platform.project(name, {f"services/web/{file}": text for file, text in app.items()})
    platform.heroku("create", name, cwd=project).ok()
    lost = platform.git(project, "push", "heroku", "main")
    assert lost.code == 1
    assert "heroku config:set HOMEPORT_SOURCE_DIR=services/web" in lost.err
    variables = ("HOMEPORT_SOURCE_DIR=services/web", "HOMEPORT_TEST_COMMAND=app.json", "MOOD=production")
    platform.heroku("config:set", *variables, cwd=project).ok()
    pushed = platform.git(project, "push", "heroku", "main").ok()
    assert "Using the folder services/web of the repository" in pushed.err
    assert "test command `python check.py` completed with exit status 0" in pushed.err
    assert platform.get(name) == (200, "v1 hello /\n")

    (project / "services/web/mood.txt").write_text("red")
    platform.commit(project, "Break it")
    red = platform.homeport("ci:run", cwd=project)
    assert red.code == 1, red.both
    assert "completed with exit status 1" in red.out
    refused = platform.git(project, "push", "heroku", "main")
    assert refused.code == 1
    assert "tests_failed" in refused.err
    assert platform.get(name) == (200, "v1 hello /\n")

    (project / "services/web/mood.txt").write_text("green")
    platform.commit(project, "Mend it")
    green = platform.homeport("ci:run", cwd=project).ok()
    assert "Nothing was released" in green.err
    releases = json.loads(platform.homeport("releases", "--json", cwd=project).ok().out)
    assert sum("Deploy" in release["description"] for release in releases) == 1


@pytest.mark.skipif(machine.machine() not in ("x86_64", "aarch64"), reason="the channel is made for these machines")
def test_a_conda_project(platform: Platform, name: str, tmp_path: Path) -> None:
    files = {
        "bin/greet": f"#!/bin/sh\necho greetings from {PREFIX}\n",
        "etc/conda/activate.d/greet.sh": "export GREETING=activated\n",
    }
    channel = write_channel(tmp_path / "channel", [Made("greet", "1.0", files)])
    app = {file: text for file, text in hello().items() if file not in ("requirements.txt", ".python-version")}
    environment = "channels: [conda-forge]\ndependencies: [greet]\n"
    project = platform.project(name, {**app, "environment.yml": environment, "Procfile": "web: python3 server.py\n"})
    platform.heroku("create", name, "--buildpack", "https://github.com/conda/conda-buildpack", cwd=project).ok()
    platform.heroku("config:set", f"HOMEPORT_CONDA_CHANNELS={channel.as_uri()}", cwd=project).ok()
    pushed = platform.git(project, "push", "heroku", "main").ok()
    assert "Python/Conda app detected" in pushed.err
    assert "greet 1.0" in pushed.err
    assert platform.get(name) == (200, "v1 activated /\n")  # by the script that the package brought
    said = platform.heroku("run", "--exit-code", "greet; ls -d .heroku/conda", cwd=project).ok()
    assert "greetings from /" in said.out
    assert ".heroku/conda" in said.out
