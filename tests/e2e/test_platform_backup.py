"""The drill: a platform is backed up while it runs, its machine is lost, and it goes on from the backup elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import redis

from tests.e2e.platform import HOMEPORT, Platform, Result
from tests.e2e.projects import hello

NAME, CLOSED = "e2e-drill", "e2e-drill-closed"
PEOPLE = """
    CREATE EXTENSION citext;
    CREATE TABLE people (id serial PRIMARY KEY, name citext UNIQUE, born timestamptz, photo bytea);
    INSERT INTO people (name, born, photo)
        SELECT 'n' || g, '2000-01-01'::timestamptz + g * interval '1 hour', decode(md5(g::text), 'hex')
        FROM generate_series(1, 5000) g;
    CREATE VIEW old AS SELECT * FROM people WHERE id < 100;
"""
ROWS = "SELECT md5(string_agg(p::text, '|' ORDER BY id)), max(id), (SELECT count(*) FROM old) FROM people p"

OF_AN_APP = (
    "", "/config-vars", "/releases", "/builds", "/formation", "/domains", "/addons", "/addon-attachments", "/features",
    "/buildpack-installations", "/collaborators", "/scheduler/jobs", "/errors",
)  # fmt: skip
OF_ALL = ("/account", "/account/keys", "/oauth/authorizations", "/apps", "/addons", "/pipelines")


@pytest.fixture
def machines() -> Iterator[Callable[[str], Platform]]:
    """Machines of a test's own."""
    made: list[Platform] = []

    def machine(name: str) -> Platform:
        made.append(Platform(Path(tempfile.mkdtemp(prefix=f"homeport-{name}-"))))
        made[-1].environment = made[-1].base()
        return made[-1]

    yield machine
    for platform in made:
        platform.down()
        shutil.rmtree(platform.folder, ignore_errors=True)


def api(platform: Platform, path: str) -> Any:
    """As any client asks, with the token of the first user."""
    endpoint = platform.endpoint
    headers = {
        "Authorization": f"Bearer {platform.environment['HEROKU_API_KEY']}",
        "Accept": "application/vnd.heroku+json; version=3",
    }
    request = urllib.request.Request(endpoint["url"] + path, headers=headers)
    trust = ssl.create_default_context(cafile=endpoint["ca"])
    try:
        with urllib.request.urlopen(request, timeout=60, context=trust) as said:
            return json.load(said)
    except urllib.error.HTTPError as error:
        return {"status": error.code}


def everything(platform: Platform) -> dict[str, Any]:
    """What the API says of a platform. Left out are ports, which are the machine's, and keys in URLs that expire."""
    paths = [*OF_ALL, *(f"/apps/{app}{path}" for app in (NAME, CLOSED) for path in OF_AN_APP)]
    paths += [
        f"/apps/{NAME}/releases/{item['version']}/config-vars" for item in api(platform, f"/apps/{NAME}/releases")
    ]
    said = json.dumps({path: api(platform, path) for path in paths})
    lasting = re.sub(r"(/help/[a-z]+/[^/]+|/output)/[^\"]+", r"\1/KEY", re.sub(r":\d{4,5}\b", ":PORT", said))
    found: dict[str, Any] = json.loads(lasting)
    return found


def as_before(now: dict[str, Any], then: dict[str, Any]) -> None:
    """Everything is as it was, but for releases that tell apps of other ports of their add-ons."""
    for path, value in then.items():
        found = now[path]
        if path.endswith("/releases"):
            more = [item["description"] for item in found if item["version"] > len(value)]
            assert all(re.fullmatch(r"Update [\w, ]+ by [\w-]+", description) for description in more), more
            found = [item for item in found if item["version"] <= len(value)]
        assert _lasting(found) == _lasting(value), path


def _lasting(value: Any) -> Any:
    """Without which release is current, and when it became so."""
    if isinstance(value, list):
        return [_lasting(item) for item in value]
    if isinstance(value, dict):
        return {
            key: _lasting(item) for key, item in value.items() if key not in ("updated_at", "released_at", "current")
        }
    return value


