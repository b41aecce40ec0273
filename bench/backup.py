"""The platform backed up and restored, beside the tools that read and write the same bytes: tar, zstd, pg_dump.

What is copied are the packages of this checkout (thousands of small files, as in slugs) and a database.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.platform import HOMEPORT, Platform
from bench.table import Row, Unit, middle

APP = "bench-backup"
TURNS = 3
ROWS = 1_000_000
FILL = f"CREATE TABLE words AS SELECT g AS id, md5(g::text) AS word FROM generate_series(1, {ROWS}) g"
DUMP = 'pg_dump --format=custom --file="$1/dump" "$DATABASE"'
TAR = 'tar -C "$HOME_OF" -cf - attic | zstd -q -3 -T1 -f -o "$1/files.tar.zst"'
UNPACK = 'zstd -dc "$1/files.tar.zst" | tar -C "$1" -xf -'
REFILL = 'pg_restore --list "$1/dump" >/dev/null && pg_restore --file=/dev/null "$1/dump"'


def measure(platform: Platform) -> list[Row]:
    platform.run("apps:create", APP)
    platform.run("addons:create", "heroku-postgresql", "-a", APP)
    platform.run("pg:psql", "-a", APP, "-c", FILL)
    url = json.loads(platform.run("config", "-a", APP, "--json"))["DATABASE_URL"]
    packages = Path(sys.prefix)
    try:
        shutil.copytree(packages, platform.home / "attic", symlinks=True)
        with tempfile.TemporaryDirectory() as folder:
            return list(_rows(platform, Path(folder), url))
    finally:
        shutil.rmtree(platform.home / "attic", ignore_errors=True)


def _rows(platform: Platform, folder: Path, url: str) -> Iterator[Row]:
    secret = folder / "passphrase"
    secret.write_text("correct horse battery staple\n")
    tools = {**platform.env, "DATABASE": f"{url}?sslmode=require", "HOME_OF": str(platform.home)}
    write = _floor(f"{TAR} && {DUMP}", folder, tools)
    read = _floor(f'zstd -dc "$1/files.tar.zst" | sha256sum && {REFILL}', folder, tools)
    unpack = _floor(f'mkdir "$1/out" && {UNPACK} && {REFILL}; rm -rf "$1/out"', folder, tools)
    pipe = middle([_seconds(platform, "backup", "-") for _ in range(TURNS)])
    files = [folder / f"{turn}.tar.zst" for turn in range(TURNS)]
    ours = middle([_seconds(platform, "backup", str(file)) for file in files])
    sealed = [folder / f"{turn}.tar.zst.age" for turn in range(TURNS)]
    encrypted = middle([_seconds(platform, "backup", str(file), "--passphrase-file", str(secret)) for file in sealed])
    yield Row("backup, to a pipe", Unit.SECONDS, pipe, "tar | zstd, pg_dump", write, "≤ 2 ×", lambda floor: 2 * floor)
    yield Row("backup, read back", Unit.SECONDS, ours, "and read again", write + read, "≤ 2 ×", lambda floor: 2 * floor)
    yield Row("backup, encrypted, read back", Unit.SECONDS, encrypted, "the same in clear", ours)
    verified = middle([_seconds(platform, "backup", "--verify", str(files[0])) for _ in range(TURNS)])
    yield Row("backup --verify", Unit.SECONDS, verified, "zstd -d | sha256sum, pg_restore to nowhere", read)
    with _another_home(platform) as env:
        took = _seconds(platform, "restore", str(files[0]), env=env)
    yield Row("restore", Unit.SECONDS, took, "verified, zstd -d | tar -x, pg_restore to nowhere", verified + unpack)
    attic = sum(path.lstat().st_size for path in (platform.home / "attic").rglob("*") if not path.is_dir())
    yield Row("backup: files", Unit.MEGABYTES, attic / 1e6, f"{files[0].stat().st_size / 1e6:.0f} MB as a backup")


def _floor(script: str, folder: Path, env: dict[str, str]) -> float:
    """As patient with everything else on the machine as `homeport backup` is."""
    return middle([_time(["nice", "-n10", "bash", "-ec", script, "bash", str(folder)], env) for _ in range(TURNS)])


def _seconds(platform: Platform, *words: str, env: dict[str, str] | None = None) -> float:
    return _time([str(HOMEPORT), *words], env or platform.env)


def _time(words: list[str], env: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(words, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return time.perf_counter() - start


@contextmanager
def _another_home(platform: Platform) -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="homeport-bench-") as folder:
        yield {**platform.env, "HOMEPORT_HOME": f"{folder}/home"}
