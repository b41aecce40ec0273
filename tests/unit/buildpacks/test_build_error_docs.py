"""Ids of build errors and their page cannot drift apart."""

from __future__ import annotations

import re
from pathlib import Path

from homeport.buildpacks import DOCS, FailureId

ROOT = Path(__file__).parents[3]


def test_every_id_has_its_heading_and_every_heading_its_id() -> None:
    headings = re.findall(r"^### (\S+)$", (ROOT / DOCS).read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(failure.value for failure in FailureId)


def test_every_id_is_raised_somewhere() -> None:
    code = "\n".join(
        path.read_text()
        for room in ("buildpacks", "builds")
        for path in (ROOT / "homeport" / room).rglob("*.py")
        if path.name != "failures.py"
    )
    unused = [failure.name for failure in FailureId if f"FailureId.{failure.name}" not in code]
    assert unused == []


def test_every_section_says_something() -> None:
    sections = re.split(r"^### \S+$", (ROOT / DOCS).read_text(), flags=re.MULTILINE)[1:]
    assert all(len(section.strip()) > 60 for section in sections)
