"""Events as SDKs send them, made from a few words."""

from __future__ import annotations

import uuid
from typing import Any

NOW = 1_790_000_000.0

Raw = dict[str, Any]


def frame(file: str = "shop/views.py", function: str = "pay", line: int = 12, **more: Any) -> Raw:
    """A frame of the app's own code, in a dyno's folder."""
    module = file.removesuffix(".py").replace("/", ".")
    path = f"/home/dynos/1234/app/{file}"
    return {
        "filename": file, "abs_path": path, "module": module, "function": function, "lineno": line, "in_app": True,
        "context_line": "    charge(card)", **more,
    }  # fmt: skip


def library(function: str = "inner", line: int = 100) -> Raw:
    file = "site-packages/flask/app.py"
    return frame(file, function, line, abs_path=f"/app/.heroku/python/lib/python3.11/{file}", in_app=False)


def raised(type_: str = "KeyError", value: str = "'price'", *frames: Raw) -> Raw:
    return {"type": type_, "value": value, "stacktrace": {"frames": list(frames) or [library(), frame()]}}


def crash(*chain: Raw, **more: Any) -> Raw:
    return {
        "event_id": uuid.uuid4().hex,
        "timestamp": NOW,
        "platform": "python",
        "level": "error",
        "exception": {"values": list(chain) or [raised()]},
        **more,
    }


def message(template: str, params: list[Any] | None = None, **more: Any) -> Raw:
    entry = {"message": template, "params": params or []}
    return {"event_id": uuid.uuid4().hex, "timestamp": NOW, "level": "error", "logentry": entry, **more}
