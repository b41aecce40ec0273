"""What `homeport pg` asks a database about itself, in SQL: `pg:ps`, `pg:locks`, `pg:outliers` and their like."""

from __future__ import annotations

from homeport.cli.call import Call
from homeport.cli.errors import UsageError
from homeport.cli.topics import pg
from homeport.errors import HomeportError

QUERIES = {
    "pg:locks": """
        SELECT activity.pid, relation::regclass AS relname, transactionid, granted,
            left(query, 80) AS query_snippet, age(now(), query_start) AS age
        FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
        WHERE mode = 'ExclusiveLock' AND activity.pid <> pg_backend_pid() AND query <> '<insufficient privilege>'
        ORDER BY query_start
    """,
    "pg:blocking": """
        SELECT blocked.pid AS blocked_pid, left(blocked.query, 80) AS blocked_statement,
            age(now(), blocked.query_start) AS blocked_duration,
            blocking.pid AS blocking_pid, left(blocking.query, 80) AS blocking_statement,
            age(now(), blocking.query_start) AS blocking_duration
        FROM pg_stat_activity AS blocked
        JOIN pg_stat_activity AS blocking ON blocking.pid = ANY (pg_blocking_pids(blocked.pid))
        WHERE blocked.datname = current_database()
    """,
    "pg:long-running-queries": """
        SELECT pid, age(now(), query_start) AS duration, query FROM pg_stat_activity
        WHERE state <> 'idle' AND query_start < now() - interval '5 minutes' AND datname = current_database()
        ORDER BY duration DESC
    """,
    "pg:cache-hit": """
        SELECT 'index hit rate' AS name,
            round(sum(idx_blks_hit) / nullif(sum(idx_blks_hit + idx_blks_read), 0), 4) AS ratio
        FROM pg_statio_user_indexes
        UNION ALL
        SELECT 'table hit rate', round(sum(heap_blks_hit) / nullif(sum(heap_blks_hit + heap_blks_read), 0), 4)
        FROM pg_statio_user_tables
    """,
    "pg:index-usage": """
        SELECT relname, n_live_tup AS rows_in_table, CASE WHEN idx_scan + seq_scan > 0
            THEN (100 * idx_scan / (idx_scan + seq_scan))::text ELSE 'Insufficient data'
            END AS percent_of_times_index_used
        FROM pg_stat_user_tables ORDER BY n_live_tup DESC
    """,
    "pg:unused-indexes": """
        SELECT schemaname || '.' || relname AS table, indexrelname AS index,
            pg_size_pretty(pg_relation_size(stats.indexrelid)) AS index_size, idx_scan AS index_scans
        FROM pg_stat_user_indexes AS stats JOIN pg_index USING (indexrelid)
        WHERE NOT indisunique AND idx_scan < 50 AND pg_relation_size(stats.relid) > 5 * 8192
        ORDER BY pg_relation_size(stats.indexrelid) DESC
    """,
    "pg:index-size": """
        SELECT indexrelname AS name, pg_size_pretty(pg_relation_size(indexrelid)) AS size FROM pg_stat_user_indexes
        ORDER BY pg_relation_size(indexrelid) DESC
    """,
    "pg:total-index-size": """
        SELECT pg_size_pretty(coalesce(sum(pg_indexes_size(relid)), 0)) AS size FROM pg_stat_user_tables
    """,
    "pg:table-size": """
        SELECT relname AS name, pg_size_pretty(pg_table_size(relid)) AS size FROM pg_stat_user_tables
        ORDER BY pg_table_size(relid) DESC
    """,
    "pg:table-indexes-size": """
        SELECT relname AS table, pg_size_pretty(pg_indexes_size(relid)) AS index_size FROM pg_stat_user_tables
        ORDER BY pg_indexes_size(relid) DESC
    """,
    "pg:total-table-size": """
        SELECT relname AS name, pg_size_pretty(pg_total_relation_size(relid)) AS size FROM pg_stat_user_tables
        ORDER BY pg_total_relation_size(relid) DESC
    """,
    "pg:seq-scans": "SELECT relname AS name, seq_scan AS count FROM pg_stat_user_tables ORDER BY seq_scan DESC",
    "pg:records-rank": """
        SELECT relname AS name, n_live_tup AS estimated_count FROM pg_stat_user_tables ORDER BY n_live_tup DESC
    """,
    "pg:bloat": """
        SELECT schemaname, relname AS object_name, n_dead_tup AS dead_rows,
            round(n_dead_tup::numeric / nullif(n_live_tup + n_dead_tup, 0), 3) AS dead_share,
            pg_size_pretty((pg_table_size(relid) * n_dead_tup / nullif(n_live_tup + n_dead_tup, 0))::bigint) AS waste
        FROM pg_stat_user_tables ORDER BY n_dead_tup DESC
    """,
    "pg:vacuum-stats": """
        SELECT schemaname AS schema, relname AS table, last_vacuum, last_autovacuum, n_live_tup AS rowcount,
            n_dead_tup AS dead_rowcount FROM pg_stat_user_tables ORDER BY n_dead_tup DESC
    """,
    "pg:user-connections": """
        SELECT usename AS credential, count(*) AS connections FROM pg_stat_activity
        WHERE datname = current_database() GROUP BY 1 ORDER BY 2 DESC
    """,
    "pg:extensions": """
        SELECT name, default_version, installed_version, comment FROM pg_available_extensions
        WHERE name = ANY (string_to_array(current_setting('extwlist.extensions'), ',')) ORDER BY name
    """,
}

