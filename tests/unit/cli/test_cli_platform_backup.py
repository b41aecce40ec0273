"""`homeport backup` and its kin as terminal sessions: what is wrong is said before anything is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.cli_session import Session


@pytest.fixture(autouse=True)
def _no_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEPORT_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("backup - --json", "A backup on standard output needs a file or a program to go to."),
        ("backup --keep 0", "--keep needs a number from 1 on."),
        ("backups:schedule", "Missing required flag at"),
        ("restore", "Missing 1 required arg"),
    ],
)
def test_wrong_usage(typed: str, said: str) -> None:
    shown = Session({}).type(typed)
    assert shown.code == 2
    assert said in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("backup", "no_platform_here"),
        ("backups:schedule --at 03:30", "no_platform_here"),
        ("backups:unschedule", "no_platform_here"),
        ("backup --verify {folder}/nothing", "backup_unreadable"),
        ("restore {folder}/nothing", "backup_unreadable"),
        ("backup --passphrase-file {folder}/nothing", "passphrase_unusable"),
        ("restore {folder}/empty --passphrase-file {folder}/empty", "passphrase_unusable"),
    ],
)
def test_what_is_not_there(typed: str, error: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    shown = Session({}).type(typed.format(folder=tmp_path))
    assert shown.code == 1
    assert f"Error ID: {error}" in shown.err
    assert not (tmp_path / "home").exists()


def test_no_backups_yet() -> None:
    shown = Session({}).type("backups")
    assert shown.code == 0
    assert "No backups. Make one with homeport backup" in shown.out
    assert "Nothing is backed up by itself." in shown.out
