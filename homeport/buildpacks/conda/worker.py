"""Solves and installs a conda environment, in a process of its own.

The library may crash when its process ends, after all the work was done, so that the exit code means nothing. What
counts is the result file, which is written last and by one rename.

    python -m homeport.buildpacks.conda.worker REQUEST RESULT
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    request = json.loads(Path(sys.argv[1]).read_text())
    result = Path(sys.argv[2])
    try:
        answer = asyncio.run(make(request))
    except BaseException as error:  # the library's panics are no Exceptions
        answer = {"stage": getattr(error, "stage", "solve"), "error": f"{type(error).__name__}: {error}"}
    draft = result.with_name(f"{result.name}.draft")
    draft.write_text(json.dumps(answer))
    draft.replace(result)
    sys.stdout.flush()
    os._exit(0)


async def make(request: dict[str, Any]) -> dict[str, Any]:
    """Do what the request says; answers the packages, or at which stage it failed and why."""
    from rattler import Channel, ChannelPriority, Gateway, MatchSpec, VirtualPackage, install, solve

    specs = []
    for spec in request["specs"]:
        try:
            specs.append(MatchSpec(spec))
        except Exception as error:
            return {"stage": "spec", "error": f"{spec}: {error}"}
    cache = Path(request["cache"])
    try:
        records = await solve(
            [Channel(url) for url in request["channels"]],
            specs,
            gateway=Gateway(cache_dir=cache / "repodata"),
            virtual_packages=VirtualPackage.detect(),
            channel_priority=ChannelPriority.Strict if request["strict"] else ChannelPriority.Disabled,
        )
    except Exception as error:
        return {"stage": "solve", "error": str(error)}
    for record in sorted(records, key=lambda record: record.name.normalized):
        sys.stdout.write(f" + {record.name.normalized} {record.version} {record.build}\n")
    sys.stdout.flush()
    try:
        await install(
            records,
            target_prefix=request["draft"],
            alternative_target_prefix=request["prefix"],
            cache_dir=cache / "packages",
            execute_link_scripts=False,
            show_progress=False,
        )
    except Exception as error:
        return {"stage": "install", "error": str(error)}
    return {"packages": {record.name.normalized: str(record.version) for record in records}}


if __name__ == "__main__":
    main()
