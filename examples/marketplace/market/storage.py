"""Where pictures are kept. A dyno's own disk is gone with the dyno, so in production that is a bucket."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from flask import Flask, current_app, send_from_directory, url_for
from flask.typing import ResponseReturnValue

from . import tracking
from .pictures import Picture

FOREVER = "public, max-age=31536000, immutable"  # a name is never used for another picture


class Unavailable(Exception):
    """The pictures cannot be reached now. It has been reported."""


class Storage(Protocol):
    def put(self, name: str, content: bytes) -> None: ...
    def delete(self, name: str) -> None: ...
    def url(self, name: str) -> str: ...


class Bucket:
    """The bucketeer add-on, or any other S3. What lies under public/ can be read by everybody, without a signature.

    boto3 reads AWS_ENDPOINT_URL_S3 itself; without it the bucket is at Amazon.
    """

    def __init__(self, name: str, **credentials: str) -> None:
        patience = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 2, "mode": "standard"})
        self.name = name
        self.client = boto3.client("s3", config=patience, **credentials)

    def put(self, name: str, content: bytes) -> None:
        self._ask("put_object", name, Body=content, ContentType="image/jpeg", CacheControl=FOREVER)

    def delete(self, name: str) -> None:
        self._ask("delete_object", name)

    def url(self, name: str) -> str:
        # The client knows how its endpoint names buckets, in the host or in the path. It signs without asking anybody;
        # the signature is cut off, for public/ needs none.
        signed: str = self.client.generate_presigned_url(
            "get_object", Params={"Bucket": self.name, "Key": f"public/{name}"}
        )
        return signed.partition("?")[0]

    def _ask(self, operation: str, name: str, **options: Any) -> None:
        try:
            getattr(self.client, operation)(Bucket=self.name, Key=f"public/{name}", **options)
        except (Boto3Error, BotoCoreError, ClientError) as error:
            tracking.notice("the bucket failed", error, operation=operation, name=name)
            raise Unavailable from error


class Folder:
    """Pictures on the disk, for development and tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def url(self, name: str) -> str:
        return url_for("picture", name=name)


def init_app(app: Flask) -> None:
    bucket, folder = app.config["BUCKET"], Path(app.instance_path) / "pictures"
    app.extensions["storage"] = Bucket(**bucket) if bucket else Folder(app.config.get("PICTURES", folder))
    app.add_url_rule("/pictures/<path:name>", "picture", picture)
    app.jinja_env.globals["picture_url"] = url


def picture(name: str) -> ResponseReturnValue:
    """A picture of the folder; those of a bucket the browser fetches there."""
    storage = current_app.extensions["storage"]
    return send_from_directory(getattr(storage, "folder", "/nowhere"), name, max_age=31536000)


def keep(picture: Picture) -> str:
    """Store both sizes; the name is what to remember. Raises `Unavailable`."""
    storage: Storage = current_app.extensions["storage"]
    storage.put(f"items/{picture.name}.jpg", picture.large)
    storage.put(f"items/{picture.name}-small.jpg", picture.small)
    return picture.name


def forget(name: str) -> None:
    """Raises `Unavailable`."""
    storage: Storage = current_app.extensions["storage"]
    for size in ("", "-small"):
        storage.delete(f"items/{name}{size}.jpg")


def url(name: str, *, small: bool = False) -> str:
    storage: Storage = current_app.extensions["storage"]
    return storage.url(f"items/{name}{'-small' if small else ''}.jpg")
