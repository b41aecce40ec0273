"""One ordered stream of lines per app: taken in without ever blocking a dyno, kept, filtered, followed."""

from homeport.logs.lines import EVERYTHING, Filter, Line
from homeport.logs.logs import KEPT_LINES, Logs, Reader
from homeport.logs.sessions import FETCH_TTL, TAIL_TTL, Session, Sessions
from homeport.logs.streaming import stream

__all__ = [
    "EVERYTHING",
    "FETCH_TTL",
    "KEPT_LINES",
    "TAIL_TTL",
    "Filter",
    "Line",
    "Logs",
    "Reader",
    "Session",
    "Sessions",
    "stream",
]
