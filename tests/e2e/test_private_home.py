"""$HOMEPORT_HOME holds every secret of every app: no file in it counts on the folder above to be private."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tests.e2e.platform import Platform
from tests.e2e.projects import hello

# What is made by programs of apps, which find the umask that they are used to; and what is no secret.
OTHERS = ("slugs/layers/", "builds/cache/", "builds/work/", "dynos/")
PUBLIC = {"tls/ca.pem", "tls/bundle.pem"}


def readable_by_others(home: Path) -> list[str]:
    found = []
    for directory, folders, files in os.walk(home):
        for name in [*folders, *files]:
            path = Path(directory, name)
            shown = str(path.relative_to(home))
            try:
                facts = path.lstat()
            except FileNotFoundError:
                continue
            theirs = facts.st_gid != os.getgid() or facts.st_uid != os.getuid()  # of a server's own account
            loose = facts.st_mode & (0o007 if theirs else 0o077)
            is_content = stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode)
            if loose and is_content and shown not in PUBLIC and not shown.startswith(OTHERS):
                found.append(f"{shown} {stat.filemode(facts.st_mode)}")
    return found


def test_nobody_else_can_read_what_the_platform_keeps(platform: Platform, name: str) -> None:
    project = platform.project(name, hello())
    platform.homeport("create", name, cwd=project).ok()
    for service in ("heroku-postgresql", "heroku-redis", "bucketeer", "sentry"):
        platform.homeport("addons:create", service, "-a", name).ok()
    platform.git(project, "push", "heroku", "main").ok()
    platform.eventually(lambda: platform.get(name)[0] == 200, what="the app")
    platform.homeport("pg:backups:capture", "-a", name).ok()
    umask = platform.homeport("run", "-x", "-a", name, "--", "umask").ok().out
    assert umask.strip().endswith("0022"), "apps find what they are used to"
    assert readable_by_others(platform.home) == []