_STATEMENTS = """
    SELECT interval '1 millisecond' * total_exec_time AS total_exec_time, calls AS ncalls, rows,
        round((100 * total_exec_time / nullif(sum(total_exec_time) OVER (), 0))::numeric, 1) || '%' AS prop_exec_time,
        {query} AS query
    FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid
    WHERE rolname = current_user ORDER BY {order} DESC LIMIT {count}
"""


def ask(call: Call) -> int:
    """The query that is called as the command is."""
    return pg.query(call, pg.url_of(call, pg.find(call, call.argument)), QUERIES[call.command.name])


def processes(call: Call) -> int:
    idle = "" if call.has("verbose") else "AND state <> 'idle'"
    statement = f"""
        SELECT pid, state, application_name AS source, usename AS username, age(now(), xact_start) AS running_for,
            wait_event IS NOT NULL AS waiting, query
        FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() {idle} ORDER BY query_start DESC
    """  # noqa: S608 - nothing of it comes from outside
    return pg.query(call, pg.url_of(call, pg.find(call, call.argument)), statement)


def kill(call: Call) -> int:
    pid, *rest = call.arguments
    if not pid.isdecimal():
        raise UsageError(f"{pid} is no process id.", fix="See them: homeport pg:ps", command=call.command.name)
    function = "pg_terminate_backend" if call.has("force") else "pg_cancel_backend"
    statement = f"SELECT {function}({int(pid)})"
    return pg.query(call, pg.url_of(call, pg.find(call, rest[0] if rest else None)), statement)


def outliers(call: Call) -> int:
    return _statements(call, "total_exec_time")


def calls(call: Call) -> int:
    return _statements(call, "calls")


def _statements(call: Call, order: str) -> int:
    shown = "left(query, 40)" if call.has("truncate") else "query"
    statement = _STATEMENTS.format(query=shown, order=order, count=call.number("num") or 10)
    url = pg.url_of(call, pg.find(call, call.argument))
    if pg.output(call, url, "SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'") == "0":
        raise HomeportError(
            "extension_missing",
            "The pg_stat_statements extension needs to be installed first.",
            fix='homeport pg:psql -c "CREATE EXTENSION pg_stat_statements"',
        )
    return pg.query(call, url, statement)
