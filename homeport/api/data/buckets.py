"""Buckets: what is in them and how they are reached. Bucketeer on Heroku has no such API; the form is that of the
stores' and databases'."""

from __future__ import annotations

from homeport.accounts import Action
from homeport.addons import Bucket, BucketFacts, Buckets, Resource, State
from homeport.api.exchange import Call, Reply
from homeport.api.resources.addons import find
from homeport.api.shapes import stamp
from homeport.errors import NotFound
from homeport.state import Addon

UNITS = ("B", "KB", "MB", "GB", "TB")


async def info(call: Call) -> Reply:
    """The keys are not in it: they are config vars."""
    addon: Addon = await call.core.database.run(lambda session: find(call, session, Action.VIEW))
    provider = call.addons.provider(Buckets.service)
    if not isinstance(provider, Buckets) or addon.service != provider.service or addon.state != State.PROVISIONED.value:
        raise NotFound("bucket", "Couldn't find that bucket.")
    resource = await call.addons.resource(addon)
    bucket = provider.bucket(resource)
    facts = await provider.facts(resource) if bucket.measured else None
    return Reply(
        {
            "addon_id": addon.id,
            "bucket_name": bucket.name,
            "bytes": facts.used if facts else None,
            "bytes_limit": facts.quota if facts else None,
            "created_at": stamp(addon.created_at),
            "endpoint": bucket.endpoint,
            "info": [{"name": name, "values": [value]} for name, value in _lines(resource, bucket, facts)],
            "name": addon.name,
            "objects": facts.objects if facts else None,
            "plan": resource.plan.name,
            "public": {
                "bytes": facts.public_bytes,
                "objects": facts.public_objects,
                "prefix": bucket.public_prefix,
                "url": bucket.public_url,
            }
            if facts
            else None,
            "region": bucket.region,
            "uploads": facts.uploads if facts else None,
        }
    )


def _lines(resource: Resource, bucket: Bucket, facts: BucketFacts | None) -> list[tuple[str, str]]:
    where = [("Plan", resource.plan.title), ("Bucket", bucket.name), ("Endpoint", bucket.endpoint)]
    where.append(("Region", bucket.region))
    if facts is None:
        return [*where, ("Objects", "not measured: the bucket is kept at another S3 than Homeport's")]
    share = f" ({100 * facts.used / facts.quota:.0f}%)" if facts.quota else ""
    lines = [
        *where,
        ("Objects", f"{facts.objects:,}"),
        ("Size", f"{size(facts.used)} of {size(facts.quota)}{share}"),
        (
            "Public",
            f"what is below {bucket.public_prefix}: {_counted(facts.public_objects)}, {size(facts.public_bytes)}",
        ),
        ("Public URL", bucket.public_url),
    ]
    if facts.uploads:
        lines.append(
            ("Unfinished", f"{facts.uploads} multipart upload{'s' * (facts.uploads != 1)}, counted in the size")
        )
    return lines


def _counted(objects: int) -> str:
    return f"{objects:,} object{'s' * (objects != 1)}"


def size(count: int) -> str:
    """`1.5 GB`, in powers of 1,024 as the plans are."""
    value, unit = float(count), 0
    while value >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f}".removesuffix(".0") + f" {UNITS[unit]}"
