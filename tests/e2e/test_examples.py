"""The examples, deployed by both command lines and used in a browser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e import browser
from tests.e2e.conftest import Cli
from tests.e2e.platform import ROOT, Platform

EXAMPLES = ROOT / "examples"


def deploy(platform: Platform, cli: Cli, example: str, name: str) -> Path:
    project = platform.project(name, EXAMPLES / example)
    (project / ".python-version").write_text(f"{sys.version_info.major}.{sys.version_info.minor}\n")
    platform.commit(project, "The Python of this machine")
    cli("create", name, cwd=project).ok()
    cli("config:set", "SECRET_KEY=only-for-this-test-0123456789", cwd=project).ok()
    pushed = platform.git(project, "push", "heroku", "main").ok()
    assert "Release command declared" in pushed.err
    assert "deployed to Homeport" in pushed.err
    return project


def test_flaskr(platform: Platform, cli: Cli, name: str) -> None:
    project = deploy(platform, cli, "flaskr", name)
    with browser.page() as page:
        page.goto(platform.url(name))
        menu = page.get_by_role("navigation")
        menu.get_by_role("link", name="Register").click()
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill("analytical engine")
        page.get_by_role("button", name="Register").click()
        menu.get_by_role("link", name="Write").click()
        page.get_by_label("Title").fill("Notes on the engine")
        page.get_by_label("Text").fill("It weaves algebraic patterns.")
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_role("heading", name="Notes on the engine")).to_be_visible()

        # SQLite on a dyno: the post is gone with the dyno, as the build said.
        cli("ps:restart", cwd=project).ok()
        platform.eventually(lambda: "Notes on the engine" not in platform.get(name)[1], what="the fresh dyno")
    shown = cli("run", "-x", "flask --app run routes", cwd=project).ok()
    assert "blog.index" in shown.out


def test_hello_django(platform: Platform, cli: Cli, name: str) -> None:
    project = deploy(platform, cli, "hello-django", name)
    with browser.page() as page:
        page.goto(platform.url(name))
        style = page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth")
        assert style != "none", "the collected static files are not served"
        page.locator("form input[name=name]").fill("Grace")
        page.locator("form [name=text]").fill("Found a moth.")
        page.get_by_role("button", name="Sign the book").click()
        expect(page.get_by_text("Found a moth.")).to_be_visible()
    checked = cli("run", "-x", "python manage.py check --deploy --fail-level ERROR", cwd=project).ok()
    assert "no issues" in checked.both or "identified" in checked.both


@pytest.mark.parametrize("example", ["flaskr", "hello-django"])
def test_the_tests_of_an_example_pass(example: str, tmp_path: Path) -> None:
    folder = EXAMPLES / example
    environment = tmp_path / "venv"
    uv = Path(sys.executable).parent / "uv"
    needed = folder / "requirements-dev.txt"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, environment], check=True)
    requirements = needed if needed.exists() else folder / "requirements.txt"
    subprocess.run([uv, "pip", "install", "-q", "--python", environment, "-r", requirements], check=True)
    python = environment / "bin/python"
    arguments = ["-m", "pytest", "-q"] if example == "flaskr" else ["manage.py", "test"]
    done = subprocess.run(
        [python, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "DEBUG": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
