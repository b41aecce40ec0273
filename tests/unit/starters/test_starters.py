"""Starters as they are made: complete, with nothing of the template left over, and pinned as the examples are."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from homeport import starters
from homeport.cli.local.planning import DEFAULT_PORT
from homeport.errors import Conflict, HomeportError, Invalid
from homeport.starters import STARTERS, Starter

EXAMPLES = Path(__file__).parents[3] / "examples"
ALL = pytest.mark.parametrize("starter", STARTERS, ids=lambda starter: starter.name)


def pins(requirements: Path) -> dict[str, str]:
    lines = (line.partition("#")[0].strip() for line in requirements.read_text().splitlines())
    return dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?==(\S+)$", "\n".join(lines), re.M))


@ALL
def test_nothing_of_the_template_is_left_over(starter: Starter, tmp_path: Path) -> None:
    starters.make(starter, tmp_path / "my-app")
    made = [path for path in (tmp_path / "my-app").rglob("*") if path.is_file()]
    assert not [path for path in made if path.suffix == ".jinja"]
    for path in made:
        text = path.read_text()
        if path.suffix == ".py":
            ast.parse(text)
        if path.suffix == ".json":
            json.loads(text)
        assert "{%- " not in text, path
        assert "{{ name }}" not in text or path.parent.name == "templates", path


@ALL
def test_it_has_what_a_push_and_a_local_run_need(starter: Starter, tmp_path: Path) -> None:
    folder = tmp_path / "my-app"
    assert starters.make(starter, folder) == "my-app"
    assert "web: " in (folder / "Procfile").read_text()
    assert re.fullmatch(r"3\.\d+\n", (folder / ".python-version").read_text())
    assert re.fullmatch(r"(#.*\n)*SECRET_KEY=[0-9a-f]{64}\n", (folder / ".env").read_text())
    assert (folder / ".env").stat().st_mode & 0o077 == 0
    assert ".env" in (folder / ".gitignore").read_text().split()
    assert json.loads((folder / "app.json").read_text())["name"] == "my-app"


@ALL
def test_every_address_of_a_local_run_is_where_it_listens(starter: Starter, tmp_path: Path) -> None:
    starters.make(starter, tmp_path / "my-app")
    texts = [path.read_text() for path in (tmp_path / "my-app").rglob("*") if path.suffix in {".md", ".js"}]
    ports = [port for text in texts for port in re.findall(r"http://(?:localhost|127\.0\.0\.1):(\d+)", text)]
    assert set(ports) == {str(DEFAULT_PORT)}


@ALL
def test_versions_are_those_of_the_examples(starter: Starter, tmp_path: Path) -> None:
    starters.make(starter, tmp_path / "my-app")
    here = pins(tmp_path / "my-app" / "requirements.txt")
    assert here
    for requirements in EXAMPLES.glob("*/requirements.txt"):
        there = pins(requirements)
        different = {name for name in here.keys() & there.keys() if here[name] != there[name]}
        assert not different, f"{requirements.parent.name} has other versions of {', '.join(sorted(different))}"


def test_an_unknown_template_names_those_that_there_are() -> None:
    with pytest.raises(Invalid) as refused:
        starters.find("rails")
    assert refused.value.id == "no_such_template"
    assert "flask-celery" in refused.value.fix


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(Conflict) as refused:
        starters.make(STARTERS[0], tmp_path, name="my-app")
    assert refused.value.id == "folder_not_empty"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["x", "1st", "Größe", "-a-", "a" * 31, 'quo"te'])
def test_a_name_that_no_app_can_have_is_refused_before_anything_is_made(name: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        starters.make(STARTERS[0], tmp_path / "new", name=name)
    assert refused.value.id == "bad_app_name"
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeportError) as refused:
        starters.make(STARTERS[0], tmp_path / "file" / "my-app")
    assert refused.value.id == "folder_unwritable"
