"""`homeport new`: an app to begin with. It needs no platform."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from homeport.cli import layout
from homeport.cli.call import Call

if TYPE_CHECKING:
    from homeport.starters import Starter


def new(call: Call) -> None:
    """With a template: make an app of it. Without: say which there are."""
    from homeport import starters

    if not call.arguments:
        _list(call, starters.STARTERS)
        return
    starter = starters.find(call.arguments[0])
    folder = Path(call.arguments[1] if len(call.arguments) > 1 else f"my-{starter.name}")
    with call.terminal.doing(f"Creating {folder}"):
        name = starters.make(starter, folder, name=call.option("name"))
        committed = _begin_history(folder)
    _say_what_next(call, starter, folder, name, committed=committed)


def _list(call: Call, found: tuple[Starter, ...]) -> None:
    if call.has("json"):
        call.terminal.json([{"name": starter.name, "summary": starter.summary} for starter in found])
        return
    width = max(len(starter.name) for starter in found)
    call.terminal.out(layout.header("Templates", call.terminal.ink))
    for starter in found:
        call.terminal.out(f"{starter.name:<{width}}  {starter.summary}")
    call.terminal.say()
    call.terminal.say("Make an app of one: homeport new flask my-app")


def _begin_history(folder: Path) -> bool:
    """A git repository with a first commit; False where git is missing or does not know who commits."""
    if shutil.which("git") is None:
        return False
    for words in (["init", "--quiet", "--initial-branch", "main"], ["add", "."], ["commit", "--quiet", "-m", "Begin"]):
        if subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False).returncode:
            return False
    return True


def _say_what_next(call: Call, starter: Starter, folder: Path, name: str, *, committed: bool) -> None:
    steps = [f"cd {folder}"]
    if not committed:
        steps.append('git init -b main && git add . && git commit -m "Begin"')
    steps.append(f"homeport create {name}")
    steps += [f"homeport addons:create {addon}" for addon in starter.addons]
    steps += [f"homeport buildpacks:add {buildpack}" for buildpack in starter.buildpacks]
    steps.append("git push heroku main")
    steps += ["homeport ps:scale worker=1"] if "worker" in starter.traits else []
    call.terminal.say("Deploy it:")
    for step in steps:
        call.terminal.say(f"  {step}")
    call.terminal.say("README.md says how to run it on this machine.")
