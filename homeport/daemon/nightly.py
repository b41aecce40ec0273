"""The loop that makes a backup once a day, if that is wished: `homeport backups:schedule`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from datetime import UTC, datetime

from homeport.backup import Outcome, Schedule, schedule
from homeport.errors import HomeportError
from homeport.home import Home

EVERY_SECONDS = 20.0
LAST_WORDS = 1000

_log = logging.getLogger("homeport")


async def back_up_nightly(home: Home) -> None:
    """Until cancelled."""
    told = ""
    while True:
        try:
            await _look(home)
        except HomeportError as error:
            if error.message != told:  # once, not every time that somebody looks
                _log.error("%s", error.message)
            told = error.message
        except Exception:
            _log.exception("the daily backup is tried again soon")
        await asyncio.sleep(EVERY_SECONDS)


async def _look(home: Home) -> None:
    planned = schedule.read(home)
    if planned is None or not schedule.due(planned, schedule.last(home), datetime.now(UTC).astimezone()):
        return
    # Before it begins: one that takes the machine down with it shall not do so again until tomorrow.
    begun = schedule.now()
    schedule.remember(
        home, Outcome(begun, begun, error="interrupted", message="It was cut short, or is being made now.")
    )
    code, said, words = await _run(home, planned)
    outcome = Outcome(begun, schedule.now(), file=said.get("file"))
    if code == 0:
        _log.info("The daily backup is made and verified: %s", outcome.file)
    else:
        outcome = Outcome(begun, schedule.now(), error="backup_failed", message=words)
        _log.error("The daily backup failed: %s", words)
    schedule.remember(home, outcome)


async def _run(home: Home, planned: Schedule) -> tuple[int, dict[str, str], str]:
    """In a process of its own, as a person would make it; exit code, what it printed as JSON, and its last words."""
    arguments = ["backup", "--json", "--keep", str(planned.keep)]
    arguments += ["--passphrase-file", planned.passphrase_file] if planned.passphrase_file else []
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "homeport", *arguments, planned.to or str(home.backups)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "HOMEPORT_HOME": str(home.root), "NO_COLOR": "1"},
    )
    try:
        out, err = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        raise
    said: dict[str, str] = {}
    with contextlib.suppress(ValueError):
        said = json.loads(out)
    failure = err.decode(errors="replace").rpartition("Error: ")[2]
    return process.returncode or 0, said, " ".join(failure.replace("›", " ").split())[-LAST_WORDS:]
