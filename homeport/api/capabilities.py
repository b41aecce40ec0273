"""URLs that are their own key: whoever was given one may use it, without a token, for that one thing.

The official CLI and its plugins fetch build output and upload sources without credentials.
"""

from __future__ import annotations

import hmac
import os


class Capabilities:
    """Signs what a URL is for, under a key of this process.

    After a restart the URLs given out before are worth nothing, which is right: a build does not survive one either,
    and asking for it again gives a new URL.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)

    def sign(self, purpose: str, subject: str) -> str:
        return hmac.digest(self._key, f"{purpose}\0{subject}".encode(), "sha256").hex()

    def allows(self, signature: str, purpose: str, subject: str) -> bool:
        return hmac.compare_digest(self.sign(purpose, subject).encode(), signature.encode())
