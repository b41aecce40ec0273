"""An app's own tests, run in what was built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from homeport.builds import Limits
from homeport.slugs import fingerprint
from tests.integration.builds.workshop import Workshop

pytestmark = pytest.mark.slow

PROJECT = "requirements in several files"
TEST = "import os, sys, idna\nprint('testing in', os.environ['MODE'])\nsys.exit(int(os.environ['EXIT']))\n"


def manifest(**test: object) -> str:
    return json.dumps({"environments": {"test": test}})


def files(exit_code: int, **test: object) -> dict[str, str]:
    env = {"MODE": "peace", "EXIT": str(exit_code)}
    return {"test.py": TEST, "app.json": manifest(env=env, scripts={"test": "python test.py"}, **test)}


def test_green_tests_let_a_build_through(workshop: Workshop) -> None:
    source = workshop.source(PROJECT, files(0))
    outcome = workshop.build(source, env={"HOMEPORT_TEST_COMMAND": "app.json"})
    assert "-----> Running test command `python test.py`..." in outcome.lines
    assert "       testing in peace" in outcome.lines
    assert "-----> test command `python test.py` completed with exit status 0" in outcome.lines
    assert outcome.slug.process_types


def test_red_tests_refuse_it(workshop: Workshop) -> None:
    outcome = workshop.build(workshop.source(PROJECT, files(3)), env={"HOMEPORT_TEST_COMMAND": "app.json"})
    assert outcome.error.id == "tests_failed"
    assert "failed with exit code 3" in outcome.error.what
    assert " !     Push rejected, failed to test Python app." in outcome.lines


def test_without_the_setting_no_test_is_run(workshop: Workshop) -> None:
    assert "Running test" not in workshop.build(workshop.source(PROJECT, files(3))).text
    assert workshop.build(workshop.source(PROJECT, files(3)), tests=True).error.id == "tests_failed"


def test_config_vars_of_the_app_are_out_of_reach(workshop: Workshop) -> None:
    env = {"DATABASE_URL": "postgres://production", "HOMEPORT_TEST_COMMAND": 'env; ls -a; test -z "$DATABASE_URL"'}
    outcome = workshop.build(workshop.source(PROJECT), env=env)
    assert outcome.built is not None
    assert "production" not in outcome.text
    assert "       CI=true" in outcome.lines
    assert "       requirements.txt" in outcome.lines


def test_what_the_setup_installs_stays_out_of_the_slug(workshop: Workshop) -> None:
    test = {
        "scripts": {
            "test-setup": "pip install --quiet six==1.16.0 && echo made > made.txt",
            "test": "python -c 'import six'",
        }
    }
    source = workshop.source(PROJECT, {"app.json": manifest(**test)})
    plain = workshop.build(PROJECT).slug
    before = fingerprint(workshop.store.path(plain.layers[0]))
    outcome = workshop.build(source, tests=True)
    assert not (workshop.store.path(outcome.slug.code) / "made.txt").exists()
    assert outcome.slug.layers == plain.layers
    assert fingerprint(workshop.store.path(plain.layers[0])) == before


def test_a_missing_test_runner_is_explained(workshop: Workshop) -> None:
    outcome = workshop.build(workshop.source(PROJECT), env={"HOMEPORT_TEST_COMMAND": "no-such-runner"})
    assert outcome.error.id == "tests_failed"
    assert "test-setup" in outcome.error.fix


def test_tests_that_hang_are_ended(tmp_path: Path, cache: Path, python: str) -> None:
    workshop = Workshop(tmp_path, cache, python=python, limits=Limits(tests=1.5))
    outcome = workshop.build(workshop.source(PROJECT), env={"HOMEPORT_TEST_COMMAND": "sleep 300"})
    assert outcome.error.id == "build_timeout"
    workshop.close()
