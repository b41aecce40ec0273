"""One build from left to right: a source folder in, a slug's layers out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from homeport.buildpacks import (
    BuildFailed,
    Buildpack,
    Classic,
    Compiled,
    FailureId,
    Output,
    Project,
    Voice,
    read_procfile,
)
from homeport.builds import slugignore, sources, subdirectory, testing
from homeport.builds.chain import compile_all
from homeport.builds.choice import choose, references
from homeport.builds.environment import build_environment, masked
from homeport.builds.job import Built, Job
from homeport.builds.process_types import discover
from homeport.builds.shell import LimitedShell, kill_marked
from homeport.builds.slug import code_key, human, keep_code, weigh
from homeport.home import Home
from homeport.slugs import Scratch, Store, remove

GRACE = 600.0


@dataclass(frozen=True)
class Limits:
    """What one build may use. Heroku: 15 minutes, 1 GB of source, 500 MB of slug, which is compressed there."""

    seconds: float = 900.0
    tests: float = 3600.0  # seconds that the app's own tests may take on top of that
    output: int = 4_000_000  # characters shown
    code: int = 1_000_000_000  # bytes; every dyno gets a copy
    slug: int = 4_000_000_000  # bytes, code and layers together, uncompressed; layers are shared


class Builder:
    """Makes slugs. Several builds may run at once; any of them may be cancelled or killed at any moment."""

    def __init__(
        self,
        home: Home,
        store: Store,
        *,
        limits: Limits | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """`environ` is the daemon's environment, of which builds get a small part."""
        self._store = store
        self._limits = limits or Limits()
        self._environ = dict(os.environ if environ is None else environ)
        self._cache = home.builds / "cache"
        self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._scratch = Scratch(home.builds / "work", abandoned=_kill_left_behind)

    async def build(self, job: Job, out: Output) -> Built:
        """Build and return the slug's parts, all of them kept in the store; then run the app's tests if it wants that.

        `out` gets every line in Heroku's form, the reason of a failure too. The source folder is consumed: it has
        been moved or deleted afterwards. Raises `BuildFailed`.
        """
        voice = Voice(on_this_loop(masked(out, job.env)))
        work = self._scratch.folder("build")
        try:
            async with _within(self._limits.seconds):
                built, suite = await self._build(job, voice, work)
            if suite is not None:
                async with _within(self._limits.tests):
                    await self._test(job, built, suite, voice, work)
            return built
        except BuildFailed as failure:
            raise _told(voice, failure) from failure.__cause__
        except OSError as error:
            if error.errno not in sources.DISK_FULL:
                raise
            raise _told(voice, sources.disk_full()) from error
        finally:
            await asyncio.to_thread(_clear, work, job.source)

    async def _build(self, job: Job, voice: Voice, work: Path) -> tuple[Built, testing.Suite | None]:
        source_id = await asyncio.to_thread(sources.check, job.source, job.source_id)
        voice.step(f"Building on {sources.operating_system()}")
        wanted = references(job.buildpack_urls, self._environ)
        in_folder = subdirectory.setting(job.env, wanted)
        if path := await asyncio.to_thread(subdirectory.narrow, job.source, in_folder, voice):
            source_id = f"{source_id}:{path}"
        suite = testing.wanted(job.env, job.source, always=job.tests)
        buildpacks = choose(wanted, job.source, voice)
        lost = await asyncio.to_thread(slugignore.apply, job.source, voice)
        project = self._project(job, source_id, work)
        shell = LimitedShell(voice, self._environment(job, job.env, work), mark=work, budget=self._limits.output)
        without = self._environment(job, {}, work)
        bare = {name: without.get(name) for name in job.env}
        try:
            with slugignore.remembered(lost):
                name, compiled = await compile_all(buildpacks, project, shell, bare, self._store, voice, _check_early)
        finally:
            await asyncio.to_thread(shell.close)
        process_types = discover(job.source, compiled, voice)
        code = await asyncio.to_thread(keep_code, self._store, job.source, source_id, compiled.influence)
        return self._finish(code, compiled, process_types, name, voice), suite

    async def _test(self, job: Job, built: Built, suite: testing.Suite, voice: Voice, work: Path) -> None:
        voice.doing = "test"
        folder = work / "test"
        await asyncio.to_thread(testing.lay_out, built, folder, self._store)
        shell = LimitedShell(voice, self._environment(job, {}, work), mark=work, budget=self._limits.output)
        try:
            env = testing.environment(suite, built, folder, job.commit, self._store)
            await testing.run(suite, env, folder, shell, voice)
        finally:
            await asyncio.to_thread(shell.close)

    def _finish(self, code: str, compiled: Compiled, process_types: dict[str, str], name: str, voice: Voice) -> Built:
        voice.blank()
        voice.step("Saving the slug...")
        sizes = weigh(self._store, code, compiled.layers, most_code=self._limits.code, most=self._limits.slug)
        voice.detail(f"Done: {human(sum(sizes))} (code {human(sizes[0])}, dependencies {human(sum(sizes[1:]))})")
        return Built(
            code=code,
            layers=list(compiled.layers),
            profile=dict(compiled.profile),
            process_types=process_types,
            buildpack=name,
            size=sum(sizes),
            warnings=list(voice.warnings),
        )

    def _project(self, job: Job, source_id: str, work: Path) -> Project:
        return Project(
            source=job.source,
            config=job.env,
            cache=self._cache,
            app_cache=self._app_cache(job.app_id),
            scratch=work,
            source_id=source_id,
            commit_time=job.commit_time,
            previous_layers=tuple(job.previous.layers) if job.previous else (),
            code_known=lambda influence: self._store.has(code_key(source_id, influence)),
            environ=self._environ,
        )

    def _app_cache(self, app_id: str) -> Path:
        return self._cache / "apps" / app_id

    def _environment(self, job: Job, config: Mapping[str, str], work: Path) -> dict[str, str]:
        home, temporary, cache = work / "home", work / "tmp", self._app_cache(job.app_id)
        for folder in (home, temporary, cache):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return build_environment(
            config,
            self._environ,
            home=home,
            temporary=temporary,
            cache=cache,
            source=job.source,
            commit=job.commit,
        )

    def sweep(self, app_ids: Collection[str], *, grace: float = GRACE) -> None:
        """Remove what scripts have cached between builds of apps other than these; not what was touched in the last
        `grace` seconds, whose apps may be younger than `app_ids`."""
        apps = self._cache / "apps"
        for cache in [*apps.iterdir()] if apps.exists() else []:
            with contextlib.suppress(FileNotFoundError):
                young = time.time() - cache.stat().st_mtime < grace
                if not young and cache.name not in app_ids:
                    remove(cache)

    def close(self) -> None:
        """Clear the work folders away. What is in the cache and the store stays."""
        self._scratch.close()


