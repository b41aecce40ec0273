"""What the platform itself takes while nothing happens: the proportional set size (PSS) of all its processes."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from bench.deploys import push
from bench.platform import Platform, Repository
from bench.table import Row, Unit

SETTLE_SECONDS = 3.0


def measure(platform: Platform) -> list[Row]:
    """Without any app, and what one dyno adds besides the app's own processes (a shim)."""
    time.sleep(SETTLE_SECONDS)
    processes = of_platform(platform)
    empty = sum(processes.values())
    parts = ", ".join(f"{name} {size:.0f}" for name, size in by_name(processes).items())

    app = "memory"
    with tempfile.TemporaryDirectory() as scratch:
        platform.run("apps:create", app, "--no-remote")
        push(platform, Repository(Path(scratch) / app, platform.env), app, "first")
    time.sleep(SETTLE_SECONDS)
    shims = {pid: size for pid, size in of_platform(platform).items() if pid not in processes}
    platform.run("apps:destroy", "--app", app, "--confirm", app)
    return [
        Row("idle memory of all platform processes", Unit.MEGABYTES, empty, parts, aim="≤ 120 MB", limit=lambda _: 120),
        Row("  besides, for each running dyno", Unit.MEGABYTES, sum(shims.values())),
    ]


def measure_again(platform: Platform) -> list[Row]:
    """The same after all the other measurements: what use has left behind."""
    time.sleep(SETTLE_SECONDS)
    processes = of_platform(platform)
    parts = ", ".join(f"{name} {size:.0f}" for name, size in by_name(processes).items())
    return [Row("memory when all that is over", Unit.MEGABYTES, sum(processes.values()), parts)]


def of_platform(platform: Platform) -> dict[int, float]:
    """Process id -> PSS in megabytes of the daemon and of every process of its making that is not an app's.

    The router and the shims name the platform's home in their command line; an app's own processes do not: a dyno
    starts what its Procfile says.
    """
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        pid = int(entry.name)
        if pid == platform.pid or (str(platform.home) in command(pid) and not is_app(pid, platform)):
            found[pid] = pss(pid)
    return {pid: size for pid, size in found.items() if size > 0}


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def is_app(pid: int, platform: Platform) -> bool:
    """A dyno's processes have its working copy as their current folder."""
    try:
        folder = os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115 - the text, without following it
    except OSError:
        return False
    return folder.startswith(str(platform.home / "dynos"))


def pss(pid: int) -> float:
    """In megabytes; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def by_name(processes: dict[int, float]) -> dict[str, float]:
    """Megabytes by program, largest first."""
    sizes: dict[str, float] = {}
    for pid, size in processes.items():
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            continue
        sizes[name] = sizes.get(name, 0.0) + size
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))
