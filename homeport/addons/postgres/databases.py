"""The databases and roles of add-ons: SQL, spoken as superuser. All of it may be said twice."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

import psycopg
from psycopg import AsyncConnection, sql

from homeport.addons.postgres.cluster import Cluster, Connection
from homeport.addons.postgres.dumps import Login
from homeport.addons.provider import Resource
from homeport.errors import Invalid, Unavailable

PASSWORD_BYTES = 32
SCRATCH = "scratch_"
"""What databases are called that stand beside those of add-ons for a while."""
SPARE = "spare_"
"""What databases are called that wait to become somebody's."""
A_SPARE = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) LIMIT 1"
GUEST = "guest_"
"""What roles are called that stand in for those of add-ons for a while."""
END_CONNECTIONS = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = %s"
"""Waits for up to 5 s for each, so that they are gone afterwards."""


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


def trial_id(id: str) -> str:
    """The id of what stands in for a resource while something is tried."""
    return str(uuid.uuid5(uuid.UUID(id), "trial"))


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
    database = sql.Identifier(name)
    there = await _one(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name) is not None
    if not there and not await _take_spare(connection, name):
        await connection.execute(sql.SQL("CREATE DATABASE {} ALLOW_CONNECTIONS false").format(database))
    await connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.Identifier(owner)))
    await connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    await connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database))


async def stock(cluster: Cluster) -> None:
    """Have one database in reserve: to make one takes the server longer than everything else about an add-on."""
    async with cluster.connect() as connection:
        if await _one(connection, A_SPARE, SPARE) is None:
            name = sql.Identifier(f"{SPARE}{secrets.token_hex(8)}")
            await connection.execute(sql.SQL("CREATE DATABASE {} ALLOW_CONNECTIONS false").format(name))


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
    async with cluster.connect() as connection:
        ended = await _one(connection, END_CONNECTIONS, name)
    return int(str(ended or 0))


async def size(cluster: Cluster, name: str) -> int:
    """In bytes."""
    async with cluster.connect() as connection:
        return int(str(await _one(connection, "SELECT pg_database_size(%s::name)", name)))


@asynccontextmanager
async def guest(cluster: Cluster, owner: str, database: str) -> AsyncIterator[Login]:
    """A login for a tool that acts as the owner: with a password of its own, and beside the owner's connections, of
    which the app may have used up all."""
    name, password = f"{GUEST}{secrets.token_hex(8)}", new_password()
    role = sql.Identifier(name)
    create = "CREATE ROLE {} LOGIN NOSUPERUSER IN ROLE {} PASSWORD {}"
    try:  # from here on: we may be cut short between the two statements
        async with cluster.connect() as connection:
            verifier = _verifier(connection, name, password)
            await connection.execute(sql.SQL(create).format(role, sql.Identifier(owner), verifier))
            await connection.execute(sql.SQL("ALTER ROLE {} SET role = {}").format(role, sql.Literal(owner)))
        yield Login("127.0.0.1", cluster.address.port, name, password, database)
    finally:
        async with cluster.connect() as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (name,)
            )
            await connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(role))


@asynccontextmanager
async def locked_out(cluster: Cluster, name: str, owner: str) -> AsyncIterator[None]:
    """Nobody but guests gets in while the block lasts. If we or the server end in the middle, `sweep` lets the owner in
    again."""
    role = sql.Identifier(owner)
    cluster.locked_out.add(owner)
    try:
        async with cluster.connect() as connection:
            await connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(role))
            await connection.execute(END_CONNECTIONS, (name,))
        yield
    finally:
        cluster.locked_out.discard(owner)
        async with cluster.connect() as connection:
            await connection.execute(sql.SQL("ALTER ROLE {} LOGIN").format(role))


@asynccontextmanager
async def scratch(cluster: Cluster, owner: str) -> AsyncIterator[str]:
    """An empty database beside the owner's own; gone at the end of the block, unless it has taken another's place."""
    name = f"{SCRATCH}{secrets.token_hex(8)}"
    try:
        async with cluster.connect() as connection:
            await make_database(connection, name, owner)
        yield name
    finally:
        async with cluster.connect() as connection:
            await drop_database(connection, name)


