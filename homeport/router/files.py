"""Writing files so that a crash at any moment leaves the old content or the new, never half of one."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` in one step. The temporary file lies beside it and never has looser rights than `mode`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)


def write_if_changed(path: Path, content: str, *, mode: int = 0o600) -> bool:
    """Write text only when the file does not have it already; whether it was written."""
    wanted = content.encode()
    try:
        if path.read_bytes() == wanted:
            return False
    except OSError:
        pass
    write_atomically(path, wanted, mode=mode)
    return True