def variables(platform: Platform) -> dict[str, str]:
    found: dict[str, str] = api(platform, f"/apps/{NAME}/config-vars")
    return found


def store(platform: Platform) -> redis.Redis:
    return redis.Redis.from_url(variables(platform)["REDIS_URL"], decode_responses=True, ssl_cert_reqs=None)


def bucket(platform: Platform) -> Any:
    told = variables(platform)
    session = boto3.session.Session(
        told["BUCKETEER_AWS_ACCESS_KEY_ID"], told["BUCKETEER_AWS_SECRET_ACCESS_KEY"], region_name="us-east-1"
    )
    client = session.resource("s3", endpoint_url=told["BUCKETEER_AWS_ENDPOINT_URL"], verify=platform.endpoint["ca"])
    return client.Bucket(told["BUCKETEER_BUCKET_NAME"])


def objects(platform: Platform) -> dict[str, tuple[str, bytes, dict[str, str]]]:
    found = {item.key: item.get() for item in bucket(platform).objects.all()}
    return {key: (item["ContentType"], item["Body"].read(), item["Metadata"]) for key, item in found.items()}


def people(platform: Platform, cli: str = "homeport") -> str:
    return str(getattr(platform, cli)("pg:psql", "-a", NAME, "-c", ROWS).ok().out)


def fill(platform: Platform) -> None:
    """All that apps can have, and data wherever an add-on keeps any."""
    project = platform.project(NAME, hello("v1"))
    platform.homeport("create", NAME, cwd=project).ok()
    platform.homeport("create", CLOSED, "--no-remote").ok()
    for service in api(platform, "/addon-services"):
        plan = "heroku-redis:premium-0" if service["name"] == "heroku-redis" else service["name"]
        platform.homeport("addons:create", plan, "-a", NAME).ok()
    platform.homeport("pg:psql", "-a", NAME, "-c", PEOPLE).ok()
    store(platform).mset({f"key-{number}": f"value {number}" for number in range(1000)})
    for number in range(20):
        bucket(platform).put_object(
            Key=f"pictures/{number}.png",
            Body=os.urandom(1000),
            ContentType="image/png",
            Metadata={"number": str(number)},
        )
    report(variables(platform)["SENTRY_DSN"])
    platform.eventually(lambda: api(platform, f"/apps/{NAME}/errors"), what="the error in the tracker")
    platform.git(project, "push", "heroku", "main").ok()
    platform.homeport("config:set", "GREETING=good evening", "SECRET=a b$c'd\"é", "-a", NAME).ok()
    (project / "server.py").write_text(hello("v2")["server.py"])
    platform.commit(project, "Second")
    platform.git(project, "push", "heroku", "main").ok()
    platform.homeport("ps:scale", "worker=1", "-a", NAME).ok()
    platform.homeport("domains:add", "www.example.com", "-a", NAME).ok()
    platform.homeport("addons:attach", addon(platform, "heroku-postgresql"), "--as", "SHARED", "-a", CLOSED).ok()
    platform.homeport("maintenance:on", "-a", CLOSED).ok()
    platform.homeport("pg:backups:capture", "-a", NAME).ok()
    platform.homeport("pg:backups:schedule", "DATABASE_URL", "--at", "04:00 Europe/Berlin", "-a", NAME).ok()
    platform.homeport("scheduler:add", "python -V", "--every", "day", "--at", "04:30", "-a", NAME).ok()


def report(dsn: str) -> None:
    """An error, in Sentry's envelope."""
    url = urlsplit(dsn)
    frames = [{"filename": "app.py", "function": "drill", "lineno": 7, "in_app": True}]
    error = {"type": "ArithmeticError", "value": "the drill's own", "stacktrace": {"frames": frames}}
    event_id = uuid.uuid4().hex
    event = {"event_id": event_id, "platform": "python", "level": "error", "exception": {"values": [error]}}
    lines = [{"event_id": event_id}, {"type": "event"}, event]
    request = urllib.request.Request(
        f"{url.scheme}://{url.hostname}:{url.port}/api{url.path}/envelope/",
        data="\n".join(json.dumps(line) for line in lines).encode(),
        headers={"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={url.username}, sentry_client=drill/1.0"},
    )
    urllib.request.urlopen(request, timeout=30).close()


