"""What every provider of add-ons promises (`homeport.addons.provider`), held against the real ones and the fake."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from homeport.addons import Provider, Resource, catalog
from homeport.errors import Invalid
from tests.contract.addon_worlds import BucketsWorld, FakeWorld, PostgresWorld, RedisWorld, World
from tests.contract.error_world import ErrorsWorld

WORLDS: dict[str, type[World]] = {
    "errors": ErrorsWorld,
    "fake": FakeWorld,
    "postgres": PostgresWorld,
    "redis": RedisWorld,
    "buckets": BucketsWorld,
}


@pytest.fixture(scope="module", params=sorted(WORLDS))
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One machine for all tests of a provider; each test has add-ons of its own there."""
    made = WORLDS[request.param](tmp_path_factory.mktemp(request.param))
    yield made
    asyncio.run(made.provider().stop())
    assert [name for name in made.servers() if made.site.servers.pid(name)] == []


class Tenant:
    """An add-on of a test's own."""

    _count = 0

    def __init__(self, world: World, plan: str | None = None) -> None:
        Tenant._count += 1
        self.world = world
        service = catalog.service(world.service)
        chosen = service.default if plan is None else catalog.plan(f"{world.service}:{plan}")
        own_id = f"{Tenant._count:08x}-0000-4000-8000-{hash(world) & 0xFFFFFFFFFFFF:012x}"
        self.resource = Resource(own_id, f"{service.stem}-{Tenant._count}", chosen)

    async def provision(self, provider: Provider) -> Tenant:
        self.resource = replace(self.resource, secret=await provider.provision(self.resource))
        return self

    def variables(self, provider: Provider) -> Mapping[str, str]:
        return provider.config_vars(self.resource, "NAME")

    async def put(self, provider: Provider, value: str) -> None:
        await self.world.put(self.variables(provider), "key", value)

    async def get(self, provider: Provider) -> str | None:
        return await self.world.get(self.variables(provider), "key")


@pytest.mark.slow
def test_what_is_provisioned_can_be_used(world: World) -> None:
    async def scenario() -> None:
        provider = world.provider()
        tenant = await Tenant(world).provision(provider)
        assert all(name.startswith("NAME_") for name in tenant.variables(provider))
        await tenant.put(provider, "kept")
        assert await tenant.get(provider) == "kept"

    asyncio.run(scenario())


@pytest.mark.slow
def test_provisioning_twice_changes_nothing(world: World) -> None:
    async def scenario() -> None:
        provider = world.provider()
        tenant = await Tenant(world).provision(provider)
        await tenant.put(provider, "kept")
        before = tenant.resource.secret
        await tenant.provision(provider)
        assert tenant.resource.secret == before
        assert await tenant.get(provider) == "kept"

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_second_attempt_finishes_what_the_first_one_began(world: World) -> None:
    """The daemon was killed after the provider had done its work and before its answer was written down."""

    async def scenario() -> None:
        tenant = Tenant(world)
        await world.provider().provision(tenant.resource)
        provider = world.provider()
        await tenant.provision(provider)
        await tenant.put(provider, "kept")
        assert await tenant.get(provider) == "kept"

    asyncio.run(scenario())


@pytest.mark.slow
def test_tenants_do_not_see_each_other(world: World) -> None:
    async def scenario() -> None:
        provider = world.provider()
        one, other = await Tenant(world).provision(provider), await Tenant(world).provision(provider)
        await one.put(provider, "one's")
        assert await other.get(provider) is None
        await other.put(provider, "other's")
        assert await one.get(provider) == "one's"

    asyncio.run(scenario())


@pytest.mark.slow
def test_another_plan_keeps_the_data(world: World) -> None:
    async def scenario() -> None:
        provider = world.provider()
        tenant = await Tenant(world).provision(provider)
        await tenant.put(provider, "kept")
        tenant.resource = replace(tenant.resource, plan=catalog.plan(f"{world.service}:{world.other_plan}"))
        await tenant.provision(provider)
        assert await tenant.get(provider) == "kept"

    asyncio.run(scenario())


@pytest.mark.slow
def test_what_is_deprovisioned_is_gone(world: World) -> None:
    async def scenario() -> None:
        provider = world.provider()
        tenant = await Tenant(world).provision(provider)
        await tenant.put(provider, "secret")
        old = tenant.variables(provider)
        await provider.deprovision(tenant.resource)
        await provider.deprovision(tenant.resource)
        with pytest.raises(Exception):  # noqa: B017 - each service says it in its own words
            assert await world.get(old, "key") == "secret"
        tenant.resource = replace(tenant.resource, secret={})
        await tenant.provision(provider)
        assert await tenant.get(provider) is None

    asyncio.run(scenario())


