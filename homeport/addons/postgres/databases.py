"""The databases and roles of add-ons: SQL, spoken as superuser. All of it may be said twice."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from psycopg import sql

from homeport.addons.postgres.cluster import Cluster, Connection
from homeport.addons.provider import Resource

PASSWORD_BYTES = 32


@dataclass(frozen=True)
class Database:
    """The database of an add-on and the role that owns it, with what it takes to get in."""

    name: str
    user: str
    password: str
    host: str
    port: int
    version: int

    @property
    def url(self) -> str:
        """`postgres://`: what Heroku writes, and all that the official CLI takes for a database's URL."""
        return f"postgres://{self.user}:{quote(self.password, safe='')}@{self.host}:{self.port}/{self.name}"

    def secret(self) -> dict[str, str]:
        """What must be remembered of it."""
        return {
            "database": self.name,
            "user": self.user,
            "password": self.password,
            "host": self.host,
            "port": str(self.port),
            "version": str(self.version),
        }


def remembered(secret: Mapping[str, str]) -> Database:
    return Database(
        name=secret["database"],
        user=secret["user"],
        password=secret["password"],
        host=secret["host"],
        port=int(secret["port"]),
        version=int(secret["version"]),
    )


def of(resource: Resource) -> tuple[str, str]:
    """The names of its database and role: made from the id, so that a second attempt finds what the first one made."""
    letters = resource.id.replace("-", "")[:20]
    return f"d{letters}", f"u{letters}"


def new_password() -> str:
    """Letters and digits only: it stands in URLs, shells and .pgpass files."""
    return "p" + secrets.token_hex(PASSWORD_BYTES)


async def make(cluster: Cluster, resource: Resource) -> Database:
    """The database and its role, as the plan says. A known password stays."""
    name, user = of(resource)
    password = resource.secret.get("password") or new_password()
    connections = resource.plan.limits["connections"]
    async with cluster.connect() as connection:
        await _make_role(connection, user, password, connections)
        await make_database(connection, name, user)
    address = cluster.address
    return Database(name, user, password, address.host, address.port, cluster.version.major)


async def make_database(connection: Connection, name: str, owner: str) -> None:
    """An empty database that only its owner can connect to, unless it is there.

    Nobody can connect before everybody else is shut out.
    """
    there = await _one(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name)
    database = sql.Identifier(name)
    if there is None:
        statement = "CREATE DATABASE {} OWNER {} ALLOW_CONNECTIONS false"
        await connection.execute(sql.SQL(statement).format(database, sql.Identifier(owner)))
    await connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    await connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database))


async def drop(cluster: Cluster, resource: Resource) -> None:
    name, user = of(resource)
    async with cluster.connect() as connection:
        await drop_database(connection, name)
        await connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(user)))


async def drop_database(connection: Connection, name: str) -> None:
    """Whoever is connected is thrown out."""
    await connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


async def set_password(cluster: Cluster, user: str, password: str) -> None:
    async with cluster.connect() as connection:
        await connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), _verifier(connection, user, password))
        )


async def disconnect(cluster: Cluster, name: str) -> int:
    """End all connections to the database; returns how many there were."""
    end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
    async with cluster.connect() as connection:
        ended = await _one(connection, end, name)
    return int(str(ended or 0))


async def size(cluster: Cluster, name: str) -> int:
    """In bytes."""
    async with cluster.connect() as connection:
        return int(str(await _one(connection, "SELECT pg_database_size(%s::name)", name)))


async def _make_role(connection: Connection, user: str, password: str, connections: int) -> None:
    there = await _one(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", user)
    statement = (
        "{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT {} PASSWORD {}"
    )
    await connection.execute(
        sql.SQL(statement).format(
            sql.SQL("CREATE" if there is None else "ALTER"),
            sql.Identifier(user),
            sql.Literal(connections),
            _verifier(connection, user, password),
        )
    )


def _verifier(connection: Connection, user: str, password: str) -> sql.Literal:
    """What the server checks the password by: the password itself never reaches it, nor its log."""
    verifier = connection.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256")
    return sql.Literal(verifier.decode())


async def _one(connection: Connection, query: str, *values: object) -> object:
    """The first column of the first row, None without one."""
    cursor = await connection.execute(query.encode(), values)
    row = await cursor.fetchone()
    return row[0] if row is not None else None
