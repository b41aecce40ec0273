"""Private indexes, folders of wheels, git repositories, checksums, and indexes that do not answer."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.builds.wheels import private_index, wheel
from tests.integration.builds.workshop import Outcome, Workshop

pytestmark = pytest.mark.slow

ANY = "requirements in several files"


def build(workshop: Workshop, requirements: str, env: dict[str, str] | None = None, **files: str) -> Outcome:
    source = workshop.source(ANY, {"requirements.txt": requirements, **files})
    return workshop.build(source, env=env)


def installed(workshop: Workshop, outcome: Outcome) -> dict[str, str]:
    packages = next((workshop.store.path(outcome.slug.layers[0]) / "lib").glob("python*/site-packages"))
    names = [path.name.removesuffix(".dist-info") for path in packages.glob("*.dist-info")]
    return {name.partition("-")[0]: name.partition("-")[2] for name in names}


@pytest.mark.parametrize(
    ("setting", "requirements"),
    [
        ("PIP_EXTRA_INDEX_URL", "homeport_private\n"),
        ("TOKEN", "--extra-index-url http://me:${TOKEN}@{host}/simple\nhomeport_private\n"),
    ],
)
def test_a_private_index_with_its_password_in_a_config_var(
    workshop: Workshop, tmp_path: Path, setting: str, requirements: str
) -> None:
    wheel(tmp_path / "wheels", "homeport_private", "1.0")
    with private_index(tmp_path / "wheels", "me", "s3cr3tpw") as host:
        value = "s3cr3tpw" if setting == "TOKEN" else f"http://me:s3cr3tpw@{host}/simple"
        outcome = build(workshop, requirements.replace("{host}", host), {setting: value})
        assert installed(workshop, outcome)["homeport_private"] == "1.0"
        assert "s3cr3tpw" not in outcome.text
        refused = build(workshop, requirements.replace("{host}", host), {setting: value.replace("s3cr3tpw", "wr0ngpw")})
        assert refused.error.id == "requirement_unknown"  # uv does not tell the two apart with several indexes
        assert "a wrong user name or token looks" in refused.text
        assert "wr0ngpw" not in refused.text


def test_the_best_version_of_all_indexes_wins_as_with_pip(workshop: Workshop, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", "six", "1.0.1")
    with private_index(tmp_path / "wheels", "me", "pw") as host:
        outcome = build(workshop, f"--extra-index-url http://me:pw@{host}/simple\nsix==1.16.0\n")
        assert installed(workshop, outcome)["six"] == "1.16.0"


def test_a_folder_of_wheels_in_the_source(workshop: Workshop) -> None:
    source = workshop.source(ANY, {"requirements.txt": "--find-links wheels\nhomeport_local\n"})
    wheel(source / "wheels", "homeport_local", "1.0")
    first = workshop.build(source)
    assert installed(workshop, first)["homeport_local"] == "1.0"
    newer = workshop.source(ANY, {"requirements.txt": "--find-links wheels\nhomeport_local\n"})
    wheel(newer / "wheels", "homeport_local", "2.0")
    assert installed(workshop, workshop.build(newer))["homeport_local"] == "2.0"


def test_a_wheel_in_the_source(workshop: Workshop) -> None:
    source = workshop.source(ANY, {"requirements.txt": "./vendor/homeport_local-1.0-py3-none-any.whl\n"})
    wheel(source / "vendor", "homeport_local", "1.0")
    assert installed(workshop, workshop.build(source))["homeport_local"] == "1.0"


def test_a_package_of_the_source_that_is_copied_follows_its_code(workshop: Workshop) -> None:
    project = "requirements with an editable package"
    files = {"requirements.txt": "./packages/greetings\n"}
    module = "packages/greetings/src/greetings/__init__.py"
    one = workshop.build(workshop.source(project, files))
    two = workshop.build(workshop.source(project, {**files, module: "def hello():\n    return 'New'\n"}))
    assert one.slug.layers != two.slug.layers
    packages = next((workshop.store.path(two.slug.layers[0]) / "lib").glob("python*/site-packages"))
    assert "New" in (packages / "greetings" / "__init__.py").read_text()


@pytest.mark.parametrize("line", ["-e git+file://{repo}@v1#egg=greetings", "greetings @ git+file://{repo}@v1"])
def test_a_package_from_a_git_repository(workshop: Workshop, tmp_path: Path, line: str) -> None:
    repo = tmp_path / "repo"
    source = workshop.source("requirements with an editable package")
    (source / "packages" / "greetings").rename(repo)
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "One"], ["tag", "v1"]):
        subprocess.run([*git, *arguments], cwd=repo, check=True)
    outcome = build(workshop, line.replace("{repo}", str(repo)) + "\n")
    assert installed(workshop, outcome)["greetings"] == "1.0"


def test_a_git_repository_that_is_not_there(workshop: Workshop, tmp_path: Path) -> None:
    outcome = build(workshop, f"greetings @ git+file://{tmp_path}/nothing\n")
    assert outcome.error.id == "git_requirement_failed"


SIX = "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254"


def test_checksums_are_checked(workshop: Workshop) -> None:
    good = build(workshop, f"six==1.16.0 --hash=sha256:{SIX}\n")
    assert installed(workshop, good)["six"] == "1.16.0"
    bad = build(workshop, f"six==1.16.0 --hash=sha256:{'0' * 64}\n", {"HOMEPORT_REPAIR": "auto"})
    assert bad.error.id == "requirement_hash_mismatch"


def test_an_index_that_does_not_answer(workshop: Workshop) -> None:
    env = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    assert build(workshop, "homeport-has-no-such-package\n", env).error.id == "index_unreachable"


def test_a_line_that_cannot_be_parsed(workshop: Workshop) -> None:
    outcome = build(workshop, "six===\n")
    assert outcome.error.id == "requirements_invalid"
    assert "six===" in outcome.error.why


def test_corpora_that_cannot_be_fetched(workshop: Workshop) -> None:
    pins = "click==8.1.7\njoblib==1.4.2\nnltk==3.9.1\nregex==2024.7.24\ntqdm==4.66.4\n"
    env = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "pypi.org,files.pythonhosted.org"}
    outcome = build(workshop, pins, env, **{"nltk.txt": "punkt\nstopwords\n"})
    assert "-----> Downloading NLTK packages: punkt stopwords" in outcome.text
    assert outcome.error.id == "nltk_download_failed"
    without = build(workshop, pins, env)
    assert "'nltk.txt' not found, not downloading any corpora" in without.text
    assert without.slug.layers
