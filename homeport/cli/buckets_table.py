"""The rows of the command table that concern buckets."""

from __future__ import annotations

from homeport.cli.grammar import Argument, Command
from homeport.cli.vocabulary import JSON, on_app

_BUCKET = Argument("bucket", "name of the add-on, or of its attachment (default: all of the app's)", required=False)

BUCKET_TOPICS = {"buckets": "see what is in the buckets of an app, and how to reach them"}

BUCKET_COMMANDS: tuple[Command, ...] = (
    on_app(
        "buckets",
        "buckets:info",
        "show what is in a bucket, what of it is public, and how to reach it",
        _BUCKET,
        JSON,
        aliases=("buckets:info",),
        examples=("buckets -a example", "buckets:info MEDIA -a example --json"),
        own=True,
    ),
)
