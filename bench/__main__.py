"""python -m bench [NAME…]: everything, or what is named: memory, deploys, gaps, traffic, starts, databases…"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import backup, buckets, databases, deploys, errors, gaps, memory, platform, starts, traffic
from bench.platform import Platform
from bench.table import Row, render

RESULTS = Path(__file__).parent / "results"

SECTIONS: dict[str, Callable[[Platform], list[Row]]] = {
    "memory": memory.measure,  # first: before anything has run
    "deploys": deploys.measure,
    "gaps": gaps.measure,
    "traffic": traffic.measure,
    "starts": starts.measure,
    "databases": databases.measure,
    "errors": errors.measure,
    "buckets": buckets.measure,
    "backup": backup.measure,
    "afterwards": memory.measure_again,
}


def main(names: Sequence[str]) -> int:
    unknown = set(names) - set(SECTIONS)
    if unknown:
        print(f"No such measurement: {', '.join(sorted(unknown))}. There are: {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    try:
        with platform.running() as running:
            for name in SECTIONS:
                if not names or name in names:
                    print(f"-----> Measuring {name}", file=sys.stderr, flush=True)
                    rows += SECTIONS[name](running)
    except subprocess.CalledProcessError as error:
        said = error.stderr if isinstance(error.stderr, str) else (error.stderr or b"").decode(errors="replace")
        print(f" !     {error}\n{said}", file=sys.stderr)
        return 1
    finally:  # what was measured before something failed took its minutes, and holds
        if rows:
            print(f"\n{render(rows)}\n\n{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}. Trust the ratios.")
            keep(rows)
    return 0


def keep(rows: Sequence[Row]) -> None:
    """Write the numbers to bench/results, so that runs can be compared."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.json"
    fields = ("name", "ours", "floor", "ratio", "aim", "met")
    said = [{"unit": row.unit.value, **{field: getattr(row, field) for field in fields}} for row in rows]
    path.write_text(json.dumps(said, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
