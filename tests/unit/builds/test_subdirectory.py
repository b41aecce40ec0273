from __future__ import annotations

from pathlib import Path

import pytest

from homeport.buildpacks import BuildFailed, BuiltIn, Remote, Voice
from homeport.builds.subdirectory import Setting, app_folder, candidates, narrow, setting


def tree(source: Path, *names: str) -> Path:
    for name in names:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    return source


def named(value: str, *, binding: bool = True) -> Setting:
    return Setting("HOMEPORT_SOURCE_DIR", value, binding)


@pytest.mark.parametrize(
    "value", ["services/back end", "services/back end/", "./services/back end", "services\\back end"]
)
def test_the_folder_becomes_the_source(tmp_path: Path, value: str) -> None:
    source = tree(tmp_path / "app", "README", "services/back end/app.py", "services/back end/sub/x", "other/y")
    lines: list[str] = []
    assert narrow(source, named(value), Voice(lines.append)) == "services/back end"
    assert sorted(str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()) == ["app.py", "sub/x"]
    assert lines == ["-----> Using the folder services/back end of the repository (HOMEPORT_SOURCE_DIR)"]
    assert [path.name for path in tmp_path.iterdir()] == ["app"]


@pytest.mark.parametrize("value", [".", "./", "", "././"])
def test_the_top_is_the_top(tmp_path: Path, value: str) -> None:
    assert narrow(tree(tmp_path / "app", "x"), named(value), Voice(lambda _line: None)) == ""
    assert (tmp_path / "app" / "x").exists()


@pytest.mark.parametrize(
    "value", ["missing", "..", "a/../..", "/etc", "/a", "a/file", "out", "loop", "out/sub", "inner", "a\0b", "x" * 300]
)
def test_what_is_no_folder_of_the_source(tmp_path: Path, value: str) -> None:
    source = tree(tmp_path / "app", "a/file", "backend/requirements.txt", "web/client/package.json")
    tree(tmp_path / "outside", "sub/requirements.txt")
    (source / "out").symlink_to(tmp_path / "outside")
    (source / "loop").symlink_to("loop")
    (source / "inner").symlink_to("a")
    with pytest.raises(BuildFailed) as caught:
        narrow(source, named(value), Voice(lambda _line: None))
    assert caught.value.id == "source_dir_invalid"
    assert "\n  backend\n  web/client" in caught.value.why
    assert "git subtree push" in caught.value.fix
    assert (source / "a" / "file").exists()


def test_a_variable_that_may_mean_something_else_does_not_refuse_a_push(tmp_path: Path) -> None:
    lines: list[str] = []
    assert narrow(tree(tmp_path / "app", "x"), named("/srv/data", binding=False), Voice(lines.append)) == ""
    assert "names no folder of this commit" in "\n".join(lines)


def test_which_setting_counts() -> None:
    ours, fork = BuiltIn.SUBDIR, Remote("https://github.com/someone/heroku-buildpack-subdir", archive=False)
    assert setting({}, []) is None
    assert setting({"HOMEPORT_SOURCE_DIR": " "}, []) is None
    assert setting({"PROJECT_PATH": "b"}, [BuiltIn.PYTHON]) == Setting("PROJECT_PATH", "b", binding=False)
    assert setting({"PROJECT_PATH": "b"}, [ours, BuiltIn.PYTHON]) == Setting("PROJECT_PATH", "b", binding=True)
    assert setting({"PROJECT_PATH": "b"}, [fork, BuiltIn.PYTHON]) is None  # it does it itself
    both = {"PROJECT_PATH": "b", "HOMEPORT_SOURCE_DIR": "a"}
    assert setting(both, [ours]) == Setting("HOMEPORT_SOURCE_DIR", "a", binding=True)
    with pytest.raises(BuildFailed) as caught:
        setting({}, [ours])
    assert "config:set PROJECT_PATH" in caught.value.fix


def test_candidates_are_apps_that_are_not_too_deep(tmp_path: Path) -> None:
    tree(
        tmp_path, "Procfile", "a/b/c/requirements.txt", "a/b/c/d/Procfile", "z/manage.py", "node_modules/x/package.json"
    )
    assert candidates(tmp_path) == ["a/b/c", "z"]


def test_what_is_read_before_the_build_is_read_where_the_app_is(tmp_path: Path) -> None:
    source = tree(tmp_path / "app", "shop/app.json", "app.json")
    (source / "link").symlink_to("/etc")
    assert app_folder(source, {"HOMEPORT_SOURCE_DIR": "shop/"}) == source / "shop"
    assert app_folder(source, {"PROJECT_PATH": "shop"}) == source / "shop"
    for wrong in ("", "missing", "../app", "link", "shop/../..", "/etc", "\0"):
        assert app_folder(source, {"HOMEPORT_SOURCE_DIR": wrong}) == source