def addon(platform: Platform, service: str) -> str:
    (found,) = [
        item["name"] for item in api(platform, f"/apps/{NAME}/addons") if item["addon_service"]["name"] == service
    ]
    return str(found)


def serves(platform: Platform, version: str) -> bool:
    return platform.get(NAME, "/x") == (200, f"{version} good evening /x\n")


def test_a_platform_moves_to_an_empty_machine(machines: Callable[[str], Platform], tmp_path: Path) -> None:
    old, new = machines("old"), machines("new")
    secret, file = tmp_path / "passphrase", tmp_path / "homeport.tar.zst.age"
    secret.write_text("correct horse battery staple\n")
    old.up()
    fill(old)
    old.eventually(lambda: serves(old, "v2"), what="v2")
    then, pictures, rows = everything(old), objects(old), people(old)
    assert len(pictures) == 20
    ca = (old.home / "tls/ca.pem").read_text()

    made = old.homeport("backup", str(file), "--passphrase-file", str(secret), "--json").ok()
    assert "NOT encrypted" not in made.err
    assert {item["service"] for item in json.loads(made.out)["addons"]} == {
        item["addon_service"]["name"] for item in then["/addons"]
    }
    assert file.stat().st_mode & 0o777 == 0o600
    assert serves(old, "v2"), "the app went on meanwhile"
    assert everything(old) == then, "a backup changes nothing"
    for data in (b"correct horse", b"good evening", b"SQLite"):
        assert data not in file.read_bytes()

    old.homeport("pg:psql", "-a", NAME, "-c", "DELETE FROM people").ok()  # what comes later isn't in it
    key = old.environment["HEROKU_API_KEY"]
    old.down()
    shutil.rmtree(old.home)

    restored = new.homeport("restore", str(file), "--passphrase-file", str(secret)).ok()
    assert "homeport up" in restored.err
    new.up()
    assert new.environment["HEROKU_API_KEY"] == key, "tokens go on"
    assert (new.home / "tls/ca.pem").read_text() == ca, "who trusted the old one trusts this one"
    new.eventually(lambda: serves(new, "v2"), what="v2 on the new machine")
    new.eventually(lambda: settled(new), what="add-ons at their new ports")
    as_before(everything(new), then)
    assert people(new) == rows
    assert people(new, "heroku") == rows
    assert objects(new) == pictures
    kept = store(new)
    assert {name: kept.get(name) for name in kept.scan_iter()} == {
        f"key-{number}": f"value {number}" for number in range(1000)
    }
    assert new.get(CLOSED)[0] == 503, "maintenance"
    dynos = {dyno["type"] for dyno in api(new, f"/apps/{NAME}/dynos")}
    assert dynos == {"web", "worker"}
    goes_on(new, tmp_path)


def settled(platform: Platform) -> bool:
    """Every add-on is where its config vars say."""
    port = str(platform.endpoint["https_port"])
    told = variables(platform)
    try:
        return urlsplit(told["BUCKETEER_AWS_ENDPOINT_URL"]).netloc.endswith(port) and bool(store(platform).ping())
    except redis.ConnectionError:
        return False


def goes_on(platform: Platform, tmp_path: Path) -> None:
    """What people do with a platform, on the restored one."""
    assert "b001" in platform.homeport("pg:backups", "-a", NAME).ok().out
    rows = people(platform)
    platform.homeport("pg:psql", "-a", NAME, "-c", "DELETE FROM people").ok()
    platform.homeport("pg:backups:restore", "b001", "-a", NAME, "--confirm", NAME).ok()
    assert people(platform) == rows, "a backup of the database that came along"
    build = api(platform, f"/apps/{NAME}/builds")[0]["id"]
    assert "Python" in platform.homeport("builds:output", build, "-a", NAME).ok().out
    assert "State changed" in platform.homeport("logs", "-n", "1500", "-a", NAME).ok().out
    checkout = tmp_path / "checkout"
    platform.git(tmp_path, "clone", f"{platform.endpoint['url']}/{NAME}.git", str(checkout)).ok()
    assert platform.git(checkout, "log", "--format=%s").ok().out == "Second\nFirst\n"

    first = next(item for item in api(platform, f"/apps/{NAME}/releases") if item["description"].startswith("Deploy"))
    platform.homeport("rollback", f"v{first['version']}", "-a", NAME).ok()
    platform.eventually(lambda: platform.get(NAME, "/x")[1].startswith("v1 "), what="the older slug")
    (checkout / "server.py").write_text(hello("v3")["server.py"])
    platform.commit(checkout, "Third")
    platform.git(checkout, "push", "origin", "main").ok()
    platform.eventually(lambda: platform.get(NAME, "/x")[1].startswith("v3 "), what="a deploy")


