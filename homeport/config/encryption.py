"""Encryption at rest: AES-256-GCM under one key that lives outside the database, in `$HOMEPORT_HOME/secrets`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from homeport.errors import HomeportError

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = b"\x01"


class Vault:
    """Seals maps of names to values. The same map never seals to the same bytes twice."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @staticmethod
    def new_key() -> bytes:
        return AESGCM.generate_key(KEY_BYTES * 8)

    def seal(self, variables: Mapping[str, str]) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        plain = json.dumps(dict(variables), ensure_ascii=False).encode()
        return _FORMAT + nonce + self._cipher.encrypt(nonce, plain, _FORMAT)

    def open(self, sealed: bytes) -> dict[str, str]:
        """Raises `HomeportError` (`vault_key_wrong`) when it was sealed with another key or damaged."""
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            plain = self._cipher.decrypt(nonce, ciphertext, sealed[:1])
        except InvalidTag:
            raise HomeportError(
                "vault_key_wrong",
                "Config vars in the database cannot be decrypted.",
                why="They were encrypted with another key than the one in $HOMEPORT_HOME/secrets/config.key.",
                fix="Restore that file from the backup that the database came from.",
            ) from None
        variables: dict[str, str] = json.loads(plain)
        return variables


def vault(session: Session) -> Vault:
    """The vault of the database that this session belongs to."""
    return Vault(session.info["vault"])
