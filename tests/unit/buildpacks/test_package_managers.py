from __future__ import annotations

from pathlib import Path

import pytest

from homeport.buildpacks import BuildFailed, FailureId
from homeport.buildpacks.python.package_managers import Manager, determine, looks_like_python


def files(tmp_path: Path, *names: str) -> Path:
    for name in names:
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "manager"),
    [
        ("requirements.txt", Manager.PIP),
        ("Pipfile.lock", Manager.PIPENV),
        ("poetry.lock", Manager.POETRY),
        ("uv.lock", Manager.UV),
        ("pyproject.toml", Manager.PYPROJECT),
    ],
)
def test_one_file_decides(tmp_path: Path, name: str, manager: Manager) -> None:
    assert determine(files(tmp_path, name), {}) is manager


def test_pyproject_is_no_second_one(tmp_path: Path) -> None:
    assert determine(files(tmp_path, "pyproject.toml", "poetry.lock", "setup.py"), {}) is Manager.POETRY


def test_a_conda_file_beside_another_does_not_matter(tmp_path: Path) -> None:
    assert determine(files(tmp_path, "environment.yml", "requirements.txt"), {}) is Manager.PIP


@pytest.mark.parametrize(
    ("names", "config", "failure"),
    [
        (("requirements.txt", "uv.lock"), {}, FailureId.PACKAGE_MANAGER_AMBIGUOUS),
        (("requirements.txt", "Pipfile"), {}, FailureId.LOCKFILE_MISSING),
        ((), {}, FailureId.PACKAGE_MANAGER_MISSING),
        (("environment.yml", "pyproject.toml"), {}, FailureId.CONDA_UNSUPPORTED),
        (("requirements.txt",), {"HOMEPORT_PACKAGE_MANAGER": "poetry"}, FailureId.PACKAGE_MANAGER_UNKNOWN),
        (("requirements.txt",), {"HOMEPORT_PACKAGE_MANAGER": "npm"}, FailureId.PACKAGE_MANAGER_UNKNOWN),
    ],
)
def test_what_is_refused(tmp_path: Path, names: tuple[str, ...], config: dict[str, str], failure: FailureId) -> None:
    with pytest.raises(BuildFailed) as caught:
        determine(files(tmp_path, *names), config)
    assert caught.value.failure is failure
    assert caught.value.fix


def test_a_config_var_decides_between_several(tmp_path: Path) -> None:
    source = files(tmp_path, "requirements.txt", "uv.lock", "Pipfile")
    assert determine(source, {"HOMEPORT_PACKAGE_MANAGER": " UV "}) is Manager.UV


def test_a_linked_requirements_file_counts_if_it_stays_inside(tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("")
    source = tmp_path / "source"
    (source / "requirements").mkdir(parents=True)
    files(source / "requirements", "prod.txt")
    (source / "requirements.txt").symlink_to("requirements/prod.txt")
    assert determine(source, {}) is Manager.PIP
    (source / "requirements.txt").unlink()
    (source / "requirements.txt").symlink_to("../outside.txt")
    with pytest.raises(BuildFailed):
        determine(source, {})


@pytest.mark.parametrize(("name", "python"), [("anything.py", True), ("requirments.txt", True), ("index.js", False)])
def test_detection_is_wider_than_what_can_be_built(tmp_path: Path, name: str, python: bool) -> None:
    assert looks_like_python(files(tmp_path, name)) is python
