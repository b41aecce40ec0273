"""The whole platform as one file, and back again."""

from homeport.backup import schedule, shelf
from homeport.backup.examination import Check, examine
from homeport.backup.failures import disk_errors_named
from homeport.backup.inventory import ENTRIES, Kept
from homeport.backup.manifest import Contents, Head, Manifest, Part
from homeport.backup.restoring import Fill, Restored, is_unfinished, require_finished, require_room, restore
from homeport.backup.restoring import Order as RestoreOrder
from homeport.backup.schedule import Outcome, Schedule
from homeport.backup.shelf import Backup
from homeport.backup.taking import Captures, take
from homeport.backup.taking import Order as TakeOrder

__all__ = [
    "ENTRIES",
    "Backup",
    "Captures",
    "Check",
    "Contents",
    "Fill",
    "Head",
    "Kept",
    "Manifest",
    "Outcome",
    "Part",
    "RestoreOrder",
    "Restored",
    "Schedule",
    "TakeOrder",
    "disk_errors_named",
    "examine",
    "is_unfinished",
    "require_finished",
    "require_room",
    "restore",
    "schedule",
    "shelf",
    "take",
]
