"""The marketplace in production: the deploy ritual, pictures of things nearby, limits, and errors that are known of."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e import browser
from tests.e2e.conftest import Cli
from tests.e2e.platform import ROOT, Platform

EXAMPLE = ROOT / "examples/marketplace"
NOT_SOURCE = shutil.ignore_patterns("__pycache__", "instance", ".env", ".venv", ".pytest_cache")
ADDONS = ("heroku-postgresql:essential-0", "heroku-redis:mini", "bucketeer:hobbyist", "sentry:f1")


def teal_picture(folder: Path) -> Path:
    """A PNG of 64 × 48 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x00\x80\x80" * 64) * 48
    header = struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path = folder / "teal.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    return path


def create(platform: Platform, cli: Cli, name: str) -> Path:
    """A repository whose folder `market` is the app, and all that it needs."""
    project = platform.project(name, {"README.md": "The market is in its folder.\n"})
    shutil.copytree(EXAMPLE, project / "market", ignore=NOT_SOURCE)
    (project / "market/.python-version").write_text(f"{sys.version_info.major}.{sys.version_info.minor}\n")
    platform.commit(project, "The marketplace")
    cli("create", name, cwd=project).ok()
    for addon in ADDONS:
        cli("addons:create", addon, "-a", name).ok()
    settings = ("FLASK_CONFIG=production", "SECRET_KEY=only-for-this-test-0123456789", "API_RATE_LIMIT=5 per minute")
    cli("config:set", *settings, "-a", name).ok()
    cli("labs:enable", "runtime-dyno-metadata", "-a", name).ok()
    return project


def deploy(platform: Platform, cli: Cli, name: str, project: Path) -> None:
    """The ritual: nobody sees the market while its tables change."""
    cli("maintenance:on", "-a", name).ok()
    platform.eventually(lambda: "maintenance" in platform.get(name)[1].lower(), what="the maintenance page")
    assert platform.get(name)[0] == 503
    pushed = platform.git(project, "subtree", "push", "--prefix", "market", "heroku", "main").ok()
    assert "deployed to Homeport" in pushed.err
    assert platform.get(name)[0] == 503, "the new version was shown before it was ready"
    deployed = cli("run", "-a", name, "python", "manage.py", "deploy").ok()
    assert re.search(r"The schema is up to date; \d categories were added", deployed.out), deployed.both
    cli("restart", "-a", name).ok()
    cli("maintenance:off", "-a", name).ok()
    platform.eventually(lambda: platform.get(name)[0] == 200, what="the market")


def sell_with_a_picture(page: Page, platform: Platform, name: str) -> None:
    page.goto(platform.url(name))
    page.get_by_role("link", name="Register").click()
    page.get_by_label("Name").fill("ada")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill("analytical engine")
    page.get_by_role("button", name="Register").click()
    page.get_by_role("link", name="Sell", exact=True).click()
    page.locator("input[type=file]").set_input_files(teal_picture(platform.folder))
    page.get_by_label("Title").fill("Teal square")
    page.get_by_label("Price").fill("7.50")
    page.get_by_label("Category").select_option("Books")
    page.get_by_label("Place").fill("Potsdam")
    page.get_by_role("button", name="Offer it").click()
    expect(page.get_by_role("heading", name="Teal square")).to_be_visible()


def shown(page: Page, picture: str) -> bool:
    """Whether the browser has drawn this picture, wherever it came from."""
    expect(page.locator(picture)).to_be_visible()
    drawn: bool = page.locator(picture).evaluate("img => img.decode().then(() => img.naturalWidth > 0)")
    return drawn


