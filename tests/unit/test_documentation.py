"""Documentation that cannot drift: commands that it shows exist, links lead somewhere, names of things are right."""

from __future__ import annotations

import re
import runpy
from functools import cache
from pathlib import Path

import pytest

from homeport.cli.table import BY_NAME

ROOT = Path(__file__).parents[2]


FOLDERS = ("docs", "examples", "bench", "tests")


def pages() -> list[Path]:
    """Every page that is written for people."""
    below = [page for folder in FOLDERS for page in sorted((ROOT / folder).rglob("*.md"))]
    return [*sorted(ROOT.glob("*.md")), *(page for page in below if "node_modules" not in page.parts)]


PAGES = pages()
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@cache
def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", without_code(text))


OURS = r"(?:^|[\s;(\"/])homeport ([a-z][\w:.-]*)"
HEROKUS = r"(?:^|[;&|(] *)heroku ([a-z][\w:-]*)"  # `git push heroku main` is none


def commands(text: str, asked: str = OURS) -> list[str]:
    """The commands that a page shows: typed in a console, or named in the running text."""
    consoles = re.findall(r"^```(?:console|bash|sh)\n(.*?)^```$", text, re.M | re.S)
    lines = [line.removeprefix("$ ") for console in consoles for line in console.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", without_code(text))
    found = []
    for piece in (*lines, *spans):
        found += re.findall(asked, piece)
    return found


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{link}: {target.name} has no such heading"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_that_are_shown_exist(page: Path) -> None:
    unknown = [name for name in commands(page.read_text()) if name not in BY_NAME]
    assert not unknown, f"homeport knows no command {', '.join(unknown)}"


@pytest.mark.parametrize("page", ["commands", "from-heroku"])
def test_pages_that_are_made_from_the_command_table_are_as_it_is(page: str) -> None:
    made = runpy.run_path(str(ROOT / "scripts" / f"{page}-page"))["page"]()
    assert (ROOT / "docs" / f"{page}.md").read_text() == made, "run `make docs`"


def test_commands_of_heroku_that_are_shown_exist() -> None:
    listed = (ROOT / "scripts" / "heroku-commands.txt").read_text().splitlines()
    known = {*listed, *BY_NAME, "dashboard", "plugins", "update"}
    for page in PAGES:
        unknown = set(commands(page.read_text(), HEROKUS)) - known
        assert not unknown, f"{page.name}: heroku knows no command {', '.join(sorted(unknown))}"


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index.read_text())}
    missing = [page.name for page in sorted((ROOT / "docs").glob("*.md")) if page != index and page not in linked]
    assert not missing, f"docs/index.md does not lead to {', '.join(missing)}"


def test_targets_that_are_shown_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        text = page.read_text()
        shown = re.findall(r"`make ([a-z0-9-]+)`", text) + re.findall(r"^(?:\$ )?make ([a-z0-9-]+)", text, re.M)
        assert set(shown) <= targets, f"{page.name}: no such target: {set(shown) - targets}"


def test_reading_finds_commands_however_they_are_written() -> None:
    text = (
        'Type `homeport up --detach`.\n```console\n$ eval "$(.venv/bin/homeport env)"\n$ homeport ps:scale web=2\n```\n'
    )
    assert commands(text) == ["env", "ps:scale", "up"]
    assert commands("`uv tool install homeport`, `~/.homeport`, `homeport` alone, the homeport command") == []


def test_reading_finds_links_but_not_in_code() -> None:
    assert links("[a](b.md#c) and\n```\n[x](y)\n```\n") == ["b.md#c"]
