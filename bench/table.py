"""What was measured, and how it is printed."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum


class Unit(Enum):
    """How a number is shown."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    PER_SECOND = "/s"
    MEGABYTES = "MB"
    COUNT = ""

    def show(self, value: float) -> str:
        if self is Unit.COUNT or self is Unit.PER_SECOND:
            return f"{value:,.0f}{' ' + self.value if self.value else ''}"
        digits = 2 if self is Unit.SECONDS else 1
        return f"{value:.{digits}f} {self.value}"


@dataclass(frozen=True)
class Row:
    """One line: ours, beside what it is measured against (None: nothing) and what we aim at.

    `limit` computes, from the floor, the value that ours must reach; `at_least` says on which side of it is good.
    """

    name: str
    unit: Unit
    ours: float
    against: str = ""
    floor: float | None = None
    aim: str = ""
    limit: Callable[[float], float] | None = None
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        return self.ours / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is reached; None without one."""
        if self.limit is None:
            return None
        limit = self.limit(self.floor or 0.0)
        return self.ours >= limit if self.at_least else self.ours <= limit

    def columns(self) -> tuple[str, ...]:
        against = f"{self.against} {self.unit.show(self.floor)}" if self.floor is not None else self.against
        ratio = f"{self.ratio:.2f}" if self.ratio is not None else ""
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        return (self.name, self.unit.show(self.ours), against, ratio, self.aim, verdict)


HEADINGS = ("", "homeport", "against", "ratio", "aim", "")


def render(rows: Sequence[Row]) -> str:
    lines = [HEADINGS, *(row.columns() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def middle(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
