import os
from pathlib import Path

import pytest

from homeport import accounts
from homeport.config import Vault
from homeport.daemon import lock, secrets
from homeport.errors import HomeportError, Unauthorized
from homeport.home import Home
from homeport.state import Database


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def test_the_home_and_its_secrets_are_private(home: Home) -> None:
    secrets.config_key(home, database_exists=False)
    for path in (home.root, home.secrets, home.run):
        assert path.stat().st_mode & 0o077 == 0
    assert (home.secrets / "config.key").stat().st_mode & 0o077 == 0


def test_a_home_that_cannot_be_made_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HomeportError) as caught:
        Home(tmp_path / "file" / "home").prepare()
    assert caught.value.id == "home_unusable"
    assert "HOMEPORT_HOME" in caught.value.fix


def test_the_key_stays_and_is_never_made_anew_beside_a_database(home: Home) -> None:
    key = secrets.config_key(home, database_exists=False)
    assert secrets.config_key(home, database_exists=True) == key
    (home.secrets / "config.key").unlink()
    with pytest.raises(HomeportError) as caught:
        secrets.config_key(home, database_exists=True)
    assert caught.value.id == "vault_key_missing"


def test_the_first_user_is_made_once_with_a_token_that_works(home: Home) -> None:
    database = Database.open(f"sqlite:///{home.database}", vault=Vault.new_key())
    for _ in range(2):
        with database.session() as session:
            user = secrets.ensure_first_user(session, home, "ada@example.com")
            actor = accounts.authenticate(session, secrets.token_path(home).read_text().strip())
            assert (actor.user.id, user.email) == (user.id, "ada@example.com")
            assert len(accounts.tokens(session, user)) == 1
    assert secrets.token_path(home).stat().st_mode & 0o077 == 0


def test_a_token_whose_start_was_killed_before_the_database_knew_it_works_at_the_next(home: Home) -> None:
    database = Database.open(f"sqlite:///{home.database}", vault=Vault.new_key())
    secrets.token_path(home).write_text("HRKU-written-before-the-crash\n")
    with database.session() as session:
        secrets.ensure_first_user(session, home, None)
        assert accounts.authenticate(session, "HRKU-written-before-the-crash")


def test_a_revoked_token_stays_revoked_and_another_takes_its_place(home: Home) -> None:
    database = Database.open(f"sqlite:///{home.database}", vault=Vault.new_key())
    with database.session() as session:
        user = secrets.ensure_first_user(session, home, None)
        old = secrets.token_path(home).read_text().strip()
        accounts.revoke(session, accounts.tokens(session, user)[0])
    with database.session() as session:
        secrets.ensure_first_user(session, home, None)
        assert accounts.authenticate(session, secrets.token_path(home).read_text().strip())
        with pytest.raises(Unauthorized):
            accounts.authenticate(session, old)


def test_a_second_daemon_is_refused_while_the_first_lives(home: Home) -> None:
    assert lock.holder(home) is None
    with lock.held(home):
        assert lock.holder(home) == os.getpid()
        with pytest.raises(HomeportError) as caught, lock.held(home):
            raise AssertionError("two daemons")
        assert caught.value.id == "daemon_running"
    assert lock.holder(home) is None
