"""What can be told of a server: `redis:info`."""

from __future__ import annotations

from dataclasses import dataclass

from homeport.addons.redis.instance import Instance


@dataclass(frozen=True)
class Facts:
    """As it is now. Memory in bytes; `hit_rate` from 0 to 1, None before anything was asked for."""

    version: str
    memory: int
    connections: int
    hit_rate: float | None
    persists: bool


async def gather(instance: Instance) -> Facts:
    """Raises `Unavailable`."""
    async with instance.connect() as connection:
        info = await connection.info("server", "memory", "clients", "stats", "persistence")
    hits, misses = int(info.get("keyspace_hits", 0)), int(info.get("keyspace_misses", 0))
    return Facts(
        version=info.get("redis_version", ""),
        memory=int(info.get("used_memory", 0)),
        connections=max(0, int(info.get("connected_clients", 1)) - 1),  # we are one
        hit_rate=hits / (hits + misses) if hits + misses else None,
        persists=info.get("aof_enabled") == "1" and info.get("aof_last_write_status", "ok") == "ok",
    )


async def reset_statistics(instance: Instance) -> None:
    """`redis:stats-reset`"""
    async with instance.connect() as connection:
        await connection.ask("CONFIG", "RESETSTAT")
