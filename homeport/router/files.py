"""Writing files that HAProxy is told of, when they are others than before."""

from __future__ import annotations

from pathlib import Path

from homeport.home import write_whole


def write_if_changed(path: Path, content: str, *, mode: int = 0o600) -> bool:
    """Write text only when the file does not have it already; whether it was written."""
    wanted = content.encode()
    try:
        if path.read_bytes() == wanted:
            return False
    except OSError:
        pass
    write_whole(path, wanted, mode=mode)
    return True