async def put_in_place(cluster: Cluster, new: str, name: str) -> None:
    """Let one database take the other's name and place; all at once, or not at all. The other is dropped.

    Its connections end: they would go on writing into what is about to go.
    """
    old = f"{SCRATCH}{secrets.token_hex(8)}"
    swap = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    async with cluster.connect() as connection:
        await _copy_settings(connection, name, new)
        try:
            for database in (name, new):
                await connection.execute(
                    sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(database))
                )
                await connection.execute(END_CONNECTIONS, (database,))
            async with connection.transaction():
                await connection.execute(swap.format(sql.Identifier(name), sql.Identifier(old)))
                await connection.execute(swap.format(sql.Identifier(new), sql.Identifier(name)))
        finally:
            await connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))
        await drop_database(connection, old)


async def create_extensions(login: Login, extensions: Sequence[str]) -> None:
    """As the owner, so that only what owners may have is made. "schema.name" goes into that schema.

    Raises `Invalid`.
    """
    async with await connect_as(login) as connection:
        for extension in extensions:
            schema, _, name = extension.rpartition(".")
            statement = sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name))
            try:
                if schema:
                    await connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
                    statement += sql.SQL(" SCHEMA {}").format(sql.Identifier(schema))
                await connection.execute(statement)
            except psycopg.Error as error:
                raise Invalid(
                    f"The extension {name[:60]} can't be had.",
                    why=str(error).splitlines()[0],
                    fix="See those that can: `heroku pg:extensions`.",
                ) from None


async def connect_as(login: Login) -> Connection:
    """A connection with this login, autocommitting. Raises `Unavailable` (`database_unreachable`)."""
    try:
        return await AsyncConnection.connect(
            host=login.host,
            hostaddr=login.address,
            port=login.port,
            user=login.user,
            password=login.password,
            dbname=login.database,
            sslmode=login.sslmode,
            autocommit=True,
            connect_timeout=15,
            application_name="homeport",
        )
    except psycopg.OperationalError as error:
        raise Unavailable(
            f"The database {login.database} on {login.host} can't be reached.",
            id="database_unreachable",
            why=str(error).strip().splitlines()[-1],
        ) from None


async def sweep(cluster: Cluster) -> None:
    """Remove what was left when this process or the server was killed in the middle of its work.

    What is under way on a server that has just been started loses its scratch databases and its guests: it fails.
    """
    async with cluster.connect() as connection:
        cursor = await connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (SCRATCH,))
        for (name,) in await cursor.fetchall():
            await drop_database(connection, str(name))
        cursor = await connection.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", (GUEST,))
        for (name,) in await cursor.fetchall():
            await connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(str(name))))
        cursor = await connection.execute(_LOCKED_OUT)
        for (name,) in await cursor.fetchall():
            if name not in cluster.locked_out:
                await connection.execute(sql.SQL("ALTER ROLE {} LOGIN").format(sql.Identifier(str(name))))
        cursor = await connection.execute(_CLOSED)
        for name, owner in await cursor.fetchall():
            await make_database(connection, str(name), str(owner))


_LOCKED_OUT = "SELECT rolname FROM pg_roles WHERE rolname ~ '^u[0-9a-f]{20}$' AND NOT rolcanlogin"
_CLOSED = """
    SELECT datname, rolname FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba
    WHERE NOT datallowconn AND datname ~ '^d[0-9a-f]{20}$'
"""


async def _copy_settings(connection: Connection, source: str, target: str) -> None:
    """What `ALTER DATABASE … SET` has said of one holds for the other."""
    await connection.execute(
        """
        INSERT INTO pg_db_role_setting (setdatabase, setrole, setconfig)
        SELECT target.oid, setrole, setconfig
        FROM pg_db_role_setting JOIN pg_database AS source ON source.oid = setdatabase, pg_database AS target
        WHERE source.datname = %s AND target.datname = %s
            AND NOT EXISTS (SELECT FROM pg_db_role_setting AS there WHERE there.setdatabase = target.oid)
        """,
        (source, target),
    )


async def _take_spare(connection: Connection, name: str) -> bool:
    """Whether a database from the reserve has this name now."""
    spare = await _one(connection, A_SPARE, SPARE)
    if spare is None:
        return False
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    try:
        await connection.execute(rename.format(sql.Identifier(str(spare)), sql.Identifier(name)))
    except (psycopg.errors.InvalidCatalogName, psycopg.errors.ObjectInUse):  # another was quicker
        return False
    return True


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