# In bad times. These need no app that runs, but a backup that takes a while.

BALLAST = 60 * 1024**2


@pytest.fixture
def small(machines: Callable[[str], Platform]) -> Platform:
    """A platform with an app, a database, and a large file that nobody knows what to make of."""
    platform = machines("small")
    platform.up()
    platform.homeport("create", NAME, "--no-remote").ok()
    platform.homeport("addons:create", "heroku-postgresql", "-a", NAME).ok()
    platform.homeport("pg:psql", "-a", NAME, "-c", PEOPLE).ok()
    (platform.home / "attic").mkdir()
    (platform.home / "attic/ballast").write_bytes(os.urandom(BALLAST))
    return platform


def backup(platform: Platform, *arguments: str) -> Path:
    made = platform.homeport("backup", *arguments, "--json").ok()
    return Path(json.loads(made.out)["file"])


def limited(platform: Platform, *arguments: str) -> Result:
    """With a disk on which no file can be larger than 10 MB."""
    command = 'ulimit -f 10240 && exec "$@"'
    return platform.run("bash", "-c", command, "bash", str(HOMEPORT), *arguments, environment=platform.base())


def refused(result: Result, error: str) -> None:
    assert result.code != 0
    assert f"Error ID: {error}" in result.err, result.err


def test_a_backup_that_is_cut_short_leaves_nothing_behind(small: Platform, tmp_path: Path) -> None:
    shelf = small.home / "backups"
    kill_in_the_middle(small, ["backup"], lambda: any(shelf.glob(".homeport-backup-*")))
    assert not list(shelf.glob("homeport-*"))
    full = limited(small, "backup", str(tmp_path))
    refused(full, "disk_full")
    assert list(tmp_path.iterdir()) == []
    assert "-a" not in full.out

    made = backup(small)
    assert list(shelf.glob(".homeport-backup-*")) == [], "what the killed one has left"
    assert list((shelf / ".work").iterdir()) == []
    listed = json.loads(small.homeport("backups", "--json").ok().out)["backups"]
    assert [(item["file"], item["verified_at"] is not None) for item in listed] == [(str(made), True)]
    assert "It is whole" in small.homeport("backup", "--verify", str(made)).ok().out
    small.homeport("addons:destroy", addon_name(small), "-a", NAME, "--confirm", NAME).ok()  # the hold has ended
    small.eventually(lambda: not api(small, "/addons"), what="the end of the add-on")

    older = backup(small, "--keep", "1")
    assert list(shelf.glob("homeport-*")) == [older]
    piped = subprocess.run(
        [str(HOMEPORT), "backup", "-"],
        env=small.environment,
        capture_output=True,
        check=True,
    )
    (tmp_path / "piped.tar.zst").write_bytes(piped.stdout)
    assert b"NOT encrypted" in piped.stderr
    small.homeport("backup", "--verify", str(tmp_path / "piped.tar.zst")).ok()
    listing = subprocess.run(
        ["tar", "--zstd", "-tf", str(tmp_path / "piped.tar.zst")], capture_output=True, text=True, check=True
    )
    assert {"head.json", "state.db", "attic/ballast", "manifest.json"} <= set(listing.stdout.splitlines())


def addon_name(platform: Platform) -> str:
    (found,) = api(platform, f"/apps/{NAME}/addons")
    return str(found["name"])


