"""The config vars of a bucket, and where clients reach it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

REGION = "us-east-1"
UNPREFIXED = "AWS_ENDPOINT_URL_S3"
"""What boto3 and the other AWS SDKs read by themselves."""
FIRST = "BUCKETEER"
"""The attachment that the unprefixed variable belongs to."""


def config_vars(secret: Mapping[str, str], name: str) -> dict[str, str]:
    """Bucketeer's own four, and the endpoint, which a client of AWS need not be told.

    Only the attachment called BUCKETEER sets the unprefixed endpoint too, so that code which knows Bucketeer's four
    variables works unchanged; with a bucket under another name, an app's own buckets at AWS stay where they are.
    """
    variables = {
        f"{name}_AWS_ACCESS_KEY_ID": secret["key_id"],
        f"{name}_AWS_SECRET_ACCESS_KEY": secret["password"],
        f"{name}_AWS_REGION": secret.get("region", REGION),
        f"{name}_AWS_ENDPOINT_URL": secret["endpoint"],
        f"{name}_BUCKET_NAME": secret["bucket"],
    }
    if name == FIRST:
        variables[UNPREFIXED] = secret["endpoint"]
    return variables


def endpoint(platform: str) -> str:
    """Where the built-in buckets are, by the platform's address: `https://s3.example.com`, a name of its own; on one
    machine, where names below localhost can't be resolved, `https://localhost:8443/s3`."""
    url = urlsplit(platform)
    host = url.hostname or ""
    if not host.startswith("api."):
        return f"{platform.rstrip('/')}/s3"
    return url._replace(netloc=url.netloc.replace("api.", "s3.", 1)).geturl().rstrip("/")