@pytest.mark.slow
def test_the_next_daemon_finds_what_runs(world: World) -> None:
    async def scenario() -> None:
        provider = world.provider()
        tenant = await Tenant(world).provision(provider)
        await tenant.put(provider, "kept")
        running = {name: world.site.servers.pid(name) for name in world.servers()}
        await provider.close()
        again = world.provider()
        assert await again.tend([tenant.resource]) == []
        assert await tenant.get(again) == "kept"
        assert {name: world.site.servers.pid(name) for name in world.servers()} == running

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_killed_server_is_started_again_and_has_lost_nothing(world: World) -> None:
    async def scenario() -> None:
        provider = world.provider()
        tenant = await Tenant(world).provision(provider)
        await tenant.put(provider, "acknowledged")
        world.kill()
        assert await provider.tend([tenant.resource]) == []
        if world.lasts:
            assert await tenant.get(provider) == "acknowledged"

    asyncio.run(scenario())


@pytest.mark.slow
def test_stopped_servers_keep_their_data(world: World) -> None:
    async def scenario() -> None:
        provider = world.provider()
        tenant = await Tenant(world).provision(provider)
        await tenant.put(provider, "kept")
        await provider.stop()
        assert [name for name in world.servers() if world.site.servers.pid(name)] == []
        again = world.provider()
        assert await again.tend([tenant.resource]) == []
        assert await tenant.get(again) == "kept"

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_backup_restores_what_was(world: World, tmp_path: Path) -> None:
    async def scenario() -> None:
        provider = world.provider()
        tenant = await Tenant(world).provision(provider)
        await tenant.put(provider, "then")
        await provider.backup(tenant.resource, tmp_path)
        await tenant.put(provider, "now")
        await provider.restore(tenant.resource, tmp_path)
        assert await tenant.get(provider) == "then"

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_backup_moves_to_another_resource(world: World, tmp_path: Path) -> None:
    """As when a whole platform moves to another machine."""

    async def scenario() -> None:
        provider = world.provider()
        tenant = await Tenant(world).provision(provider)
        await tenant.put(provider, "then")
        await provider.backup(tenant.resource, tmp_path)
        heir = await Tenant(world).provision(provider)
        await provider.restore(heir.resource, tmp_path)
        assert await heir.get(provider) == "then"

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_backup_comes_back_on_another_machine_as_the_same_add_on(world: World, tmp_path: Path) -> None:
    """With the id and the secret of old, after which apps get in as they did."""

    async def scenario() -> None:
        tenant = await Tenant(world).provision(world.provider())
        await tenant.put(world.provider(), "kept")
        (tmp_path / "copy").mkdir()
        await world.provider().backup(tenant.resource, tmp_path / "copy")
        moved = type(world)(tmp_path / "machine")
        try:
            provider = moved.provider()
            await provider.examine(tenant.resource, tmp_path / "copy")
            remembered = await provider.provision(tenant.resource)
            lasting = {"password", "user", "database", "bucket", "key", "key_id", "number"} & set(remembered)
            assert all(remembered[name] == tenant.resource.secret[name] for name in lasting)
            tenant.resource = replace(tenant.resource, secret=remembered)
            await provider.restore(tenant.resource, tmp_path / "copy")
            assert await moved.get(tenant.variables(provider), "key") == "kept"
        finally:
            await moved.provider().stop()

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_damaged_backup_is_refused_before_it_touches_anything(world: World, tmp_path: Path) -> None:
    async def scenario() -> None:
        provider = world.provider()
        tenant = await Tenant(world).provision(provider)
        await tenant.put(provider, "then")
        await provider.backup(tenant.resource, tmp_path)
        await tenant.put(provider, "now")
        await provider.examine(tenant.resource, tmp_path)
        world.damage(tmp_path)
        with pytest.raises(Invalid):
            await provider.examine(tenant.resource, tmp_path)
        with pytest.raises(Invalid):
            await provider.restore(tenant.resource, tmp_path)
        assert await tenant.get(provider) == "now"

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_backup_without_its_files_is_refused_before_it_touches_anything(world: World, tmp_path: Path) -> None:
    async def scenario() -> None:
        provider = world.provider()
        tenant = await Tenant(world).provision(provider)
        await tenant.put(provider, "kept")
        for refuse in (provider.examine, provider.restore):
            with pytest.raises(Invalid):
                await refuse(tenant.resource, tmp_path)
        assert await tenant.get(provider) == "kept"

    asyncio.run(scenario())


@pytest.mark.slow
def test_nobody_can_read_its_secrets_from_outside(world: World) -> None:
    async def scenario() -> None:
        provider = world.provider()
        tenant = await Tenant(world).provision(provider)
        await tenant.put(provider, "kept")
        password = next(
            (value for name, value in tenant.resource.secret.items() if "password" in name or name == "key"), ""
        )
        assert password
        assert world.secrets_seen(password) == []
        assert password not in repr(tenant.resource)

    asyncio.run(scenario())


def test_unknown_options_are_refused(world: World) -> None:
    with pytest.raises(Invalid):
        world.provider().check(Tenant(world).resource.plan, {"surely-not-an-option": "true"})
