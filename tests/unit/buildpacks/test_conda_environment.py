from __future__ import annotations

from pathlib import Path

import pytest

from homeport.buildpacks import BuildFailed
from homeport.buildpacks.conda.channels import addresses, shown
from homeport.buildpacks.conda.environment import Environment, looks_like_conda, parse, read
from homeport.buildpacks.conda.explanations import explained

FULL = """\
name: wordcount
prefix: /home/me/miniconda3/envs/wordcount
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.11
  - flask>=2
  - conda-forge::numpy=1.26
  - pip
  - pip:
      - gunicorn==22.0.0
      - -r requirements.txt
      - -e .
variables:
  APP_SETTINGS: staging
  1BAD: x
"""


def test_a_whole_environment() -> None:
    assert parse(FULL) == Environment(
        file="environment.yml",
        specs=("python=3.11", "flask>=2", "conda-forge::numpy=1.26", "pip"),
        channels=("conda-forge", "nodefaults"),
        pip=("gunicorn==22.0.0", "-r requirements.txt"),
        variables={"APP_SETTINGS": "staging"},
        has_itself=True,
    )


@pytest.mark.parametrize("spec", ["python", "python=3.11", "conda-forge::python>=3.9", "python >=3.9"])
def test_python_is_asked_for_once(spec: str) -> None:
    assert parse(f"dependencies: ['{spec}', {{pip: [a]}}]").specs == (spec,)


def test_python_is_asked_for_where_pip_needs_it() -> None:
    assert parse("dependencies: [python-dateutil, {pip: [a]}]").specs == ("python-dateutil", "python")
    assert parse("dependencies: [jq]").specs == ("jq",)


@pytest.mark.parametrize(
    "text",
    ["", "- a", "dependencies: numpy", "dependencies: [[a]]", "dependencies: [{pip: a}]", "dependencies: [{b: [a]}]",
     "dependencies: [a]\nchannels: [1]", "name: x", "a: b: c", "dependencies: [{pip: ['a\\nb']}]"],
)  # fmt: skip
def test_what_is_no_environment(text: str) -> None:
    text = text.replace("'a\\nb'", '"a\\nb"')
    with pytest.raises(BuildFailed) as caught:
        parse(text)
    assert caught.value.id == "conda_environment_invalid"


def test_the_form_of_old_buildpacks(tmp_path: Path) -> None:
    assert not looks_like_conda(tmp_path)
    (tmp_path / "conda-requirements.txt").write_text("# science\nnumpy=1.26  # arrays\n\nscipy\n")
    (tmp_path / "requirements.txt").write_text("flask\n")
    assert looks_like_conda(tmp_path)
    assert read(tmp_path).specs == ("numpy=1.26", "scipy", "python")
    assert read(tmp_path).pip == ("-r requirements.txt",)
    (tmp_path / "environment.yml").write_text("dependencies: [jq]")
    assert read(tmp_path).specs == ("jq",)  # and requirements.txt is for another buildpack
    (tmp_path / "environment.yml").unlink()
    (tmp_path / "conda-requirements.txt").write_text("@EXPLICIT\nhttps://x/y.conda\n")
    with pytest.raises(BuildFailed):
        read(tmp_path)


@pytest.mark.parametrize(
    ("named", "settings", "found"),
    [
        ([], {}, ["https://conda.anaconda.org/conda-forge"]),
        (["bioconda", "nodefaults"], {}, ["https://conda.anaconda.org/bioconda"]),
        (["defaults"], {}, ["https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r"]),
        (["defaults"], {"CONDA_DEFAULT_CHANNELS": "https://a/m/"}, ["https://a/m"]),
        (["x"], {"CONDA_CHANNEL_ALIAS": "https://mirror.example/"}, ["https://mirror.example/x"]),
        ([], {"CONDA_CHANNELS": "a,https://h/b"}, ["https://conda.anaconda.org/a", "https://h/b"]),
        (["x", "y"], {"HOMEPORT_CONDA_CHANNELS": "file:///srv/channel"}, ["file:///srv/channel"]),
        (["a", "a"], {}, ["https://conda.anaconda.org/a"]),
    ],
)
def test_addresses_of_channels(named: list[str], settings: dict[str, str], found: list[str]) -> None:
    assert addresses(named, settings) == found


def test_tokens_of_channels_are_not_shown() -> None:
    assert shown("https://host.example/t/ab-12345/private") == "https://host.example/private"
    assert shown("https://me:secret@host.example/private") == "https://host.example/private"
    assert shown("https://conda.anaconda.org/conda-forge") == "conda-forge"


@pytest.mark.parametrize(
    ("stage", "error", "failure"),
    [
        ("spec", "not a valid spec", "conda_environment_invalid"),
        ("solve", "Cannot solve the request because of: No candidates were found for nope", "conda_solve_failed"),
        ("solve", "error sending request for url (https://x/noarch/repodata.json)", "conda_channel_unreachable"),
        ("install", "failed to fetch x", "conda_install_failed"),
        ("crash", "139", "conda_install_failed"),
    ],
)
def test_failures_have_their_ids(stage: str, error: str, failure: str) -> None:
    assert explained(stage, error, parse(FULL), ["https://h/t/s3cret/c"]).id == failure
    assert "s3cret" not in explained(stage, "x", parse(FULL), ["https://h/t/s3cret/c"]).message


def test_an_export_with_builds_is_told_what_to_do() -> None:
    wanted = parse("dependencies: [libffi=3.4.4=h6a678d5_0]")
    assert "--from-history" in explained("solve", "Cannot solve", wanted, []).fix
