"""What a signed form may upload (Amazon S3 API Reference, "Browser-Based Uploads Using POST")."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .errors import S3Error, access_denied

FREE = {"x-amz-signature", "signature", "awsaccesskeyid", "policy", "file"}
"""Fields that no condition need name."""


@dataclass(frozen=True)
class Policy:
    """`least` and `most` are bytes of the file."""

    expires: datetime
    conditions: tuple[tuple[str, str, str], ...]
    least: int = 0
    most: int | None = None

    def require(self, fields: Mapping[str, str], now: float) -> None:
        """Raises `S3Error` (`AccessDenied`) unless each condition holds, and each field has one."""
        if now > self.expires.timestamp():
            raise access_denied("Invalid according to Policy: Policy expired.")
        for operator, name, value in self.conditions:
            given = fields.get(name, "")
            if not (given == value if operator == "eq" else given.startswith(value)):
                raise access_denied(f"Invalid according to Policy: Policy Condition failed: [{operator}, ${name}]")
        named = {name for _, name, _ in self.conditions}
        extra = [name for name in fields if name not in named | FREE and not name.startswith("x-ignore-")]
        if extra:
            raise access_denied(f"Invalid according to Policy: Extra input fields: {extra[0][:100]}")

    def require_size(self, size: int) -> None:
        """Raises `S3Error` (`EntityTooSmall`, `EntityTooLarge`)."""
        if self.most is not None and size > self.most:
            raise S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        if size < self.least:
            raise S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")


def parse(text: str) -> Policy:
    """Of the form's field. Raises `S3Error` (`InvalidPolicyDocument`)."""
    try:
        document = json.loads(base64.b64decode(text, validate=True))
        expires = datetime.fromisoformat(document["expiration"])
        least, most, conditions = 0, None, []
        for condition in document["conditions"]:
            if isinstance(condition, list) and str(condition[0]).lower() == "content-length-range":
                least, most = int(condition[1]), int(condition[2])
            else:
                conditions += _conditions(condition)
    except (binascii.Error, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise S3Error("InvalidPolicyDocument", "Invalid Policy: the document is malformed.") from None
    zoned = expires if expires.tzinfo is not None else expires.replace(tzinfo=UTC)
    return Policy(zoned, tuple(conditions), least, most)


def _conditions(condition: Any) -> list[tuple[str, str, str]]:
    if isinstance(condition, dict):
        return [("eq", str(name).lower(), str(value)) for name, value in condition.items()]
    operator, name, value = condition
    if operator.lower() not in ("eq", "starts-with") or not name.startswith("$"):
        raise ValueError(operator)
    return [(operator.lower(), name[1:].lower(), str(value))]
