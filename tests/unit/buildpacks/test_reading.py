"""Files of strangers: what is only glanced at must never end a build."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeport.buildpacks import BuildFailed, Project, env_dir, read_text
from homeport.buildpacks.python import django

LATIN = "# -*- coding: latin-1 -*-\nCAFE = 'Café'\nDEBUG = True\n".encode("latin-1")


def test_settings_in_another_encoding_are_good_python(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "manage.py").write_bytes(b'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n# \xe9\n')
    (tmp_path / "shop" / "settings.py").write_bytes(LATIN)
    assert django.settings_module(tmp_path, "manage.py") == "shop.settings"
    assert "DEBUG = True" in django.settings_text(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")',
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE',\n    'shop.settings')",
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'",
        'os.environ["DJANGO_SETTINGS_MODULE" ]="shop.settings"',
    ],
)
def test_settings_are_named_in_several_ways(line: str, tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text(f"import os\n{line}\n")
    assert django.settings_module(tmp_path, "manage.py") == "shop.settings"


def test_the_name_of_the_settings_is_searched_in_linear_time(tmp_path: Path) -> None:
    """With backtracking this would take hours."""
    (tmp_path / "manage.py").write_text(f"'DJANGO_SETTINGS_MODULE'{' ' * 50_000}]")
    assert django.settings_module(tmp_path, "manage.py") is None


def test_what_the_build_goes_by_must_be_utf_8(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(LATIN)
    with pytest.raises(BuildFailed):
        read_text(tmp_path, "requirements.txt")


def test_env_dir_has_a_file_for_each_config_var_that_can_be_one(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    config = {"GREETING": "hello", str(outside): "x", "../outside": "x", "A/B": "x", "..": "x", "EMPTY": ""}
    (tmp_path / "scratch").mkdir()
    project = Project(
        source=tmp_path, config=config, cache=tmp_path, app_cache=tmp_path, scratch=tmp_path / "scratch", source_id="1"
    )
    folder = Path(env_dir.write(project))
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"GREETING": "hello", "EMPTY": ""}
    assert not outside.exists()
