"""Who asks: AWS Signature Version 4 in headers, URLs and forms, and Version 2 in URLs and forms, which boto3 still
signs by default for us-east-1 (Amazon S3 API Reference, "Authenticating Requests").
"""

from __future__ import annotations

import base64
import calendar
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from .errors import S3Error, access_denied
from .request import Request, escape

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW_SECONDS = 15 * 60
LONGEST_URL_SECONDS = 7 * 24 * 3600
UNSIGNED = "UNSIGNED-PAYLOAD"

SIGNED_V2 = frozenset(
    """accelerate acl analytics cors delete inventory lifecycle location logging metrics notification object-lock
    partNumber policy replication requestPayment response-cache-control response-content-disposition
    response-content-encoding response-content-language response-content-type response-expires restore select
    select-type storageClass tagging torrent uploadId uploads versionId versioning versions website""".split()
)
"""Query parameters that Version 2 signs."""

Secrets = Callable[[str], str | None]
"""The secret of a key id."""


@dataclass(frozen=True)
class Scope:
    """`20260101/us-east-1/s3/aws4_request`"""

    date: str
    region: str

    @property
    def text(self) -> str:
        return f"{self.date}/{self.region}/s3/aws4_request"


@dataclass(frozen=True)
class Signer:
    """Who signed. With `payload` the body's hash is signed too; `key`, `scope`, `time` and `signature` begin the chain
    of chunk signatures."""

    key_id: str
    payload: str = UNSIGNED
    key: bytes = field(default=b"", repr=False)
    scope: str = ""
    time: str = ""
    signature: str = ""


def signer(request: Request, secret_of: Secrets, now: float) -> Signer | None:
    """Who signed the request; None if nobody did. Raises `S3Error` for a signature that isn't right."""
    given = request.headers.get("authorization", "")
    if given.startswith(ALGORITHM):
        return _by_header(request, given, secret_of, now)
    if given:
        raise S3Error("InvalidRequest", f"Sign with {ALGORITHM}: this kind of authorization is not known here.")
    if request.has("X-Amz-Algorithm") or request.has("X-Amz-Signature"):
        return _by_url(request, secret_of, now)
    if request.has("AWSAccessKeyId") or request.has("Signature"):
        return _by_old_url(request, secret_of, now)
    return None


def key_id(request: Request) -> str | None:
    """Whose signature the request says that it bears."""
    given = request.headers.get("authorization", "")
    credential = request.parameter("X-Amz-Credential")
    if given.startswith(ALGORITHM):
        credential = _fields(given).get("Credential", "")
    return credential.rsplit("/", 4)[0] if credential is not None else request.parameter("AWSAccessKeyId")


def of_form(fields: Mapping[str, str], secret_of: Secrets) -> str:
    """The key id that signed a form's policy. `fields` have lower-case names."""
    policy = fields.get("policy", "")
    if "x-amz-signature" in fields:
        key_id, scope = _credential(fields.get("x-amz-credential", ""))
        _require_date(scope, fields.get("x-amz-date", ""))
        key = signing_key(_secret(key_id, secret_of), scope)
        wanted, given = _hex(key, policy), fields["x-amz-signature"]
    elif "signature" in fields:
        key_id = fields.get("awsaccesskeyid", "")
        wanted, given = _old_signature(_secret(key_id, secret_of), policy), fields["signature"]
    else:
        raise access_denied("The form is not signed.")
    _compare(wanted, given)
    return key_id


def signing_key(secret: str, scope: Scope) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in scope.text.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def chain(signer: Signer, previous: str, kind: str, *hashes: str) -> str:
    """The signature of a chunk, or of the trailers, of a body."""
    text = "\n".join((f"{ALGORITHM}-{kind}", signer.time, signer.scope, previous, *hashes))
    return _hex(signer.key, text)


def _by_header(request: Request, given: str, secret_of: Secrets, now: float) -> Signer:
    fields = _fields(given)
    key_id, scope = _credential(fields.get("Credential", ""))
    stamp = request.headers.get("x-amz-date", "")
    _require_date(scope, stamp)
    if abs(_seconds(stamp) - now) > SKEW_SECONDS:
        raise S3Error("RequestTimeTooSkewed", "The difference between the request's time and now is too large.")
    payload = request.headers.get("x-amz-content-sha256")
    if payload is None:
        raise S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    return _check(request, key_id, scope, stamp, fields, payload, secret_of)


def _fields(given: str) -> dict[str, str]:
    """Of the Authorization header. Raises `S3Error` (`InvalidRequest`) for one that is said twice."""
    pairs = [part.strip().partition("=") for part in given.removeprefix(ALGORITHM).split(",")]
    fields = {name: value for name, _, value in pairs}
    if len(fields) != len(pairs):
        raise S3Error("InvalidRequest", "A field of the Authorization header is said twice.")
    return fields


