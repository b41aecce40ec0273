"""What a disk says, in words that help."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from homeport.errors import HomeportError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def disk_errors_named(what: str, fix: str) -> Iterator[None]:
    """Turn an OSError into `HomeportError` (`disk_full`, `disk_failed`): `what` didn't work, `fix` makes room."""
    try:
        yield
    except OSError as error:
        said = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
        if error.errno in _FULL:
            raise HomeportError("disk_full", f"{what}: the disk is full.", why=f"{said}.", fix=fix) from error
        raise HomeportError(
            "disk_failed", f"{what}: {said}.", fix="See that the folder is there and writable."
        ) from error
