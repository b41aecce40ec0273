"""What can be told of a database: `pg:info`."""

from __future__ import annotations

from dataclasses import dataclass

from homeport.addons.postgres.work import Place
from homeport.errors import Unavailable


@dataclass(frozen=True)
class Facts:
    """As it is now."""

    version: str
    """15.18"""
    bytes: int
    tables: int
    connections: int
    extensions: tuple[str, ...]


_QUERY = """
    SELECT
        split_part(current_setting('server_version'), ' ', 1),
        pg_database_size(current_database()),
        (SELECT count(*) FROM pg_stat_user_tables),
        (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = %s),
        (SELECT coalesce(array_agg(extname::text ORDER BY extname), '{}') FROM pg_extension WHERE extname <> 'plpgsql')
"""


async def gather(place: Place) -> Facts:
    """Raises `Unavailable`."""
    async with place.cluster.connect(place.name) as connection:
        row = await (await connection.execute(_QUERY, (place.owner,))).fetchone()
    if row is None:
        raise Unavailable("The database doesn't answer.")
    version, size, tables, connections, extensions = row
    names = tuple(map(str, extensions)) if isinstance(extensions, list) else ()
    return Facts(str(version), int(str(size)), int(str(tables)), int(str(connections)), names)


async def reset_statistics(place: Place) -> None:
    """`pg:stats-reset`"""
    async with place.cluster.connect(place.name) as connection:
        await connection.execute("SELECT pg_stat_reset()")
