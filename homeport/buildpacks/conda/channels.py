"""From the names of channels to their addresses, by conda's own settings. Pure.

https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/settings.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

INSTEAD = "HOMEPORT_CONDA_CHANNELS"
"""Variable of the daemon, or config var: these channels in the place of all that apps name, for a mirror."""

ALIAS = "https://conda.anaconda.org"
DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")

_TOKEN = re.compile(r"/t/[^/]+/")


def addresses(named: Sequence[str], settings: Mapping[str, str]) -> list[str]:
    """URLs in the order of their priority; conda-forge where nothing is named.

    `settings` are environment variables: CONDA_CHANNELS, CONDA_CHANNEL_ALIAS and CONDA_DEFAULT_CHANNELS as conda
    reads them.
    """
    instead = _listed(settings.get(INSTEAD, ""))
    wanted = instead or list(named) or _listed(settings.get("CONDA_CHANNELS", "")) or ["conda-forge"]
    alias = settings.get("CONDA_CHANNEL_ALIAS", "").strip().rstrip("/") or ALIAS
    found: list[str] = []
    for name in wanted:
        if name == "nodefaults":
            continue
        if name == "defaults":
            found += _listed(settings.get("CONDA_DEFAULT_CHANNELS", "")) or list(DEFAULTS)
        else:
            found.append(name if "://" in name else f"{alias}/{name}")
    return list(dict.fromkeys(url.rstrip("/") for url in found))


def shown(url: str) -> str:
    """An address without the token or password in it."""
    return re.sub(r"://[^/@]*@", "://", _TOKEN.sub("/", url)).removeprefix(f"{ALIAS}/")


def _listed(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,]+", text) if part]
