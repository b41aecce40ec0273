"""What is not well with a database: `pg:diagnose`.

The checks are those of Heroku's (https://devcenter.heroku.com/articles/heroku-postgres-databases#pg-diagnose) and one
of ours, how full the plan is. Each looks at statistics that the server keeps anyway, so asking costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from psycopg.errors import QueryCanceled

from homeport.addons.catalog import Plan
from homeport.addons.postgres.work import Place

Row = Mapping[str, object]

PATIENCE_MS = 5000
"""For each question: sizes of what a migration has locked can't be asked until it has ended."""


class Light(Enum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """What was found; `results` are the rows that show it, none where all is well."""

    name: str
    status: Light
    results: Sequence[Row] = ()


@dataclass(frozen=True)
class _Question:
    """A query, and what its rows mean."""

    name: str
    query: str
    judge: Callable[[Sequence[Row], Plan], Light]


def _red_if_any(rows: Sequence[Row], _plan: Plan) -> Light:
    return Light.RED if rows else Light.GREEN


def _yellow_if_any(rows: Sequence[Row], _plan: Plan) -> Light:
    return Light.YELLOW if rows else Light.GREEN


def _connections(rows: Sequence[Row], plan: Plan) -> Light:
    return _share(_number(rows, "count") / plan.limits["connections"], yellow=0.75, red=0.9)


def _size(rows: Sequence[Row], plan: Plan) -> Light:
    return _share(_number(rows, "bytes") / plan.limits["bytes"], yellow=0.9, red=1.0)


def _hit_rate(rows: Sequence[Row], _plan: Plan) -> Light:
    """Too few reads tell nothing."""
    reads = _number(rows, "reads")
    if reads < 1000:
        return Light.SKIPPED
    return Light.GREEN if _number(rows, "hits") / reads >= 0.99 else Light.RED


def _sequences(rows: Sequence[Row], _plan: Plan) -> Light:
    return _share(max((float(str(row["used"])) for row in rows), default=0.0), yellow=0.75, red=0.9)


def _share(share: float, *, yellow: float, red: float) -> Light:
    if share >= red:
        return Light.RED
    return Light.YELLOW if share >= yellow else Light.GREEN


def _number(rows: Sequence[Row], column: str) -> float:
    return float(str(rows[0][column])) if rows else 0.0


_QUESTIONS = (
    _Question(
        "Connection Count",
        """
        SELECT count(*) AS count FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        """,
        _connections,
    ),
    _Question(
        "Data Size",
        "SELECT pg_database_size(current_database()) AS bytes",
        _size,
    ),
    _Question(
        "Long Queries",
        """
        SELECT pid, date_trunc('second', now() - query_start)::text AS duration, left(query, 200) AS query
        FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            AND state = 'active' AND query_start < now() - interval '1 minute'
        ORDER BY query_start LIMIT 20
        """,
        _red_if_any,
    ),
    _Question(
        "Idle in Transaction",
        """
        SELECT pid, date_trunc('second', now() - state_change)::text AS duration, left(query, 200) AS query
        FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            AND state LIKE 'idle in transaction%' AND state_change < now() - interval '1 minute'
        ORDER BY state_change LIMIT 20
        """,
        _red_if_any,
    ),
    _Question(
        "Blocking Queries",
        """
        SELECT blocked.pid AS blocked_pid, left(blocked.query, 100) AS blocked_statement,
            blocking.pid AS blocking_pid, left(blocking.query, 100) AS blocking_statement,
            date_trunc('second', now() - blocked.query_start)::text AS blocked_duration
        FROM pg_stat_activity AS blocked
        JOIN pg_stat_activity AS blocking ON blocking.pid = ANY (pg_blocking_pids(blocked.pid))
        WHERE blocked.datname = current_database() LIMIT 20
        """,
        _red_if_any,
    ),
    _Question(
        "Indexes",
        """
        SELECT schemaname || '.' || relname || '::' || indexrelname AS index, idx_scan AS scans,
            pg_size_pretty(pg_relation_size(stats.indexrelid)) AS size, 'Never used' AS reason
        FROM pg_stat_user_indexes AS stats JOIN pg_index USING (indexrelid)
        WHERE NOT indisunique AND NOT indisprimary AND idx_scan = 0 AND pg_relation_size(stats.indexrelid) > 1048576
        ORDER BY pg_relation_size(stats.indexrelid) DESC LIMIT 20
        """,
        _yellow_if_any,
    ),
    _Question(
        "Bloat",
        """
        SELECT schemaname || '.' || relname AS object, n_dead_tup AS dead_rows,
            pg_size_pretty((pg_table_size(relid) * n_dead_tup / nullif(n_live_tup + n_dead_tup, 0))::bigint) AS waste
        FROM pg_stat_user_tables
        WHERE n_dead_tup > 10000 AND n_dead_tup > n_live_tup
        ORDER BY n_dead_tup DESC LIMIT 20
        """,
        _yellow_if_any,
    ),
    _Question(
        "Hit Rate",
        """
        SELECT coalesce(sum(heap_blks_hit), 0) AS hits, coalesce(sum(heap_blks_hit + heap_blks_read), 0) AS reads
        FROM pg_statio_user_tables
        """,
        _hit_rate,
    ),
    _Question(
        "Sequences",
        """
        SELECT schemaname || '.' || sequencename AS sequence, last_value, max_value,
            round(last_value::numeric / max_value, 3) AS used
        FROM pg_sequences WHERE last_value > 0.75 * max_value AND increment_by > 0
        ORDER BY used DESC LIMIT 20
        """,
        _sequences,
    ),
)


async def diagnose(place: Place, plan: Plan) -> list[Check]:
    """Raises `Unavailable` while the server doesn't answer."""
    async with place.cluster.connect(place.name) as connection:
        await connection.execute(f"SET statement_timeout = {PATIENCE_MS}")
        found = []
        for question in _QUESTIONS:
            try:
                cursor = await connection.execute(question.query)
            except QueryCanceled:
                found.append(Check(question.name, Light.SKIPPED))
                continue
            names = [column.name for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]
            status = question.judge(rows, plan)
            shown = rows if status in (Light.YELLOW, Light.RED) else []
            found.append(Check(question.name, status, [{name: _plain(row[name]) for name in names} for row in shown]))
    return found


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | None) else str(value)
