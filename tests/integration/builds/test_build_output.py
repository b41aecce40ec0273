"""What people see when they push: the whole output of each fixture project, compared with a file.

The files are in `outputs/`. To accept a change of wording, run the tests with HOMEPORT_ACCEPT_OUTPUT=1 and read the
difference before committing it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.integration.builds.workshop import Workshop, readable

OUTPUTS = Path(__file__).parent / "outputs"


@dataclass(frozen=True)
class Case:
    """A project, the config vars it is built with, the error id that it must end with (None: it builds)."""

    project: str
    failure: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    day: str | None = None
    needs: str | None = None  # an interpreter that must be on the machine
    variant: str = ""
    buildpacks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.project}{f', {self.variant}' if self.variant else ''}"


REPAIR = {"HOMEPORT_REPAIR": "auto"}
CASES = [
    Case("a flask app with pinned requirements"),
    Case("a flask app without a procfile"),
    Case("a flask app made by a factory"),
    Case("a flask app without a server"),
    Case("a flask app that keeps its data in sqlite"),
    Case("a flask package that falls back to sqlite"),
    Case(
        "a flask package that falls back to sqlite",
        env={"DATABASE_URL": "postgres://u:p@127.0.0.1/d"},
        variant="with a database",
    ),
    Case("a fastapi app without a procfile"),
    Case("a django app with static files"),
    Case("a django app with static files", env={"DISABLE_COLLECTSTATIC": "1"}, variant="collectstatic disabled"),
    Case("a django app without a procfile"),
    Case("a django app without a static root"),
    Case("a django app with debug on and sqlite"),
    Case("a procfile in lower case", "procfile_misspelt"),
    Case("a procfile that nobody can read", "procfile_invalid"),
    Case("a procfile with one unreadable line"),
    Case("an empty procfile"),
    Case("several package managers at once", "package_manager_ambiguous"),
    Case("several package managers at once", env={"HOMEPORT_PACKAGE_MANAGER": "pip"}, variant="pip chosen"),
    Case("a pipfile without its lock", "lockfile_missing"),
    Case("a pipfile whose lock is no json", "lockfile_invalid"),
    Case("a pipfile with its lock"),
    Case("a poetry project"),
    Case("a poetry project of 2021"),
    Case("a uv project"),
    Case("a uv project whose lock is outdated", "lockfile_outdated"),
    Case("a pyproject without a lock"),
    Case("a conda project", "conda_unsupported", buildpacks=("heroku/python",)),
    Case("a setup py and nothing else", "package_manager_missing"),
    Case("requirements with a misspelt name", "package_manager_missing"),
    Case("requirements that nobody published", "requirement_unknown"),
    Case("requirements that contradict each other", "requirements_conflict"),
    Case("requirements that clash at boot", "requirements_clash_at_boot"),
    Case("requirements that clash at boot", env=REPAIR, variant="repaired"),
    Case("requirements that include a missing file", "requirements_file_missing"),
    Case("requirements in several files"),
    Case("requirements written by powershell"),
    Case("requirements from other machines", "requirement_foreign_path"),
    Case("requirements from other machines", env=REPAIR, variant="repaired"),
    Case("requirements with options of old pip"),
    Case("requirements with an editable package"),
    Case("a hook that fails before compiling", "hook_failed"),
    Case("hooks before and after compiling", env={"GREETING": "good morning"}),
    Case("a runtime txt without a version", "python_version_invalid"),
    Case("a runtime txt that asks for python 2", "python_version_too_old"),
    Case("a python version file that is misspelt", "python_version_misspelt"),
    Case("a slugignore"),
    Case("a virtual environment in the repository"),
    Case("something at heroku python", "heroku_python_present"),
    Case("no python at all", "buildpack_not_detected"),
]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_output_is_what_it_was(case: Case, workshop: Workshop, python: str) -> None:
    outcome = workshop.build(case.project, env=case.env, day=case.day, buildpack_urls=case.buildpacks)
    assert (outcome.failure.id if outcome.failure else None) == case.failure, outcome.text
    seen = readable(outcome, python)
    file = OUTPUTS / f"{case.name}.txt"
    if os.environ.get("HOMEPORT_ACCEPT_OUTPUT"):
        file.write_text(seen)
    assert seen == file.read_text()


def test_every_output_belongs_to_a_case() -> None:
    assert {path.stem for path in OUTPUTS.iterdir()} == {case.name for case in CASES}