def test_a_marketplace(platform: Platform, cli: Cli, name: str) -> None:
    project = create(platform, cli, name)
    deploy(platform, cli, name, project)
    assert "POSTGIS" in cli("pg:psql", "-a", name, "-c", "SELECT postgis_full_version()").ok().out
    again = cli("run", "-a", name, "python", "manage.py", "deploy").ok()
    assert "0 categories were added, 8 were there" in again.out
    ask = "from market.models import *; from market.extensions import db; print(db.session.query(Category).count())\n"
    assert "8" in cli("run", "-a", name, "python", "manage.py", "shell", stdin=ask).ok().out.split()

    with browser.page() as page:
        sell_with_a_picture(page, platform, name)
        assert shown(page, ".picture img")
        assert "/public/items/" in str(page.locator(".picture img").get_attribute("src"))
        cli("ps:restart", "-a", name).ok()
        cli("run", "-a", name, "python", "manage.py", "demo").ok()

        # What is near, the nearest first.
        page.goto(platform.url(name))
        page.get_by_label("Near").fill("Berlin")
        page.get_by_label("Within").select_option("100 km")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("heading", name="Near Berlin")).to_be_visible()
        cards = page.get_by_role("listitem")
        expect(cards).to_have_count(6)
        expect(cards.first).to_contain_text("under 1 km")
        expect(cards.filter(has_text="Teal square")).to_contain_text("Potsdam · 27 km")
        expect(page.get_by_role("heading", name="Dutch bicycle")).to_have_count(0)
        assert shown(page, ".card img"), "the picture did not outlive its dyno"

        # A place that nobody knows, and a program that asks too often.
        page.get_by_label("Near").fill("Atlantis")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("alert")).to_contain_text("do not know where “Atlantis” is")
        ask_api = "() => fetch('/api/v1/items').then(answer => [answer.status, answer.headers.get('Retry-After')])"
        answers = [page.evaluate(ask_api) for _ in range(7)]
        assert [status for status, _ in answers] == [200] * 5 + [429] * 2
        assert 1 <= int(answers[-1][1]) <= 61

    # A release with a bug: the visitor sees that it went wrong, the tracker says where, and one command undoes it.
    items = project / "market/market/items.py"
    items.write_text(items.read_text().replace("    item = find(number)\n", "    item = find(number // 0)\n", 1))
    platform.commit(project, "A bug")
    platform.git(project, "subtree", "push", "--prefix", "market", "heroku", "main").ok()
    status, body = platform.get(name, "/items/1")
    assert status == 500
    report = re.search(r"reported as <code>([0-9a-f]{32})</code>", body)
    assert report is not None, body

    listed = platform.eventually(lambda: _issues(platform, name, 3), what="three issues")
    assert "ZeroDivisionError" in listed
    assert "a rate limit was hit" in listed
    assert "geocoding failed" in listed
    issue = re.search(r"^\s*(\S+) .*ZeroDivisionError", listed, re.MULTILINE)
    assert issue is not None, listed
    page_of_issue = platform.homeport("errors:info", issue[1], "-a", name).ok().out
    assert "find(number // 0)" in page_of_issue
    assert "market/items.py" in page_of_issue
    assert "production" in page_of_issue

    cli("rollback", "-a", name).ok()
    platform.eventually(lambda: platform.get(name, "/items/1")[0] == 200, what="the release without the bug")
    assert re.search(r"heroku\[router\].*status=429", cli("logs", "-a", name, "-n", "1500").ok().out)


def _issues(platform: Platform, name: str, count: int) -> str:
    """The list of issues, once it has so many of the three that are looked for."""
    out = platform.homeport("errors", "-a", name).ok().out
    found = [what for what in ("ZeroDivisionError", "a rate limit was hit", "geocoding failed") if what in out]
    return out if len(found) >= count else ""


def test_its_own_tests_pass(platform: Platform, name: str, tmp_path: Path) -> None:
    """They need a database with PostGIS: an add-on is one."""
    platform.homeport("create", name, "--no-remote").ok()
    platform.homeport("addons:create", "heroku-postgresql", "-a", name).ok()
    url = platform.homeport("config:get", "DATABASE_URL", "-a", name).ok().out.strip()
    environment = tmp_path / "venv"
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, environment], check=True)
    wanted = EXAMPLE / "requirements-dev.txt"
    subprocess.run([uv, "pip", "install", "-q", "--python", environment, "-r", wanted], check=True)
    done = subprocess.run(
        [environment / "bin/python", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=EXAMPLE,
        env={"PATH": "/usr/bin:/bin", "TEST_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
