"""Old projects live again: real pins, real interpreters of their time, and the app can be imported afterwards."""

from __future__ import annotations

import subprocess

import pytest

from tests.integration.builds.workshop import Outcome, Workshop

pytestmark = pytest.mark.slow

DAY = "2020-04-20"


@pytest.fixture(autouse=True)
def _interpreters(pythons: set[str]) -> None:
    missing = {"3.7", "3.8"} - pythons
    if missing:
        pytest.skip(f"Python {', '.join(sorted(missing))} is not on this machine")


def imports(workshop: Workshop, outcome: Outcome, code: str) -> str:
    app = workshop.dyno(outcome.slug)
    env = workshop.environment(outcome.slug, app)
    done = subprocess.run(["python", "-c", code], cwd=app, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def unnamed(workshop: Workshop, project: str, files: dict[str, str] | None = None) -> object:
    """The project without the Python that the workshop names for it."""
    source = workshop.source(project, files)
    (source / ".python-version").unlink(missing_ok=True)
    return source


def build(workshop: Workshop, project: str, **env: str) -> Outcome:
    return workshop.build(unnamed(workshop, project), env=env, day=DAY)  # type: ignore[arg-type]


def test_flask_of_2020_is_refused_with_the_line_that_would_cure_it(workshop: Workshop) -> None:
    outcome = build(workshop, "an old flask app without limits")
    assert outcome.error.id == "requirements_clash_at_boot"
    assert "heroku config:set HOMEPORT_RESOLVE_BEFORE=auto" in outcome.text
    assert "cannot import name 'escape' from 'jinja2'" in outcome.text


def test_flask_of_2020_with_the_packages_and_the_python_of_its_day(workshop: Workshop) -> None:
    outcome = build(workshop, "an old flask app without limits", HOMEPORT_RESOLVE_BEFORE="auto")
    assert "Using that of 2020-04-20: Python 3.8" in outcome.text
    assert "+ jinja2==2.11.2" in outcome.text
    assert imports(workshop, outcome, "import app, gunicorn.util; print(app.app.name)") == "app"


def test_flask_of_2020_repaired_without_a_date(workshop: Workshop) -> None:
    source = workshop.source("an old flask app without limits")  # with today's packages and a newer Python
    outcome = workshop.build(source, env={"HOMEPORT_REPAIR": "auto"})
    for limit in ("jinja2<3.1", "itsdangerous<2.1", "werkzeug<2.1"):
        assert f"Repair: Limiting {limit}" in outcome.text
    assert imports(workshop, outcome, "import app, gunicorn.util; print(app.app.name)") == "app"


def test_the_automatic_date_stays_when_only_code_changes(workshop: Workshop) -> None:
    project, env = "an old flask app without limits", {"HOMEPORT_RESOLVE_BEFORE": "auto"}
    first = build(workshop, project, **env).slug
    later = unnamed(workshop, project, {"new.py": "x = 1\n"})
    outcome = workshop.build(later, env=env, day="2026-01-01", previous=first)  # type: ignore[arg-type]
    assert outcome.slug.layers == first.layers
    assert "Published up to 2020-04-20" in outcome.text


def test_celery_and_psycopg2_of_2020(workshop: Workshop) -> None:
    outcome = build(workshop, "an old celery app with psycopg2", HOMEPORT_RESOLVE_BEFORE="auto")
    assert "Using the newest that psycopg2 2.7.4 runs on: Python 3.7" in outcome.text
    assert "+ celery==4.4.2" in outcome.text
    assert imports(workshop, outcome, "import app").startswith("2.7.4")


def test_psycopg2_that_does_not_compile_becomes_its_binary(workshop: Workshop) -> None:
    source = workshop.source("an old celery app with psycopg2", {".python-version": "3.8\n"})
    outcome = workshop.build(source, env={"HOMEPORT_REPAIR": "auto"}, day=DAY)
    assert "Repair: Installing psycopg2-binary 2.8.4 in place of psycopg2 2.7.4" in outcome.text
    assert imports(workshop, outcome, "import app").startswith("2.8.4")


def test_django_2_2_with_a_patch_that_is_not_here(workshop: Workshop) -> None:
    outcome = build(workshop, "an old django app with a runtime txt", HOMEPORT_RESOLVE_BEFORE="2020-05-01")
    assert "Warning: Python 3.7.6 is not on this machine" in outcome.text
    assert "1 static file copied" in outcome.text
    assert imports(workshop, outcome, "import django, pages.wsgi; print(django.__version__)") == "2.2.12"


def test_a_package_that_needs_an_old_setuptools(workshop: Workshop) -> None:
    project = "an old package that needs an old setuptools"
    assert build(workshop, project).error.id == "requirement_old_setuptools"
    outcome = build(workshop, project, HOMEPORT_REPAIR="auto")
    assert "with setuptools<58" in outcome.text
    imports(workshop, outcome, "import suds")


def test_a_package_that_needs_an_old_cython(workshop: Workshop, pythons: set[str]) -> None:
    if "3.10" not in pythons:
        pytest.skip("Python 3.10 is not on this machine")
    project = "an old package that needs an old cython"
    files = {".python-version": "3.10\n", "requirements.txt": "PyYAML==5.3\n"}
    refused = workshop.build(
        workshop.source(project, {**files, "requirements.txt": "PyYAML==5.4.1\n--no-binary PyYAML\n"})
    )
    assert refused.error.id == "requirement_old_cython"
    source = workshop.source(project, {**files, "requirements.txt": "PyYAML==5.4.1\n--no-binary PyYAML\n"})
    outcome = workshop.build(source, env={"HOMEPORT_REPAIR": "auto"})
    assert "with Cython<3" in outcome.text
    imports(workshop, outcome, "import yaml")


def test_the_oldest_python(workshop: Workshop, pythons: set[str]) -> None:
    if "3.6" not in pythons:
        pytest.skip("Python 3.6 is not on this machine")
    source = workshop.source("an old flask app without limits", {".python-version": "3.6\n"})
    outcome = workshop.build(source, env={"HOMEPORT_RESOLVE_BEFORE": "2018-01-01"}, day="2018-01-01")
    assert outcome.failure is None, outcome.text
    assert "Repair: Resolving as of 2020-04-03, the day on which flask 1.1.2 was published" in outcome.text
    packages = next((workshop.store.path(outcome.slug.layers[0]) / "lib").glob("python3.6/site-packages"))
    assert list((packages / "flask" / "__pycache__").glob("app.cpython-36.pyc"))


def test_an_absent_python_is_refused_with_what_is_here_and_replaced_where_that_is_allowed(workshop: Workshop) -> None:
    project = "a python version that nobody has"
    outcome = workshop.build(project)
    assert outcome.error.id == "python_version_unavailable"
    assert "  3.8" in outcome.error.why
    repaired = workshop.build(project, env={"HOMEPORT_REPAIR": "auto"})
    assert "Warning: Python 3.98 is not on this machine" in repaired.text
    assert repaired.slug.layers
