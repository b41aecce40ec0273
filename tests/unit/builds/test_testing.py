from __future__ import annotations

import json
from pathlib import Path

import pytest

from homeport.buildpacks import BuildFailed
from homeport.builds.job import Built
from homeport.builds.testing import Suite, environment, wanted
from homeport.slugs import Store

MANIFEST = {
    "env": {"FLASK_DEBUG": "0", "SECRET_KEY": {"generator": "secret"}, "NEEDED": {"required": True}},
    "scripts": {"postdeploy": "flask db upgrade"},
    "environments": {
        "test": {
            "env": {"APP_SETTINGS": "testing", "SECRET_KEY": {"generator": "secret"}},
            "addons": ["heroku-postgresql:in-dyno"],
            "scripts": {"test-setup": "pip install pytest", "test": "pytest -q"},
        }
    },
}


def source(folder: Path, document: object) -> Path:
    (folder / "app.json").write_text(document if isinstance(document, str) else json.dumps(document))
    return folder


def test_a_push_does_without_tests_unless_it_is_told(tmp_path: Path) -> None:
    assert wanted({}, source(tmp_path, MANIFEST), always=False) is None


@pytest.mark.parametrize("config", [{}, {"HOMEPORT_TEST_COMMAND": "app.json"}])
def test_what_app_json_says(tmp_path: Path, config: dict[str, str]) -> None:
    suite = wanted(config, source(tmp_path, MANIFEST), always=not config)
    assert suite is not None
    assert (suite.command, suite.setup) == ("pytest -q", "pip install pytest")
    assert suite.env["APP_SETTINGS"] == "testing"
    assert len(suite.env["SECRET_KEY"]) == 64
    assert "FLASK_DEBUG" not in suite.env  # as on Heroku, `env` of an environment takes the place of the general one
    assert suite.ignored == ("add-on heroku-postgresql:in-dyno",)


def test_a_command_of_ones_own_keeps_the_rest(tmp_path: Path) -> None:
    suite = wanted({"HOMEPORT_TEST_COMMAND": "make check"}, source(tmp_path, MANIFEST), always=False)
    assert suite is not None
    assert (suite.command, suite.setup, suite.env["APP_SETTINGS"]) == ("make check", "pip install pytest", "testing")
    (tmp_path / "app.json").unlink()
    assert wanted({"HOMEPORT_TEST_COMMAND": "make check"}, tmp_path, always=True) == Suite("make check")


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        {},
        {"environments": []},
        {"environments": None},
        {"environments": {"test": "x"}},
        {"environments": {"test": {"scripts": {"test": 7}}}},
    ],
)
def test_nothing_says_what_to_run(tmp_path: Path, document: object) -> None:
    with pytest.raises(BuildFailed) as caught:
        wanted({}, source(tmp_path, document), always=True)
    assert caught.value.id == "tests_missing"


def test_tests_have_the_profile_and_their_own_variables(tmp_path: Path) -> None:
    store = Store(tmp_path / "slugs")
    (draft := store.draft("python-1")).joinpath("bin").mkdir()
    layer = store.keep("python-1", draft)
    built = Built(
        code="code-1", layers=["python-1"], process_types={}, buildpack="Python", size=1,
        profile={"PATH": "{layer:python-1}/bin:/bin", "PYTHONPATH": "{app}", "A": "1", "B": "1"},
    )  # fmt: skip
    folder = tmp_path / "copy"
    env = environment(Suite("pytest", env={"B": "2", "HOME": "/root"}), built, folder, "abc", store)
    assert env["PATH"] == f"{folder}/.heroku/python-packages/bin:{layer}/bin:/bin"
    assert env["PYTHONPATH"] == f"{folder}:{folder}/.heroku/python-packages"
    assert (env["A"], env["B"], env["CI"], env["HOME"]) == ("1", "2", "true", str(folder))
    assert env["HEROKU_TEST_RUN_COMMIT_VERSION"] == "abc"
    store.close()
