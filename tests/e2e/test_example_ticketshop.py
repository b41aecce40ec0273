"""The ticket shop, from a folder of a repository to two hundred people racing for fifty tickets."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e import browser
from tests.e2e.conftest import Cli
from tests.e2e.platform import ROOT, Platform

EXAMPLE = ROOT / "examples/ticketshop"
NOT_SOURCE = shutil.ignore_patterns("__pycache__", "node_modules", "dist", "instance", ".env", ".venv")
PASSWORD = "correct horse battery"
# The hash of that password, made by `flask admin-statement`.
ADMIN = (
    "INSERT INTO accounts (email, name, password_hash, is_admin) VALUES ('boss@example.com', 'Boss', "
    "'scrypt:32768:8:1$UIYspC0aa3T9gQSX$62da64527710e1c1797ba14039395a8d62306a5c023f6855801f2dbf31f873be"
    "c044e3d00dc7d57050d6c585641f16672a5d257e1ec5d56dc550fcfb7fb3e575', true);"
)


def in_a_folder(platform: Platform, name: str) -> Path:
    """A repository whose folder `shop` is the app, with the Python of this machine."""
    project = platform.project(name, {"README.md": "The shop is in its folder.\n"})
    shutil.copytree(EXAMPLE, project / "shop", ignore=NOT_SOURCE)
    (project / "shop/.python-version").write_text(f"{sys.version_info.major}.{sys.version_info.minor}\n")
    platform.commit(project, "The ticket shop")
    return project


def create(platform: Platform, cli: Cli, name: str) -> Path:
    project = in_a_folder(platform, name)
    cli("apps:create", name, "--no-remote", cwd=project).ok()
    cli("git:remote", "-a", name, cwd=project).ok()
    cli("buildpacks:add", "heroku/nodejs", "-a", name).ok()
    cli("buildpacks:add", "heroku/python", "-a", name).ok()
    cli("addons:create", "heroku-postgresql:essential-0", "-a", name).ok()
    cli("config:set", "PRODUCTION=True", "SECRET_KEY=only-for-this-test-0123456789", "-a", name).ok()
    return project


def migrate(cli: Cli, name: str) -> None:
    shown = cli("run", "-a", name, "bash", stdin="flask db upgrade\nflask seed\nexit\n").ok()
    assert "6 events are announced" in shown.both


def enter(page: Page, email: str, *, name: str = "") -> None:
    page.get_by_role("link", name="Log in").first.click()
    if name:
        page.get_by_role("button", name="Make an account").click()
        page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Register" if name else "Log in", exact=True).click()
    expect(page.get_by_role("link", name="Wallet")).to_be_visible()


def test_a_shop_in_a_folder(platform: Platform, cli: Cli, name: str) -> None:
    project = create(platform, cli, name)
    pushed = platform.git(project, "subtree", "push", "--prefix", "shop", "heroku", "main").ok()
    assert re.search(r"Node\.js app detected.*vite build.*Python app detected", pushed.err, re.DOTALL), pushed.err
    assert "deployed to Homeport" in pushed.err

    # No tables yet: the shop says what to do, and that is what helps.
    status, said = platform.get(name, "/api/events")
    assert status == 503
    assert "flask db upgrade" in said
    migrate(cli, name)
    cli("pg:psql", "-a", name, "-c", ADMIN).ok()

    with browser.page() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(platform.url(name))
        enter(page, "boss@example.com")
        page.get_by_role("link", name="Announce").click()
        page.get_by_label("Title").fill("The Last Three")
        page.get_by_label("Venue").fill("Attic")
        page.get_by_label("When").fill("2090-05-01T20:00")
        page.get_by_label("Price").fill("12.50")
        page.get_by_label("Places").fill("3")
        page.get_by_role("button", name="Announce").click()
        expect(page.get_by_role("heading", name="The Last Three")).to_be_visible()
        page.get_by_role("button", name="Log out").click()

        page.get_by_role("link", name="The Last Three").click()
        enter(page, "ada@example.com", name="Ada")
        page.get_by_role("link", name="ticketshop").click()
        page.get_by_role("link", name="The Last Three").click()
        page.get_by_role("button", name="Buy 1 ticket").click()
        expect(page.get_by_role("alert")).to_contain_text("not enough money")
        page.get_by_role("link", name="Wallet").click()
        page.get_by_role("button", name="Add €50.00").click()
        expect(page.get_by_role("link", name="Wallet")).to_have_text("€50.00")
        page.go_back()
        page.get_by_label("One more").click()
        page.get_by_label("One more").click()
        page.get_by_role("button", name="Buy 3 tickets · €37.50").click()
        expect(page.get_by_role("status")).to_contain_text("no. 1, 2, 3")
        expect(page.get_by_role("link", name="Wallet")).to_have_text("€12.50")
        page.get_by_role("link", name="My tickets").click()
        expect(page.get_by_text("no. 1, 2, 3")).to_be_visible()
        page.reload()  # an address of the front end, asked of the server; the token is still there
        page.get_by_role("link", name="The Last Three").click()
        expect(page.get_by_text("Sold out. All 3 tickets")).to_be_visible()
        elsewhere = [url for url in asked if not url.startswith(platform.url(name))]
        assert not elsewhere, "the page asked another host"

    logged = cli("logs", "-a", name, "-n", "1000").ok().out
    assert re.search(r"heroku\[router\].*method=POST path=\"?/api/orders.*status=201", logged)
    falls_asleep_and_wakes(platform, cli, name)


def falls_asleep_and_wakes(platform: Platform, cli: Cli, name: str) -> None:
    """Three seconds instead of half an hour without requests."""
    cli("ps:type", "web=eco", "-a", name).ok()
    cli("config:set", "HOMEPORT_SLEEP_AFTER=0.05", "-a", name).ok()
    platform.eventually(lambda: "web.1: idle" in cli("ps", "-a", name).ok().out, seconds=60, what="sleep")
    with browser.page() as page:  # who comes now waits a moment, and sees the shop as if nothing had been
        page.goto(platform.url(name))
        page.get_by_role("link", name="The Last Three").click()
        expect(page.get_by_text("Sold out. All 3 tickets")).to_be_visible()
    logged = cli("logs", "-a", name, "-d", "web.1", "-n", "100").ok().out
    assert "heroku[web.1]: Idling" in logged
    assert "heroku[web.1]: Unidling" in logged


def test_two_hundred_buyers_race_for_fifty_tickets(platform: Platform, name: str) -> None:
    """Three dynos with two workers each; what guards the tickets is only the database that they share."""
    cli = platform.homeport
    project = create(platform, cli, name)
    procfile = project / "shop/Procfile"
    procfile.write_text(procfile.read_text().replace("-w 1", "-w 2"))
    platform.commit(project, "Two workers")
    cli("config:set", "HOMEPORT_SOURCE_DIR=shop", "-a", name).ok()  # the other way to deploy a folder
    assert "deployed to Homeport" in platform.git(project, "push", "heroku", "main").ok().err
    migrate(cli, name)
    cli("pg:psql", "-a", name, "-c", "UPDATE events SET capacity = 50, price_cents = 1999 WHERE id = 1").ok()
    cli("ps:scale", "web=3", "-a", name).ok()
    platform.eventually(lambda: cli("ps", "-a", name).ok().out.count(": up ") == 3, seconds=60, what="three dynos")

    race = [sys.executable, str(EXAMPLE / "race.py"), platform.url(name), "--event", "1", "--buyers", "200"]
    done = subprocess.run(
        [*race, "--cafile", platform.endpoint["ca"]], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "50 bought, 150 sold_out" in done.stdout
    served = set(re.findall(r"path=\"?/api/orders\b.* dyno=(web\.\d)", cli("logs", "-a", name, "-n", "1500").ok().out))
    assert served == {"web.1", "web.2", "web.3"}, "they did not all sell"

    books = """
        SELECT (SELECT sold FROM events WHERE id = 1) AS sold,
               (SELECT count(*) FROM tickets WHERE event_id = 1) AS tickets,
               (SELECT max(number) FROM tickets WHERE event_id = 1) AS highest,
               (SELECT sum(balance_cents) FROM accounts) AS balances,
               (SELECT sum(amount_cents) FROM entries) AS entries,
               200 * 10000 - 50 * 1999 AS expected
    """
    shown = cli("pg:psql", "-a", name, "-c", books).ok().out
    assert re.search(r"\b50 \|\s+50 \|\s+50 \|\s+1900050 \|\s+1900050 \|\s+1900050\b", shown), shown


def test_its_own_tests_pass(tmp_path: Path) -> None:
    uv, python = Path(sys.executable).parent / "uv", tmp_path / "venv/bin/python"
    wanted = EXAMPLE / "requirements-dev.txt"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, tmp_path / "venv"], check=True)
    subprocess.run([uv, "pip", "install", "-q", "--python", python, "-r", wanted], check=True)
    tests: list[str | Path] = [python, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(tests, cwd=EXAMPLE, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