def on_this_loop(out: Output) -> Output:
    """What threads say is said on the loop: sockets and events behind `out` bear nothing else. It stays in order, and
    is said before whoever waits for the thread goes on."""
    loop, thread = asyncio.get_running_loop(), threading.get_ident()

    def say(line: str) -> None:
        if threading.get_ident() == thread:
            out(line)
        else:
            loop.call_soon_threadsafe(out, line)

    return say


@contextlib.asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    """Raises `BuildFailed` (`build_timeout`)."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise _timeout(seconds) from None


def _told(voice: Voice, failure: BuildFailed) -> BuildFailed:
    voice.failure(failure)
    voice.push_rejected()
    return failure


def _check_early(buildpacks: Sequence[Buildpack], source: Path) -> None:
    """A wrong Procfile fails now, not after the dependencies are in, unless something may still write it."""
    if not (source / "bin" / "pre_compile").exists() and not any(isinstance(one, Classic) for one in buildpacks):
        read_procfile(source)


def _clear(work: Path, source: Path) -> None:
    remove(work)
    if source.is_symlink():  # a script has put it there
        source.unlink()
    remove(source)


def _kill_left_behind(folder: Path) -> None:
    """End what the builds of a killed daemon have left running."""
    for work in folder.iterdir():
        kill_marked(work)


def _timeout(seconds: float) -> BuildFailed:
    return BuildFailed(
        FailureId.BUILD_TIMEOUT,
        f"The build took longer than {seconds / 60:.0f} minutes." if seconds >= 60 else "The build took too long.",
        why="Builds are stopped then, as on Heroku, so that one that hangs does not block the next.",
        fix="The output above ends where it hung. Dependencies that are compiled for a long time are best pinned\n"
        "to a version that has a wheel for your Python.",
    )
