"""`heroku-postgresql`: one cluster per major version, a database and a role per add-on."""

from homeport.addons.postgres import transfer_records
from homeport.addons.postgres.facts import Facts
from homeport.addons.postgres.provider import Postgres
from homeport.addons.postgres.reports import Report
from homeport.addons.postgres.snapshots import Snapshot, Snapshots
from homeport.addons.postgres.transfer_records import Kind
from homeport.addons.postgres.transfers import Transfers
from homeport.addons.postgres.upgrades import Upgrades

__all__ = ["Facts", "Kind", "Postgres", "Report", "Snapshot", "Snapshots", "Transfers", "Upgrades", "transfer_records"]
