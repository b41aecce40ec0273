"""The source folder of a build: whether it can be built at all, and what names its content."""

from __future__ import annotations

import errno
import platform
from functools import cache
from pathlib import Path

from homeport.buildpacks import BuildFailed, FailureId
from homeport.slugs import fingerprint, remove

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def check(source: Path, source_id: str | None) -> str:
    """Take away what is no source, and return what names the content: `source_id`, or a digest of all files.

    Raises `BuildFailed` (`source_empty`).
    """
    git = source / ".git"  # Heroku's builds have no history either
    if git.is_symlink() or git.is_file():
        git.unlink()
    else:
        remove(git)
    if not any(source.iterdir()):
        raise BuildFailed(
            FailureId.SOURCE_EMPTY,
            "The commit that you pushed has no files.",
            why="There is nothing to build.",
            fix="Add your app's files and commit them:\n\n  git add .\n  git commit -m 'Add the app'",
        )
    return source_id or fingerprint(source)


def disk_full() -> BuildFailed:
    return BuildFailed(
        FailureId.BUILD_DISK_FULL,
        "There is no space left on the disk.",
        why="The build needs room for your code and its dependencies.",
        fix="Free some space on this machine (`df -h` shows where it went) and push again.",
    )


@cache
def operating_system() -> str:
    """`Debian GNU/Linux 12 (x86_64)`, in place of the name of Heroku's stack."""
    try:
        release = platform.freedesktop_os_release()
        name = f"{release.get('NAME', 'Linux')} {release.get('VERSION_ID', '')}".strip()
    except OSError:
        name = platform.system()
    return f"{name} ({platform.machine()})"
