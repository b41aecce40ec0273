"""A backup while people work: what comes back is one moment, and names nothing that is not there."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from homeport import apps, backup, state
from homeport.addons.fake import FakeProvider
from homeport.backup import interpreters
from homeport.config import Vault
from homeport.errors import HomeportError, Invalid
from homeport.home import Home
from homeport.state import Addon, Database
from homeport.state.database import MIGRATIONS
from tests.integration.backup.house import House, git, restored

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(Home(tmp_path / "old"))
    yield made
    made.close()


def test_all_of_it_comes_back(house: House, tmp_path: Path) -> None:
    house.push(house.shop, "first")
    house.push(house.shop, "second")
    database = house.add(house.shop, words="all of them")
    dump = house.keep_dump(database)
    (house.home.logs / "apps" / house.shop.id).mkdir(parents=True)
    (house.home.logs / "apps" / house.shop.id / "current.log").write_text("1 line\n")
    (house.home.builds / "output").mkdir()
    (house.home.builds / "output" / "1.log").write_text("-----> Building\n")
    (house.home.builds / "cache" / "uv").mkdir(parents=True)
    (house.home.builds / "cache" / "salt").write_bytes(b"salt")
    (house.home.addons / "sentry").mkdir()
    (house.home.addons / "sentry" / "external-dsn").write_text("https://key@sentry.example.com/1")
    (house.home.backups / "schedule.json").parent.mkdir(exist_ok=True)
    (house.home.backups / "schedule.json").write_text("{}")
    (house.home.root / "what-nobody-thought-of").mkdir()
    (house.home.root / "what-nobody-thought-of" / "file").write_text("kept")

    new, provider = Home(tmp_path / "new"), FakeProvider()
    made = restored(house.take(), new, provider)
    assert made.manifest.apps == ("shop",)
    assert provider.data == {database.id: {"words": "all of them"}}
    assert (new.addons / "backups" / dump.name).read_text() == "PGDMP"
    same = (
        "secrets/config.key", "secrets/token", "tls/ca.key", "slugs/layers/first/app.py", "builds/output/1.log",
        "what-nobody-thought-of/file", "builds/cache/salt", "addons/sentry/external-dsn", "backups/schedule.json",
        f"logs/apps/{house.shop.id}/current.log",
    )  # fmt: skip
    for path in same:
        assert (new.root / path).read_bytes() == (house.home.root / path).read_bytes()
    for path in ("builds/cache/uv", "restore.json"):
        assert not (new.root / path).exists()
    assert git("-C", str(new.repositories / f"{house.shop.id}.git"), "log", "--format=%s") == "second\nfirst\n"
    git("-C", str(new.repositories / f"{house.shop.id}.git"), "fsck", "--strict")
    assert (new.secrets / "token").stat().st_mode & 0o077 == 0
    assert new.root.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(new.database)) as now, closing(sqlite3.connect(house.home.database)) as then:
        assert list(now.iterdump()) == list(then.iterdump())


def test_what_is_made_and_destroyed_meanwhile_leaves_one_moment(house: House, tmp_path: Path) -> None:
    house.push(house.shop, "first")
    doomed, kept = house.add(house.shop, fate="destroyed"), house.add(house.shop, fate="kept")

    def busy() -> None:
        house.during = lambda: None
        house.push(house.create("late"), "late-layer")
        house.add(house.create("later"), too="late")
        asyncio.run(house.addons.destroy(doomed, by=house.ada))
        with house.database.session() as session:
            apps.destroy(session, apps.find(session, "shop"))

    house.during = busy
    file = house.take()
    assert house.examine(file, tmp_path / "examine").apps == ("shop",)
    file.seek(0)
    provider = FakeProvider()
    new = Home(tmp_path / "new")
    restored(file, new, provider)
    assert provider.data == {doomed.id: {"fate": "destroyed"}, kept.id: {"fate": "kept"}}
    assert {path.name for path in (new.slugs / "layers").iterdir()} == {"first"}
    asyncio.run(house.addons.sync())
    assert doomed.id not in house.provider.made, "afterwards it goes"


def test_a_database_backup_that_is_deleted_meanwhile_comes_along(house: House, tmp_path: Path) -> None:
    dump = house.keep_dump(house.add(house.shop))
    house.during = lambda: dump.unlink(missing_ok=True)
    file = house.take()
    new = Home(tmp_path / "new")
    restored(file, new, FakeProvider())
    assert (new.addons / "backups" / dump.name).read_text() == "PGDMP"


def test_a_database_backup_without_its_file_is_forgotten(house: House, tmp_path: Path) -> None:
    addon = house.add(house.shop)
    gone, there = house.keep_dump(addon), house.keep_dump(addon)
    gone.unlink()
    file = house.take()
    assert len(house.transfers()) == 2, "the platform's own state is left alone"
    house.examine(file, tmp_path / "examine")
    file.seek(0)
    new = Home(tmp_path / "new")
    restored(file, new, FakeProvider())
    with closing(sqlite3.connect(new.database)) as connection:
        assert list(connection.execute("SELECT id FROM transfers")) == [(there.stem,)]


def test_a_push_under_way_is_left_out(house: House, tmp_path: Path) -> None:
    house.push(house.shop, "first")
    repository = house.home.repositories / f"{house.shop.id}.git"
    (repository / "objects" / "incoming-abc").mkdir()
    (repository / "objects" / "incoming-abc" / "pack").write_text("half")
    (repository / "refs" / "heads" / "main.lock").write_text("")
    new = Home(tmp_path / "new")
    restored(house.take(), new, FakeProvider())
    copied = new.repositories / repository.name
    assert not (copied / "objects" / "incoming-abc").exists()
    assert not (copied / "refs" / "heads" / "main.lock").exists()
    git("-C", str(copied), "fsck", "--strict")


def test_a_layer_that_was_lost_long_ago_is_said_and_keeps_nothing_back(house: House, tmp_path: Path) -> None:
    house.push(house.shop, "first")
    house.push(house.shop, "second")
    shutil.rmtree(house.home.slugs / "layers" / "first")
    found = house.examine(house.take(), tmp_path / "examine")
    assert len(found.warnings) == 1
    assert "first" in found.warnings[0]


def test_a_backup_that_fails_leaves_the_work_folder_empty(house: House) -> None:
    house.add(house.shop)

    def fail() -> None:
        raise HomeportError("dump_failed", "The database could not be dumped.")

    house.during = fail
    with pytest.raises(HomeportError) as refused:
        house.take()
    assert refused.value.id == "dump_failed"
    assert list((house.home.backups / ".work").iterdir()) == []


def test_a_state_that_another_key_sealed_is_noticed_at_once(house: House) -> None:
    (house.home.secrets / "config.key").write_bytes(Vault.new_key())
    with pytest.raises(HomeportError) as refused:
        house.take()
    assert refused.value.id == "vault_key_wrong"


def test_data_that_cannot_be_restored_are_noticed_before_anything_is_touched(house: House, tmp_path: Path) -> None:
    house.add(house.shop)
    house.provider.data = {}
    file = house.take()
    provider = FakeProvider()

    async def refuse(*_: object) -> None:
        raise Invalid("The backup is damaged.", id="archive_damaged")

    provider.examine = refuse  # type: ignore[assignment, method-assign]
    new = Home(tmp_path / "new")
    with pytest.raises(Invalid):
        restored(file, new, provider)
    assert [path.name for path in new.root.iterdir()] == ["backups"]


def test_an_older_schema_is_brought_up_to_date(house: House, tmp_path: Path) -> None:
    """As an older Homeport has left it."""
    house.close()
    house.home.database.unlink()
    engine = create_engine(f"sqlite:///{house.home.database}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.commit()
    engine.dispose()
    new = Home(tmp_path / "new")
    restored(house.take(), new, FakeProvider())
    with closing(sqlite3.connect(new.database)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (state.revision(),)


def test_a_restore_that_failed_has_to_be_done_again(house: House, tmp_path: Path) -> None:
    database = house.add(house.shop, words="all")
    file = house.take()
    provider, new = FakeProvider(), Home(tmp_path / "new")
    provider.fails = HomeportError("cluster_not_made", "PostgreSQL could not make its data folder.")
    with pytest.raises(HomeportError):
        restored(file, new, provider)
    with pytest.raises(HomeportError) as refused:
        backup.require_finished(new)
    assert refused.value.id == "restore_unfinished"
    (new.root / "secrets" / "leftover").write_text("of the first attempt")

    backup.require_room(new)
    file.seek(0)
    restored(file, new, provider)
    backup.require_finished(new)
    assert provider.data == {database.id: {"words": "all"}}
    assert not (new.root / "secrets" / "leftover").exists()


def test_a_home_in_use_is_refused(house: House, tmp_path: Path) -> None:
    with pytest.raises(HomeportError, match="in use") as refused:
        backup.require_room(house.home)
    assert "one app" in refused.value.why
    strange = Home(tmp_path / "strange")
    (strange.root / "letters").mkdir(parents=True)
    with pytest.raises(HomeportError, match="in use"):
        backup.require_room(strange)
    broken = Home(tmp_path / "broken")
    broken.root.mkdir()
    broken.database.write_bytes(b"not a database, but perhaps it was one" * 100)
    with pytest.raises(HomeportError, match="in use"):
        backup.require_room(broken)


def test_an_empty_home_and_a_platform_without_apps_have_room(tmp_path: Path) -> None:
    backup.require_room(Home(tmp_path / "none"))
    fresh = Home(tmp_path / "fresh")
    fresh.prepare()
    asyncio.run(Database.open(f"sqlite:///{fresh.database}", vault=Vault.new_key()).close())
    (fresh.root / "daemon.lock").touch()
    backup.require_room(fresh)


def test_addons_that_nobody_has_yet_or_any_more_bring_no_data(house: House, tmp_path: Path) -> None:
    waiting, unwanted = house.add(house.shop), house.add(house.shop)
    with house.database.session() as session:
        session.get_one(Addon, waiting.id).state = "provisioning"
        session.get_one(Addon, unwanted.id).state = "deprovisioned"
    assert house.examine(house.take(), tmp_path / "examine").addons == ()


def test_layers_find_their_python_on_another_machine(tmp_path: Path) -> None:
    old, home = tmp_path / "old", Home(tmp_path / "new")
    fetched = home.builds / "cache/pythons/cpython-3.11.4/bin/python3.11"
    fetched.parent.mkdir(parents=True)
    fetched.write_text("#!/bin/sh\n")
    fetched.chmod(0o755)
    targets = {
        "came-along": old / "builds/cache/pythons/cpython-3.11.4/bin/python3.11",
        "like-it": Path("/gone/pyenv/versions/3.11.2/bin/python3.11"),
        "orphan": Path("/gone/python3.4"),
        "fine": Path(os.path.realpath("/bin/sh")),
    }
    for name, target in targets.items():
        layer = home.slugs / "layers" / name
        (layer / "bin").mkdir(parents=True)
        (layer / "bin" / "python").symlink_to(target)
        (layer / "pyvenv.cfg").write_text(f"home = {target.parent}\nversion_info = 3.11\n")
    orphans = interpreters.relink(home, old)
    assert [(orphan.layer, orphan.python) for orphan in orphans] == [("orphan", "python3.4")]
    layers = home.slugs / "layers"
    assert (layers / "came-along/bin/python").readlink() == fetched
    assert (layers / "came-along/pyvenv.cfg").read_text() == f"home = {fetched.parent}\nversion_info = 3.11\n"
    assert (layers / "like-it/bin/python").exists()
    assert (layers / "like-it/bin/python").readlink().name == "python3.11"
    assert (layers / "fine/bin/python").readlink() == targets["fine"]
