"""What a cluster is told: pure texts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

SUPERUSER = "homeport"
MAX_CONNECTIONS = 500

EXTENSIONS = """
    address_standardizer address_standardizer_data_us bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn
    earthdistance fuzzystrmatch h3 h3_postgis hll hstore intarray isn lo ltree moddatetime pg_partman pg_prewarm
    pg_stat_statements pg_trgm pgcrypto pgrouting pgrowlocks pgstattuple postgis postgis_raster postgis_sfcgal
    postgis_tiger_geocoder postgis_topology postgres_fdw rum seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time
    unaccent uuid-ossp vector xml2
""".split()
"""What apps may create for themselves, as far as it is installed. None of them reads files or runs programs."""


@dataclass(frozen=True)
class Settings:
    """`folder` is that of the configuration files, as the server names it; `loads` are the libraries that this machine
    has of those below."""

    folder: str
    port: int
    addresses: tuple[str, ...]
    loads: Collection[str]


STATEMENTS = "pg_stat_statements"
ALLOW_LIST = "pgextwlist"
"""https://github.com/dimitri/pgextwlist: lets the owner of a database create extensions of a list."""


def postgresql_conf(settings: Settings) -> str:
    """The whole configuration file. Written anew at each start: what an operator adds goes into conf.d."""
    lines = [
        "# Written by Homeport. Your own settings: a file conf.d/*.conf beside this one.",
        f"port = {settings.port}",
        f"listen_addresses = {_quoted(','.join(dict.fromkeys(('127.0.0.1', *settings.addresses))))}",
        "unix_socket_directories = '.'",
        f"max_connections = {MAX_CONNECTIONS}",
        "superuser_reserved_connections = 10",
        "shared_buffers = 128MB",
        "password_encryption = 'scram-sha-256'",
        "ssl = on",
        f"hba_file = {_quoted(settings.folder + '/pg_hba.conf')}",
        f"ident_file = {_quoted(settings.folder + '/pg_ident.conf')}",
        f"ssl_cert_file = {_quoted(settings.folder + '/server.pem')}",
        f"ssl_key_file = {_quoted(settings.folder + '/server.pem')}",
        "ssl_min_protocol_version = 'TLSv1.2'",
        "log_destination = 'stderr'",
        "logging_collector = off",
        "log_line_prefix = '%m [%p] %q%u@%d '",
        # A statement in the log may hold what its author would not want there.
        "log_min_error_statement = panic",
        "timezone = 'Etc/UTC'",
        "log_timezone = 'Etc/UTC'",
        "lc_messages = 'C'",
        "default_text_search_config = 'pg_catalog.english'",
        "track_functions = pl",
    ]
    if STATEMENTS in settings.loads:
        lines += [f"shared_preload_libraries = '{STATEMENTS}'", "pg_stat_statements.track = top"]
    if ALLOW_LIST in settings.loads:
        lines.append(f"session_preload_libraries = '{ALLOW_LIST}'")
        lines.append(f"extwlist.custom_path = {_quoted(settings.folder + '/extensions')}")
    # `heroku pg:extensions` reads the list from here, by the one name or by the other.
    allowed = _quoted(",".join(EXTENSIONS))
    lines += [f"extwlist.extensions = {allowed}", f"rds.allowed_extensions = {allowed}"]
    return "\n".join([*lines, "include_dir = 'conf.d'", ""])


EXTENSION_SCRIPTS = {
    # Not @extschema@: pgextwlist puts the name there as it is, and a schema may be called `a; ALTER ROLE …`.
    "postgis/after-create.sql": (
        "DO $do$ BEGIN EXECUTE (\n"
        "    SELECT pg_catalog.format('GRANT ALL ON TABLE %I.spatial_ref_sys TO @database_owner@', nspname)\n"
        "    FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace AS place\n"
        "        ON place.oid OPERATOR(pg_catalog.=) extnamespace\n"
        "    WHERE extname OPERATOR(pg_catalog.=) 'postgis'\n"
        "); END $do$;\n"
    ),
    "postgis_topology/after-create.sql": (
        "GRANT ALL ON SCHEMA topology TO @database_owner@;\n"
        "GRANT ALL ON ALL TABLES IN SCHEMA topology TO @database_owner@;\n"
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA topology TO @database_owner@;\n"
    ),
    "postgis_tiger_geocoder/after-create.sql": (
        "GRANT ALL ON SCHEMA tiger, tiger_data TO @database_owner@;\n"
        "GRANT ALL ON ALL TABLES IN SCHEMA tiger, tiger_data TO @database_owner@;\n"
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA tiger, tiger_data TO @database_owner@;\n"
    ),
}
"""What pgextwlist runs after CREATE EXTENSION: tables that a backup brings back are the app's to fill.

Only grants on what has just been made: whatever else stood here would run as superuser in a database of an app's."""


def pg_hba_conf() -> str:
    """Homeport comes in by the socket, as itself; everybody else by TCP with a password, from afar with TLS."""
    return "\n".join(
        [
            "# Written by Homeport.",
            f"local   all  {SUPERUSER}                peer map=homeport",
            "local   all  all                     reject",
            f"host    all  {SUPERUSER}  all           reject",
            "hostssl all  all       all           scram-sha-256",
            "host    all  all       127.0.0.1/32  scram-sha-256",
            "host    all  all       ::1/128       scram-sha-256",
            "",
        ]
    )


def pg_ident_conf(user: str) -> str:
    """`user` is the system account that Homeport runs as, and nobody else: not even the server's own, if it differs."""
    quoted = _quoted(user, '"')
    return f"# Written by Homeport.\nhomeport  {quoted}  {SUPERUSER}\n"


def _quoted(text: str, quote: str = "'") -> str:
    return quote + text.replace(quote, quote * 2) + quote
