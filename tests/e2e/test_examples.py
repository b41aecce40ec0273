"""The smallest example, deployed by both command lines and used in a browser. The others have a file each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e import browser
from tests.e2e.conftest import Cli
from tests.e2e.examples import EXAMPLES, copy
from tests.e2e.platform import Platform


def test_hello_django(platform: Platform, cli: Cli, name: str) -> None:
    project = copy(platform, "hello-django", name)
    cli("create", name, cwd=project).ok()
    cli("config:set", "SECRET_KEY=only-for-this-test-0123456789", cwd=project).ok()
    pushed = platform.git(project, "push", "heroku", "main").ok()
    assert "Release command declared" in pushed.err
    assert "deployed to Homeport" in pushed.err
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


def test_the_tests_of_hello_django_pass(tmp_path: Path) -> None:
    folder = EXAMPLES / "hello-django"
    environment = tmp_path / "venv"
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, environment], check=True)
    python = environment / "bin/python"
    subprocess.run([uv, "pip", "install", "-q", "--python", python, "-r", folder / "requirements.txt"], check=True)
    done = subprocess.run(
        [python, "manage.py", "test"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "DEBUG": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
