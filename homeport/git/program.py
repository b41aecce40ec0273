"""Running git, so that nothing of it goes on when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """What a git has answered and said, each as text."""

    code: int
    out: str
    err: str


async def run(*arguments: str, env: Mapping[str, str], folder: Path | None = None) -> Ended:
    """Run git with exactly this environment to its end; if cancelled, kill it with all that it has started.

    It is in a session of its own: what fetches for it would otherwise stay, with the pipes that it inherited.
    """
    process = await asyncio.create_subprocess_exec(
        "git", *arguments, cwd=folder, env=env, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    return Ended(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))
