from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.buildpacks import BuildFailed, FailureId
from homeport.buildpacks.procfile import misspelt, parse, read


def test_one_process_type_a_line_in_order() -> None:
    types = parse("web: gunicorn app:app\nworker: celery -A app worker\n").process_types
    assert list(types.items()) == [("web", "gunicorn app:app"), ("worker", "celery -A app worker")]


@pytest.mark.parametrize(
    "text",
    [
        "web: run\r\n",
        "web: run",
        "  web: run  ",
        "web:run",
        "web :\trun",
        "# web: other\n\nweb: run\n",
        "\tweb:  run",
    ],
)
def test_forms_of_the_same_line(text: str) -> None:
    assert parse(text.replace("\r\n", "\n")).process_types == {"web": "run"}


def test_commands_may_hold_colons_and_hashes() -> None:
    text = "web: gunicorn --bind 0.0.0.0:$PORT app:app # not a comment"
    assert parse(text).process_types == {"web": "gunicorn --bind 0.0.0.0:$PORT app:app # not a comment"}


def test_the_last_of_equal_names_wins_and_that_is_said() -> None:
    procfile = parse("web: one\nweb: two\n")
    assert procfile.process_types == {"web": "two"}
    assert procfile.warnings == ["Procfile declares web twice; line 2 wins."]


def test_lines_that_cannot_be_read_are_passed_over_aloud() -> None:
    procfile = parse("web: run\nworker celery\nrelease:\n")
    assert procfile.process_types == {"web": "run"}
    assert [warning.partition(" is not")[0] for warning in procfile.warnings] == [
        "Procfile line 2: worker celery",
        "Procfile line 3: release: (no command after the colon)",
    ]


def test_nothing_but_unreadable_lines_is_an_error_that_shows_them() -> None:
    with pytest.raises(BuildFailed) as caught:
        parse("web gunicorn app:app")
    assert caught.value.failure is FailureId.PROCFILE_INVALID
    assert "line 1: web gunicorn app:app" in caught.value.why


def test_an_empty_procfile_has_no_types() -> None:
    assert parse("\n# soon\n").process_types == {}


def test_web_in_capitals_is_warned_about() -> None:
    assert parse("Web: run").warnings == ["Procfile declares 'Web'; only 'web' in lower case gets web traffic."]


@given(st.text())
def test_any_text_is_either_read_or_refused_in_words(text: str) -> None:
    try:
        types = parse(text).process_types
    except BuildFailed as failure:
        types = {"refused": failure.fix}
    assert all(name and command.strip() for name, command in types.items())


@pytest.mark.parametrize(
    "name",
    ["procfile", "PROCFILE", "Procfile.txt", "procfile.md", "Profcile", "Procfil", "Proccfile", "'Procfile'"],
)
def test_names_that_were_meant_to_be_procfile(name: str) -> None:
    assert misspelt(["README.md", name]) == name


@pytest.mark.parametrize("name", ["Procfile.windows", "Procfile.dev", "profile", "Profile.py", "Dockerfile", "proc"])
def test_names_that_were_not(name: str) -> None:
    assert misspelt([name]) is None


def test_a_byte_order_mark_is_no_part_of_the_name(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_bytes(b"\xef\xbb\xbfweb: run\r\nworker: work\r\n")
    procfile = read(tmp_path)
    assert procfile is not None
    assert procfile.process_types == {"web": "run", "worker": "work"}


def test_no_procfile_is_none(tmp_path: Path) -> None:
    (tmp_path / "Procfile.windows").write_text("web: x")
    assert read(tmp_path) is None


def test_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Procfile").mkdir()
    with pytest.raises(BuildFailed) as caught:
        read(tmp_path)
    assert caught.value.failure is FailureId.PROCFILE_INVALID


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_bytes(b"web: \xff\xfa\n")
    with pytest.raises(BuildFailed) as caught:
        read(tmp_path)
    assert caught.value.failure is FailureId.SOURCE_UNREADABLE


def test_a_link_that_leads_out_of_the_source_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("web: secret")
    source = tmp_path / "source"
    source.mkdir()
    (source / "Procfile").symlink_to("../secret")
    assert read(source) is None
