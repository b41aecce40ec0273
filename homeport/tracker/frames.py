"""Frames of a traceback: whose code they are, and what they are called whatever line and machine they stand on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from homeport.tracker import reading

_LIBRARIES = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages)/|(?:^|/)lib(?:64)?/python\d(?:\.\d+)?/|(?:^|/)\.heroku/python/|^<frozen "
)
_HOMES = re.compile(r"^(?:.*/dynos/[^/]+/app|/app)/")
"""Where an app's code lies: in a dyno's folder of its own, which is another one each time."""
_SUFFIX = re.compile(r"\.(?:py|pyc|pyx|so)$")
_VARIABLE = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|0x[0-9a-fA-F]+|\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\d+"
)


@dataclass(frozen=True)
class Frame:
    """One call. `file` is the name to show, `path` where it lies; `line` 0 is unknown."""

    file: str
    path: str
    module: str
    function: str
    line: int
    in_app: bool

    @property
    def place(self) -> str:
        """The file by a name that is the same in every dyno: `shop/views`."""
        name = self.module.replace(".", "/") if self.module not in ("", "__main__") else ""
        name = name or _SUFFIX.sub("", _HOMES.sub("", self.path or self.file))
        return without_variables(name.removesuffix("/__init__").lstrip("/"))

    @property
    def called(self) -> str:
        return without_variables(self.function)


def read(raw: Mapping[str, Any]) -> Frame:
    """A frame as an SDK sends it."""
    path = reading.text(raw.get("abs_path"), 500) or reading.text(raw.get("filename"), 500)
    file = reading.text(raw.get("filename"), 500) or path
    in_app = raw.get("in_app")
    return Frame(
        file=file,
        path=path,
        module=reading.text(raw.get("module"), 200),
        function=reading.text(raw.get("function"), 200),
        line=reading.number(raw.get("lineno")),
        in_app=in_app if isinstance(in_app, bool) else is_own(path),
    )


def is_own(path: str) -> bool:
    """Whether a file is the app's own rather than a library's."""
    return bool(path) and not path.startswith("<") and _LIBRARIES.search(path) is None


def shown(path: str) -> str:
    """A path without the folder of the dyno that it was in."""
    return _HOMES.sub("", path)


def without_variables(text: str) -> str:
    """What varies from one event to the next (numbers, ids, addresses) as `#`."""
    return _VARIABLE.sub("#", text)


def without_repetition(keys: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Calls in their order, each cycle of up to three that repeats itself once: recursion is never equally deep."""
    kept: list[tuple[str, str]] = []
    for key in keys:
        kept.append(key)
        for size in (1, 2, 3):
            if len(kept) >= 2 * size and kept[-size:] == kept[-2 * size : -size]:
                del kept[-size:]
                break
    return kept