def _by_url(request: Request, secret_of: Secrets, now: float) -> Signer:
    if request.parameter("X-Amz-Algorithm") != ALGORITHM:
        raise S3Error("InvalidArgument", f"X-Amz-Algorithm only supports {ALGORITHM}.")
    key_id, scope = _credential(request.parameter("X-Amz-Credential") or "")
    stamp = request.parameter("X-Amz-Date") or ""
    _require_date(scope, stamp)
    lasts = request.number("X-Amz-Expires", 0, 0, 10**9)
    if not 0 < lasts <= LONGEST_URL_SECONDS:
        raise S3Error("InvalidArgument", "X-Amz-Expires must be between 1 second and a week.")
    _require_valid(_seconds(stamp) - SKEW_SECONDS, _seconds(stamp) + lasts, now)
    fields = {
        "SignedHeaders": request.parameter("X-Amz-SignedHeaders") or "",
        "Signature": request.parameter("X-Amz-Signature") or "",
    }
    payload = request.headers.get("x-amz-content-sha256", UNSIGNED)
    return _check(request, key_id, scope, stamp, fields, payload, secret_of)


def _check(
    request: Request,
    key_id: str,
    scope: Scope,
    stamp: str,
    fields: Mapping[str, str],
    payload: str,
    secret_of: Secrets,
) -> Signer:
    names = fields.get("SignedHeaders", "").split(";")
    queried = {name.lower() for name, _ in request.query}
    unsigned = [name for name in request.headers if name.startswith("x-amz-") and name not in {*names, *queried}]
    if "host" not in names or unsigned:
        raise access_denied(f"There are headers in the request that are not signed: {', '.join(unsigned) or 'host'}")
    key = signing_key(_secret(key_id, secret_of), scope)
    digest = hashlib.sha256(_canonical(request, names, payload).encode()).hexdigest()
    wanted = _hex(key, f"{ALGORITHM}\n{stamp}\n{scope.text}\n{digest}")
    _compare(wanted, fields.get("Signature", ""))
    return Signer(key_id, payload, key, scope.text, stamp, wanted)


def _canonical(request: Request, names: list[str], payload: str) -> str:
    query = sorted((escape(name), escape(value)) for name, value in request.query if name != "X-Amz-Signature")
    return "\n".join(
        (
            request.method,
            _canonical_path(request.path),
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names),
            "",
            ";".join(names),
            payload,
        )
    )


def _canonical_path(path: str) -> str:
    """Escaped in AWS's own way, whichever way the client has: some leave `(` and `!` as they are in URLs."""
    return escape(unquote_to_bytes(path), safe="/")


def _by_old_url(request: Request, secret_of: Secrets, now: float) -> Signer:
    key_id, expires = request.parameter("AWSAccessKeyId") or "", request.parameter("Expires") or ""
    if not (expires.isascii() and expires.isdigit() and len(expires) < 13):
        raise access_denied("Invalid date (should be seconds since epoch): Expires")
    _require_valid(0, int(expires), now)
    hoisted = {name.lower(): value for name, value in request.query}

    def sent(name: str) -> str:
        return request.headers.get(name) or hoisted.get(name, "")

    amazon = sorted(name for name in request.headers if name.startswith("x-amz-"))
    signed = sorted((name, value) for name, value in request.query if name in SIGNED_V2)
    query = "&".join(f"{name}={value}" if value else name for name, value in signed)
    begin = [request.method, sent("content-md5"), sent("content-type"), expires]
    begin += [f"{name}:{' '.join(sent(name).split())}" for name in amazon]
    secret, given = _secret(key_id, secret_of), request.parameter("Signature") or ""
    # botocore leaves an endpoint's own path out of what it signs; others don't.
    paths = [path + (f"?{query}" if query else "") for path in (request.path, request.path_of_bucket)]
    either = [_old_signature(secret, "\n".join((*begin, path))) for path in paths]
    _compare(either[hmac.compare_digest(either[1].encode(), given.encode())], given)
    return Signer(key_id)


def _require_valid(begins: float, ends: float, now: float) -> None:
    if now > ends:
        raise access_denied("Request has expired")
    if now < begins:
        raise access_denied("Request is not yet valid")


def _credential(text: str) -> tuple[str, Scope]:
    parts = text.rsplit("/", 4)
    if len(parts) != 5 or parts[3:] != ["s3", "aws4_request"]:
        raise S3Error("InvalidArgument", "The credential is malformed; expecting KEY/DATE/REGION/s3/aws4_request.")
    return parts[0], Scope(parts[1], parts[2])


def _require_date(scope: Scope, stamp: str) -> None:
    if stamp[:8] != scope.date:
        raise S3Error("InvalidArgument", "The credential's date is not that of the request.")
    _seconds(stamp)


def _seconds(stamp: str) -> float:
    try:
        return calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise access_denied("AWS authentication requires a valid date.") from None


def _secret(key_id: str, secret_of: Secrets) -> str:
    secret = secret_of(key_id)
    if secret is None:
        raise S3Error("InvalidAccessKeyId", "The AWS access key id you provided does not exist in our records.")
    return secret


def _hex(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _old_signature(secret: str, text: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()


def _compare(wanted: str, given: str) -> None:
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise S3Error(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method.",
        )
