"""What comes in from outside and what carries it out: pushes, deploys, promotions, app setups; the API over them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from homeport import __version__, api, deploys, git, logs, pipelines, setups
from homeport.builds import Builder
from homeport.daemon import doors, secrets
from homeport.daemon.parts import Core


@dataclass(frozen=True)
class Work:
    """The parts that deploy. `turns` limits how much git does at once, over HTTPS and SSH together."""

    repositories: git.Repositories
    turns: git.Turns
    receiver: git.Receiver
    builder: Builder
    launcher: deploys.Launcher
    deployer: deploys.Deploys
    releaser: deploys.Releaser
    promoter: pipelines.Promoter
    setups: setups.Setups

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take in pushes inside the block; at its end, give up what is under way."""
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self.builder.close)
            await self.receiver.start()
            stack.push_async_callback(self.receiver.close)
            stack.push_async_callback(self.deployer.close)
            stack.push_async_callback(self.setups.close)
            yield

    async def give_up(self) -> None:
        """End what somebody waits for, and tell them. For the end, while they can still be told."""
        await self.receiver.stop()
        await self.deployer.close()


def make_work(core: Core, where: api.Urls) -> Work:
    home, database, journal = core.home, core.database, core.logs
    builder = Builder(home, core.store)
    outputs = deploys.Outputs(home.builds / "releases")
    publish = core.fleet.parts.routes.changed
    launcher = deploys.Launcher(
        database,
        core.fleet,
        core.addons.snapshots,
        journal,
        where.app_url,
        publish,
        outputs,
        core.addons.addons.attached,
    )
    deployer = deploys.Deploys(home, database, builder, launcher, journal)
    return Work(
        repositories=git.Repositories(home.repositories),
        turns=git.Turns(),
        receiver=git.Receiver(home.run / "receive.sock", home.run / "hooks", deploys.PushPolicy(deployer.push)),
        builder=builder,
        launcher=launcher,
        deployer=deployer,
        releaser=deploys.Releaser(database, launcher, journal),
        promoter=pipelines.Promoter(database, launcher, journal),
        setups=setups.Setups(home, database, core.addons.addons, deployer, core.fleet, journal),
    )


def make_application(core: Core, work: Work, where: api.Urls, ssh_host: git.SshHost | None) -> doors.Platform:
    """What answers behind the platform's own host names."""
    home = core.home
    platform_api = api.application(
        api.Core(
            database=core.database,
            fleet=core.fleet,
            logs=core.logs,
            log_sessions=logs.Sessions(secrets.session_key(home)),
            urls=where,
            version=__version__,
            deploys=work.deployer,
            addons=core.addons.addons,
            data=core.addons.data,
            scheduler=core.scheduler,
            setups=work.setups,
            uploads=home.builds / "uploads",
            release_outputs=work.launcher.outputs,
            pipelines=api.Pipelines(work.promoter, pipelines.Comparer(core.database, work.repositories)),
            ssh=ssh_host,
        )
    )
    smart_http = git.GitApplication(
        work.repositories, work.receiver, doors.Doorkeeper(core.database), home.builds, turns=work.turns
    )
    return doors.Platform(platform_api, smart_http)
