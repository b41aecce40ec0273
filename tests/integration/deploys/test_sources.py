"""Servers that sources are fetched from, and that do not come to an end."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from homeport.deploys import source
from homeport.deploys.source import PushedCommit
from homeport.errors import Invalid
from homeport.git import Objects, environment

PATIENCE = 30.0
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def reaches_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEPORT_FETCH_NETWORKS", "127.0.0.0/8")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@contextlib.asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[str]:
    """The address of a server on loopback."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            await serve(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def with_a_submodule(folder: Path, url: str) -> None:
    """A repository of one commit, whose `vendor` is a commit of the repository at `url`."""

    def git(*arguments: str) -> None:
        by = {f"GIT_{who}_{what}": "ada@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        subprocess.run(("git", *arguments), cwd=folder, check=True, env=environment(by))

    git("init", "--quiet", "--template=", ".")
    (folder / ".gitmodules").write_text(f'[submodule "vendor"]\n\tpath = vendor\n\turl = {url}\n')
    git("add", ".gitmodules")
    git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor")
    git("commit", "--quiet", "-m", "Vendor it")


def test_nothing_of_git_goes_on_when_a_fetch_is_cancelled(tmp_path: Path) -> None:
    async def run() -> None:
        asked, hung_up = asyncio.Event(), asyncio.Event()

        async def say_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            with contextlib.suppress(ConnectionError):
                await reader.read()
            hung_up.set()

        async with served(say_nothing) as url:
            repository, into = tmp_path / "repository", tmp_path / "app"
            repository.mkdir()
            into.mkdir()
            await asyncio.to_thread(with_a_submodule, repository, f"{url}/vendor.git")
            objects = Objects(repository / ".git")
            pushed = PushedCommit(objects, await objects.commit("HEAD"))
            putting = asyncio.create_task(pushed.put(into, lambda _line: None))
            async with asyncio.timeout(PATIENCE):
                await asked.wait()
                putting.cancel()
                await asyncio.wait([putting])
                await hung_up.wait()
            assert putting.cancelled()

    asyncio.run(run())


def test_a_tarball_must_come_within_a_time_however_often_something_of_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def run() -> Invalid:
        async with served(trickle) as url, asyncio.timeout(PATIENCE):
            with pytest.raises(Invalid) as refused:
                await source.download(f"{url}/app.tar.gz", tmp_path / "app.tar.gz")
            return refused.value

    monkeypatch.setattr(source, "DOWNLOAD_SECONDS", 0.5)
    refused = asyncio.run(run())
    assert refused.id == "source_fetch_failed"
    assert "within" in (refused.why or "")
