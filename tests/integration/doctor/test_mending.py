"""`--fix` on real folders: each mend is made, proved by another look, and taken back when it does not help."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from homeport.doctor import Mended, examine, mend
from homeport.errors import Conflict, HomeportError
from tests.unit.doctor.apps import DJANGO, FLASK, App, changed

NO_GUNICORN = (FLASK["requirements.txt"] or "").replace("gunicorn==27.0.1\n", "")


def app(folder: Path, files: App) -> Path:
    for path, text in changed(files, {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes((text or "").encode())
    return folder


def commit(folder: Path) -> Path:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def mended(folder: Path, *, force: bool = False) -> list[Mended]:
    told: list[Mended] = []
    mend(folder, force=force, told=told.append)
    return told


def test_a_misspelt_procfile_is_renamed(tmp_path: Path) -> None:
    folder = commit(app(tmp_path, changed(FLASK, {"Procfile": None, "procfile": "web: gunicorn app:app\n"})))
    [outcome] = mended(folder)
    assert outcome.diff == "rename from procfile\nrename to Procfile\n"
    assert (folder / "Procfile").read_text() == "web: gunicorn app:app\n"
    assert not (folder / "procfile").exists()
    assert examine(folder).findings == ()


def test_a_missing_procfile_is_written_as_a_build_would_guess_it(tmp_path: Path) -> None:
    folder = app(tmp_path / "flask", changed(FLASK, {"Procfile": None}))
    assert mend(folder).findings == ()
    assert (folder / "Procfile").read_text() == "web: gunicorn app:app\n"
    folder = app(tmp_path / "django", changed(DJANGO, {"Procfile": None}))
    assert mend(folder).findings == ()
    assert (folder / "Procfile").read_text() == "web: gunicorn site1.wsgi\n"


def test_missing_packages_are_added_one_after_the_other(tmp_path: Path) -> None:
    folder = commit(app(tmp_path, changed(FLASK, {"requirements.txt": "Flask==3.1.3\nFlask-SQLAlchemy==3.1.1"})))
    assert [outcome.finding.id for outcome in mended(folder)] == ["server_missing", "postgres_driver"]
    assert (folder / "requirements.txt").read_text() == (
        "Flask==3.1.3\nFlask-SQLAlchemy==3.1.1\ngunicorn\npsycopg[binary]\n"
    )
    assert examine(folder).findings == ()


def test_the_form_of_a_file_stays(tmp_path: Path) -> None:
    before = "# what we need\r\n" + NO_GUNICORN.replace("\n", "\r\n")
    folder = app(tmp_path, changed(FLASK, {"requirements.txt": before}))
    (folder / "requirements.txt").chmod(0o640)
    mended(folder)
    assert (folder / "requirements.txt").read_bytes() == (before + "gunicorn\r\n").encode()
    assert (folder / "requirements.txt").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("fallback", [None, "/instance\n"])
def test_env_is_added_to_gitignore(tmp_path: Path, fallback: str | None) -> None:
    folder = commit(app(tmp_path, changed(FLASK, {".gitignore": fallback})))
    (folder / ".env").write_text("SECRET_KEY=x\n")
    assert "+.env" in mended(folder)[0].diff
    assert (folder / ".gitignore").read_text() == (fallback or "") + ".env\n"
    assert examine(folder).findings == ()


def test_changes_that_are_not_committed_are_refused_and_forced(tmp_path: Path) -> None:
    folder = commit(app(tmp_path, changed(FLASK, {"requirements.txt": NO_GUNICORN})))
    (folder / "requirements.txt").write_text(f"{NO_GUNICORN}redis\n")
    before = content(folder)
    with pytest.raises(Conflict) as refused:
        mended(folder)
    assert refused.value.id == "uncommitted_changes"
    assert "requirements.txt" in refused.value.what
    assert content(folder) == before
    assert len(mended(folder, force=True)) == 1


def test_changes_of_other_files_are_nobodys_business(tmp_path: Path) -> None:
    folder = commit(app(tmp_path, changed(FLASK, {"requirements.txt": NO_GUNICORN})))
    with (folder / "app.py").open("a") as file:
        file.write("# more to come\n")
    assert len(mended(folder)) == 1


def test_a_mend_that_does_not_help_is_taken_back(tmp_path: Path) -> None:
    """A backslash at the end joins the new line to the last one, which says nothing new then."""
    folder = commit(app(tmp_path, changed(FLASK, {"requirements.txt": NO_GUNICORN.rstrip() + " \\\n"})))
    before = content(folder)
    [outcome] = mended(folder)
    assert outcome.finding.id == "server_missing"
    assert outcome.refusal == "It did not help, so it was taken back."
    assert content(folder) == before


def test_a_mend_that_brings_an_error_to_light_is_taken_back(tmp_path: Path) -> None:
    """The Procfile that a build would guess starts gunicorn, whose own file binds it to the wrong port."""
    wrong = 'bind = "127.0.0.1:8000"\n'
    folder = app(tmp_path, changed(FLASK, {"Procfile": None, "gunicorn.conf.py": wrong}))
    before = content(folder)
    [outcome] = mended(folder)
    assert outcome.finding.id == "procfile_missing"
    assert outcome.refusal
    assert content(folder) == before


def test_a_file_in_another_encoding_is_let_be(tmp_path: Path) -> None:
    """PowerShell writes UTF-16; pip and the build read it."""
    folder = app(tmp_path, FLASK)
    (folder / "requirements.txt").write_bytes(NO_GUNICORN.encode("utf-16"))
    [outcome] = mended(folder)
    assert outcome.refusal == "requirements.txt is not in UTF-8."


def test_links_are_not_written_through(tmp_path: Path) -> None:
    folder = app(tmp_path / "app", changed(FLASK, {"requirements.txt": NO_GUNICORN}))
    (folder / "requirements.txt").rename(folder / "real.txt")
    (folder / "requirements.txt").symlink_to("real.txt")
    [outcome] = mended(folder)
    assert outcome.refusal == "requirements.txt is a link."
    assert (folder / "real.txt").read_text() == NO_GUNICORN


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = app(tmp_path, changed(FLASK, {"requirements.txt": NO_GUNICORN}))

    def full(*_: object, **__: object) -> tuple[int, str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)  # root may write anywhere, so a full disk is played
    before = content(folder)
    with pytest.raises(HomeportError) as failed:
        mended(folder)
    assert failed.value.id == "not_writable"
    assert content(folder) == before
