"""Add-ons: the catalog, the rows, and the providers that make them real."""

from homeport.addons.addons import Addons
from homeport.addons.attaching import require_unshared
from homeport.addons.buckets import Bucket, Buckets, Foreign
from homeport.addons.buckets import Facts as BucketFacts
from homeport.addons.catalog import SERVICES, Plan, Service
from homeport.addons.errors import Errors
from homeport.addons.errors import Watch as ErrorWatch
from homeport.addons.lifecycle import Wish
from homeport.addons.postgres import (
    Facts,
    Kind,
    Postgres,
    Report,
    Snapshot,
    Snapshots,
    Transfers,
    Upgrades,
    transfer_records,
)
from homeport.addons.provider import Provider, Resource
from homeport.addons.records import (
    State,
    attachments,
    attachments_for,
    attachments_of,
    find,
    find_attachment,
    of_app,
    of_user,
    plan_of,
    provisioned,
    resolve,
    resolve_attachment,
    service_of,
)
from homeport.addons.redis import Facts as RedisFacts
from homeport.addons.redis import Redis
from homeport.addons.redis import Tuning as RedisTuning
from homeport.addons.redis import tuning as redis_tuning
from homeport.addons.scheduler import SchedulerProvider
from homeport.addons.servers import Servers
from homeport.addons.site import Site

__all__ = [
    "SERVICES",
    "Addons",
    "Bucket",
    "BucketFacts",
    "Buckets",
    "ErrorWatch",
    "Errors",
    "Facts",
    "Foreign",
    "Kind",
    "Plan",
    "Postgres",
    "Provider",
    "Redis",
    "RedisFacts",
    "RedisTuning",
    "Report",
    "Resource",
    "SchedulerProvider",
    "Servers",
    "Service",
    "Site",
    "Snapshot",
    "Snapshots",
    "State",
    "Transfers",
    "Upgrades",
    "Wish",
    "attachments",
    "attachments_for",
    "attachments_of",
    "find",
    "find_attachment",
    "of_app",
    "of_user",
    "plan_of",
    "provisioned",
    "redis_tuning",
    "require_unshared",
    "resolve",
    "resolve_attachment",
    "service_of",
    "transfer_records",
]
