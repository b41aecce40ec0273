"""What has not changed is not made again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from pathlib import Path

import pytest

from homeport.slugs import fingerprint
from tests.integration.builds.workshop import Workshop

pytestmark = pytest.mark.slow

FLASK = "a flask app with pinned requirements"


def python(workshop: Workshop, slug: object, app: Path, code: str) -> str:
    env = workshop.environment(slug, app)  # type: ignore[arg-type]
    done = subprocess.run(["python", "-c", code], cwd=app, env=env, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def test_a_change_of_code_reinstalls_nothing(workshop: Workshop) -> None:
    first = workshop.build(FLASK).slug
    began = time.monotonic()
    again = workshop.build(workshop.source(FLASK, {"app.py": "print('changed')\n"}), previous=first)
    assert "Using cached dependencies" in again.text
    assert "Installing" not in again.text
    assert again.slug.layers == first.layers
    assert again.slug.code != first.code
    assert time.monotonic() - began < 2  # a few milliseconds, on a machine that does nothing else


def test_the_same_source_gives_the_same_slug(workshop: Workshop) -> None:
    first, second = workshop.build(FLASK).slug, workshop.build(FLASK).slug
    assert (first.code, first.layers) == (second.code, second.layers)
    assert len(workshop.store.keys()) == 2


def test_other_requirements_make_another_layer(workshop: Workshop) -> None:
    one = workshop.build(workshop.source("requirements in several files")).slug
    two = workshop.build(
        workshop.source("requirements in several files", {"requirements/limits.txt": "idna==3.6\n"})
    ).slug
    assert one.layers != two.layers


def test_an_index_setting_makes_another_layer_and_is_not_in_its_key(workshop: Workshop) -> None:
    project = "requirements in several files"
    one = workshop.build(project).slug
    two = workshop.build(project, env={"PIP_EXTRA_INDEX_URL": "https://user:hunter22@pypi.org/simple"}).slug
    assert one.layers != two.layers
    assert "hunter22" not in str(two)


def test_a_layer_whose_interpreter_is_gone_is_not_used(workshop: Workshop) -> None:
    first = workshop.build(FLASK).slug
    program = workshop.store.path(first.layers[0]) / "bin" / "python"
    program.unlink()
    program.symlink_to("/gone/bin/python3")
    assert "Installing dependencies" in workshop.build(FLASK).text


def test_two_builds_at_once_share_the_work(workshop: Workshop) -> None:
    async def both() -> None:
        one, two = await asyncio.gather(workshop.building(FLASK), workshop.building(FLASK))
        assert one.slug.layers == two.slug.layers

    asyncio.run(both())
    assert not list((workshop.home.slugs / "drafts").glob("*/python-*"))


def test_the_slug_runs_wherever_its_code_is_put(workshop: Workshop) -> None:
    slug = workshop.build(FLASK).slug
    app = workshop.dyno(slug)
    assert python(workshop, slug, app, "import app, flask, gunicorn; print(app.app.name)") == "app"
    env = workshop.environment(slug, app)
    version = subprocess.run(["gunicorn", "--version"], env=env, capture_output=True, text=True, check=True)
    assert "22.0.0" in version.stdout
    pip = subprocess.run(["pip", "--version"], env=env, capture_output=True, text=True, check=True)
    assert str(workshop.store.path(slug.layers[0])) in pip.stdout


def test_dependencies_are_compiled(workshop: Workshop) -> None:
    slug = workshop.build(FLASK).slug
    packages = next((workshop.store.path(slug.layers[0]) / "lib").glob("python*/site-packages"))
    assert list((packages / "flask" / "__pycache__").glob("app.cpython-*.pyc"))


def test_an_editable_package_is_the_dynos_own(workshop: Workshop) -> None:
    project = "requirements with an editable package"
    first = workshop.build(project).slug
    app = workshop.dyno(first)
    code = "import greetings; print(greetings.__file__)"
    module = "packages/greetings/src/greetings/__init__.py"
    assert python(workshop, first, app, code) == str(app / module)
    greet = subprocess.run(["greet"], env=workshop.environment(first, app), capture_output=True, text=True, check=True)
    assert greet.stdout == "Hello from an editable package\n"
    changed = workshop.source(project, {"packages/greetings/src/greetings/words.py": "HI = 'hi'\n"})
    again = workshop.build(changed, previous=first)
    assert again.slug.layers == first.layers


@pytest.mark.parametrize(("project", "program", "said"), [
    ("a uv project", "clock", "tick 1.16.0"),
    ("a poetry project", "greet", "hello dateutil"),
])  # fmt: skip
def test_a_project_that_is_a_package_has_its_programs(
    workshop: Workshop, project: str, program: str, said: str
) -> None:
    slug = workshop.build(project).slug
    app = workshop.dyno(slug)
    done = subprocess.run([program], env=workshop.environment(slug, app), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == said


def test_development_dependencies_stay_out(workshop: Workshop) -> None:
    for project in ("a uv project", "a poetry project", "a poetry project of 2021", "a pipfile with its lock"):
        slug = workshop.build(project).slug
        packages = next((workshop.store.path(slug.layers[0]) / "lib").glob("python*/site-packages"))
        assert (packages / "six.py").exists(), project
        assert not (packages / "idna").exists(), project
        assert not (packages / "colorama").exists(), project


def test_static_files_are_kept_while_nothing_changes(workshop: Workshop) -> None:
    project = "a django app with static files"
    first = workshop.build(project)
    assert (workshop.store.path(first.slug.code) / "staticfiles/pages/site.css").exists()
    same = workshop.build(project)
    assert "Keeping the static files" in same.text
    assert same.slug.code == first.slug.code
    other = workshop.build(project, env={"SECRET_KEY": "another"})
    assert "collectstatic --noinput" in other.text
    assert other.slug.code != first.slug.code
    assert other.slug.layers == first.slug.layers


def test_what_a_hook_installs_is_the_apps_own(workshop: Workshop) -> None:
    env = {"GREETING": "good morning"}
    plain = workshop.build("requirements in several files").slug
    layer = workshop.store.path(plain.layers[0])
    before = fingerprint(layer)
    slug = workshop.build("hooks before and after compiling", env=env).slug
    app = workshop.dyno(slug)
    assert python(workshop, slug, app, "import idna; print(idna.__file__)").startswith(str(app))
    assert (app / "before.txt").read_text() == "made\n"
    assert not list(workshop.store.path(slug.layers[0]).glob("lib/python*/site-packages/idna"))
    assert fingerprint(layer) == before


def test_the_source_folder_is_consumed(workshop: Workshop) -> None:
    source = workshop.source(FLASK)
    workshop.build(source)
    assert not source.exists()
    refused = workshop.source("a procfile in lower case")
    workshop.build(refused)
    assert not refused.exists()
    assert os.listdir(workshop.home.builds / "work") == [workshop.builder._scratch.path.name]  # noqa: PTH208
    assert [path.name for path in workshop.builder._scratch.path.iterdir()] == [".lock"]
