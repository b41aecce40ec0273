"""What went wrong with a conda environment, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from homeport.buildpacks.conda import channels
from homeport.buildpacks.conda.environment import Environment
from homeport.buildpacks.failures import BuildFailed, FailureId

_UNREACHABLE = re.compile(
    r"error sending request|dns error|[Cc]onnection refused|timed out|[Nn]ot [Ff]ound|40[134]|tcp connect|certificate"
    r"|could not (find|fetch)|failed to fetch|repodata|No such file"
)
_BUILD_STRING = re.compile(r"^[^\s=<>!]+=[^\s=]+=[^\s=]+$")


def explained(stage: str, error: str, wanted: Environment, addresses: Sequence[str]) -> BuildFailed:
    """The failure of one stage of the worker: `spec`, `solve`, `install`, `crash`. Pure."""
    said = "\n".join(f"  {line}" for line in error.strip().splitlines()[:25])[:2500]
    if stage == "spec":
        return BuildFailed(
            FailureId.CONDA_ENVIRONMENT_INVALID,
            f"A dependency in {wanted.file} cannot be read.",
            why=f"conda's form is name, name=1.2, name>=1.2 or channel::name:\n\n{said}",
            fix="Correct it and push again. What only pip knows belongs into the list below `- pip:`.",
        )
    if stage == "solve" and not _conflict(error) and _UNREACHABLE.search(error):
        where = "\n".join(f"  {channels.shown(address)}" for address in addresses)
        return BuildFailed(
            FailureId.CONDA_CHANNEL_UNREACHABLE,
            "A conda channel cannot be read.",
            why=f"The channels, first to last:\n\n{where}\n\nWhat came back:\n\n{said}",
            fix="Check the names below `channels:` and this machine's network. Where there is a mirror, the operator\n"
            f"can set {channels.INSTEAD}, or CONDA_CHANNEL_ALIAS, in the environment of `homeport up`.",
        )
    if stage == "solve":
        return BuildFailed(
            FailureId.CONDA_SOLVE_FAILED,
            f"No set of packages fulfils {wanted.file}.",
            why=said,
            fix=_loosen(wanted),
        )
    return BuildFailed(
        FailureId.CONDA_INSTALL_FAILED,
        "The conda environment could not be installed." if stage == "install" else "Solving the environment crashed.",
        why=said if stage == "install" else "The process that did it ended without a result. It may lack memory.",
        fix="Push again: what was downloaded is kept. If it happens again, `df -h` and `free -h` may show why.",
    )


def _conflict(error: str) -> bool:
    return "Cannot solve" in error or "No candidates" in error or "cannot be installed" in error


def _loosen(wanted: Environment) -> str:
    if any(_BUILD_STRING.match(spec) for spec in wanted.specs):
        return (
            "Some dependencies name a build (name=1.2=h123_0), which other kinds of machines do not have. Write the\n"
            "file again with what you asked for only:\n\n  conda env export --from-history > environment.yml"
        )
    return "Loosen a version, add the channel that has the package, or move what only PyPI has below `- pip:`."
