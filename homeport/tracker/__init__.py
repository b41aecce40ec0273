"""The error tracker: what apps send is grouped into issues. A program of its own that knows nothing of the house."""

from homeport.tracker.events import Source
from homeport.tracker.events import read as read_event
from homeport.tracker.hidden import Hidden, seal, sensitive, unseal
from homeport.tracker.ingest import Ingest
from homeport.tracker.issues import Detail, Facet, Issue, Issues, Kept, Status
from homeport.tracker.projects import KNOWLEDGE, PROJECT, Knowledge, Project, Projects
from homeport.tracker.projects import read as read_project
from homeport.tracker.quota import Bucket
from homeport.tracker.recording import Arrival, Position, forget_positions, position, record
from homeport.tracker.retention import Retention
from homeport.tracker.schema import FILE, PATIENCE_SECONDS, complaint, connect
from homeport.tracker.secret import knowledge_key
from homeport.tracker.tracebacks import Reader, Traceback
from homeport.tracker.writer import Writer

SOCKET = "errors.sock"
"""Under `$HOMEPORT_HOME/run`: where the router finds the tracker."""

__all__ = [
    "FILE",
    "KNOWLEDGE",
    "PATIENCE_SECONDS",
    "PROJECT",
    "SOCKET",
    "Arrival",
    "Bucket",
    "Detail",
    "Facet",
    "Hidden",
    "Ingest",
    "Issue",
    "Issues",
    "Kept",
    "Knowledge",
    "Position",
    "Project",
    "Projects",
    "Reader",
    "Retention",
    "Source",
    "Status",
    "Traceback",
    "Writer",
    "complaint",
    "connect",
    "forget_positions",
    "knowledge_key",
    "position",
    "read_event",
    "read_project",
    "record",
    "seal",
    "sensitive",
    "unseal",
]
