"""Every starter as a person gets it: made, tested, run on this machine, pushed, and seen in a browser."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e import browser
from tests.e2e.platform import HEROKU, HOMEPORT, Platform

UV = Path(sys.executable).parent / "uv"
HEADINGS = {
    "flask": "Hello, world!",
    "flask-celery": "my-flask-celery",
    "django": "Hello, world!",
    "flask-vue": "Hello!",
    "fastapi": "my-fastapi",
}


def prepare(project: Path, platform: Platform) -> dict[str, str]:
    """What its README says to do before a local run; returns the environment of a shell with its .venv."""
    environment = {**platform.base(), "VIRTUAL_ENV": str(project / ".venv")}
    environment["PATH"] = f"{project / '.venv/bin'}:{HEROKU.parent}:{environment['PATH']}"
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, ".venv"], cwd=project, check=True)
    subprocess.run([UV, "pip", "install", "-q", "-r", "requirements-dev.txt"], cwd=project, env=environment, check=True)
    if (project / "package.json").exists():
        for step in (["install", "--silent"], ["run", "--silent", "build"]):
            subprocess.run(["npm", *step], cwd=project, env=environment, check=True, capture_output=True)
    if (project / "manage.py").exists():
        platform.run("python", "manage.py", "migrate", cwd=project, environment=environment).ok()
    return environment


def free_port() -> int:
    """Below the range that outgoing connections get, so that nobody takes it by chance."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def running_locally(command: Path, project: Path, environment: dict[str, str]) -> Iterator[str]:
    """The URL of the app, run by `heroku local web` or `homeport local web`."""
    port = free_port()
    arguments = [str(command), "local", "web", "--port", str(port)]
    with (project.parent / f"{project.name}.log").open("wb") as log:
        process = subprocess.Popen(
            arguments, cwd=project, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(url: str) -> bool:
    try:
        return bool(httpx.get(f"{url}/up", timeout=5).json() == {"status": "ok"})
    except (httpx.HTTPError, ValueError):
        return False


@pytest.mark.parametrize("template", HEADINGS)
def test_a_starter_runs_at_once_here_and_with_the_first_push(platform: Platform, template: str) -> None:
    projects = platform.folder / "projects"
    projects.mkdir(exist_ok=True)
    made = platform.homeport("new", template, cwd=projects).ok()
    project = projects / f"my-{template}"
    assert "git push heroku main" in made.err

    environment = prepare(project, platform)
    platform.run("python", "-m", "pytest", "-q", cwd=project, environment=environment).ok()
    for command in (HEROKU, HOMEPORT):
        with running_locally(command, project, environment) as url:
            platform.eventually(lambda url=url: answers(url), seconds=90, what=f"{command.name} local")
    assert not platform.git(project, "status", "--porcelain").ok().out, "what a local run leaves is ignored by git"

    for step in re.findall(r"^  homeport (.+)$", made.err, re.M):  # as `new` said, word by word
        if step.startswith("ps:scale"):
            continue
        platform.homeport(*step.split(), cwd=project).ok()
    pushed = platform.git(project, "push", "heroku", "main").ok()
    assert "deployed to Homeport" in pushed.err
    with browser.page() as page:
        page.goto(platform.url(f"my-{template}"))
        expect(page.get_by_role("heading", level=1)).to_have_text(HEADINGS[template])
        assert page.evaluate("getComputedStyle(document.body).maxWidth") != "none", "the style sheet is not served"
    if template == "flask-celery":
        _count_words_by_the_worker(platform, project)
    platform.homeport("apps:destroy", f"my-{template}", "--confirm", f"my-{template}").ok()


def _count_words_by_the_worker(platform: Platform, project: Path) -> None:
    platform.homeport("ps:scale", "worker=1", cwd=project).ok()
    with browser.page() as page:
        page.goto(platform.url("my-flask-celery"))
        page.get_by_label("A text").fill("to be or not to be")
        page.get_by_role("button", name="Count").click()
        expect(page.get_by_text("to: 2")).to_be_visible(timeout=60_000)