def test_a_restore_touches_nothing_before_it_is_sure_and_can_be_cut_short(
    small: Platform, machines: Callable[[str], Platform], tmp_path: Path
) -> None:
    small.down()
    file = backup(small)  # of a platform that is stopped
    empty = machines("empty")
    for name, error, damage in (
        ("cut", "backup_damaged", lambda data: data[: len(data) // 2]),
        ("flipped", "backup_damaged", lambda data: data[:-1000] + bytes([data[-1000] ^ 1]) + data[-999:]),
        ("else", "backup_damaged", lambda _data: b"something else"),
    ):
        (tmp_path / name).write_bytes(damage(file.read_bytes()))
        refused(empty.homeport("restore", str(tmp_path / name)), error)
        refused(empty.homeport("backup", "--verify", str(tmp_path / name)), error)
    refused(empty.homeport("restore", str(tmp_path / "nowhere")), "backup_unreadable")
    assert {path.name for path in empty.home.iterdir()} <= {"backups", "daemon.lock"}
    refused(small.homeport("restore", str(file)), "home_not_empty")
    refused(small.homeport("restore", str(file), environment=stranger(small)), "home_not_empty")

    kill_in_the_middle(empty, ["restore", str(file)], (empty.home / "restore.json").exists)
    refused(empty.homeport("up", "--detach", "--port", "0", "--http-port", "0"), "restore_unfinished")
    refused(
        empty.homeport("backup"), "no_platform_here" if not (empty.home / "state.db").exists() else "restore_unfinished"
    )
    refused(limited(empty, "restore", str(file)), "disk_full")
    refused(empty.homeport("up", "--detach", "--port", "0", "--http-port", "0"), "restore_unfinished")
    empty.homeport("restore", str(file)).ok()
    assert (empty.home / "attic/ballast").read_bytes() == (small.home / "attic/ballast").read_bytes()
    empty.up()
    empty.eventually(lambda: "5000" in people(empty), what="the database")
    refused(empty.homeport("restore", str(file)), "home_not_empty")


def test_a_fresh_platform_makes_way_for_a_backup(small: Platform, machines: Callable[[str], Platform]) -> None:
    file = backup(small)
    fresh = machines("fresh")
    fresh.up()
    refused(fresh.homeport("restore", str(file)), "daemon_running")
    fresh.down()
    fresh.homeport("restore", str(file)).ok()
    fresh.up()
    fresh.eventually(lambda: "5000" in people(fresh), what="the database")


def stranger(platform: Platform) -> dict[str, str]:
    """With somebody's own folder as $HOMEPORT_HOME."""
    folder = platform.folder / "documents"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    return {**platform.base(), "HOMEPORT_HOME": str(folder)}


def kill_in_the_middle(platform: Platform, arguments: list[str], is_under_way: Callable[[], bool]) -> None:
    """Start the command, and end it as the kernel does when memory is short, once it is under way."""
    process = subprocess.Popen(
        [str(HOMEPORT), *arguments], env=platform.base(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not is_under_way():
        assert process.poll() is None, "it was done before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was done before it could be killed"


def test_a_backup_every_day(small: Platform, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    said = small.homeport("backups:schedule", "--at", "3:30", "--to", str(shelf), "--keep", "2")
    assert "Every day at 03:30" in said.ok().out
    assert "NOT be encrypted" in said.err
    refused(small.homeport("backups:schedule", "--at", "25:00"), "invalid_params")
    settings = small.home / "backups/schedule.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "since": "2020-01-01T00:00:00+00:00"}))

    def made() -> Any:
        found = json.loads(small.homeport("backups", "--json").ok().out)
        outcome = found["last_scheduled"] or {}
        return found if outcome.get("file") else None

    found = small.eventually(made, seconds=120, what="the backup that is due")
    assert [item["file"] for item in found["backups"]] == [found["last_scheduled"]["file"]]
    assert found["backups"][0]["verified_at"] is not None
    assert Path(found["last_scheduled"]["file"]).parent == shelf
    assert "Nothing is backed up" in small.homeport("backups:unschedule").ok().out + small.homeport("backups").ok().out
