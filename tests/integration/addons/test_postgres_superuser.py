"""What apps plant in their databases does not run as superuser when the platform looks in."""

from __future__ import annotations

from tests.integration.addons.postgres_ground import Ground


def test_an_app_does_not_become_superuser_by_its_search_path(ground: Ground) -> None:
    database, user = ground.resource().secret["database"], ground.resource().secret["user"]
    ground.sql("CREATE SCHEMA trap")
    for function, body in (
        ("split_part(a text, b text, c int) RETURNS text", "RETURN pg_catalog.split_part(a, b, c);"),
        ("pg_stat_reset() RETURNS void", "RETURN;"),
    ):
        ground.sql(
            f"""
            CREATE FUNCTION trap.{function} LANGUAGE plpgsql AS $$ BEGIN
                IF current_user <> '{user}' THEN EXECUTE 'ALTER ROLE {user} CREATEDB CONNECTION LIMIT 77'; END IF;
                {body}
            END $$
            """
        )
    ground.sql(f"ALTER DATABASE {database} SET search_path = trap, pg_catalog")
    assert ground.sql("SHOW search_path") == [("trap, pg_catalog",)]  # the trap is set

    assert ground.world.get(ground.data()).status_code == 200
    assert ground.world.put(ground.data("stats_reset"), {}).status_code == 200

    limits = ground.sql(f"SELECT rolcreatedb, rolconnlimit FROM pg_roles WHERE rolname = '{user}'")
    assert limits == [(False, 20)]


def test_an_app_does_not_become_superuser_by_the_name_of_a_schema(ground: Ground) -> None:
    user = ground.resource().secret["user"]
    ground.sql("CREATE SCHEMA a")
    ground.sql("CREATE TABLE a.t ()")
    schema = f"a.t TO PUBLIC; ALTER ROLE {user} CREATEDB; --"
    ground.sql(f'CREATE SCHEMA "{schema}"')
    ground.sql(f'CREATE EXTENSION postgis SCHEMA "{schema}"')
    assert ground.sql(f"SELECT rolcreatedb FROM pg_roles WHERE rolname = '{user}'") == [(False,)]
    table = f'"{schema}".spatial_ref_sys'
    assert ground.sql(f"SELECT has_table_privilege('{table}', 'INSERT')") == [(True,)]
