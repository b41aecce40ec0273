"""The real git client against the git application on a real port."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from homeport.errors import Invalid, NotFound, Unauthorized
from homeport.git import GitApplication, Push, Receiver, Repositories
from homeport.git.smart_http import Caller

Decision = Callable[[Push, Callable[[str], None]], None]


@dataclass
class Server:
    """A running git server whose decision on pushes the test gives."""

    url: str
    repositories: Repositories
    decide: Decision = lambda push, say: None
    pushes: list[Push] = field(default_factory=list)
    slow: Decision | None = None
    waiting: threading.Event = field(default_factory=threading.Event)
    give_up: Callable[[], None] = lambda: None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, max_push_bytes=8 * 1024 * 1024) as running:
        yield running


@contextlib.contextmanager
def serving(root: Path, *, max_push_bytes: int) -> Iterator[Server]:
    ready = threading.Event()
    stop: list[Callable[[], None]] = []
    made: list[Server] = []

    async def decide(push: Push, say: Callable[[str], None]) -> None:
        made[0].pushes.append(push)
        if made[0].slow is not None:
            loop = asyncio.get_running_loop()

            def say_on_the_loop(line: str) -> None:
                loop.call_soon_threadsafe(say, line)

            await asyncio.to_thread(made[0].slow, push, say_on_the_loop)
        made[0].decide(push, say)

    async def authorize(app: str, authorization: str, writes: bool) -> Caller:
        if authorization != "Basic " + base64.b64encode(b"heroku:secret").decode():
            raise Unauthorized()
        if app != "shop":
            raise NotFound("app")
        return Caller("app-id", "user-id")

    async def main() -> None:
        for name in ("repositories", "spool", "run"):
            (root / name).mkdir()
        receiver = Receiver(root / "run/receive.sock", root / "run/hooks", decide)
        await receiver.start()
        repositories = Repositories(root / "repositories")
        answer = GitApplication(repositories, receiver, authorize, root / "spool", max_push_bytes)

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            async def watched(message: Message) -> None:
                await send(message)
                if b"Another push" in message.get("body", b""):
                    made[0].waiting.set()

            await answer(scope, receive, watched)

        http = uvicorn.Server(uvicorn.Config(application, port=0, log_level="error", lifespan="off"))
        task = asyncio.create_task(http.serve())
        while not http.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = http.servers[0].sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()

        def give_up() -> None:
            asyncio.run_coroutine_threadsafe(receiver.stop(), loop).result(60)

        made.append(Server(f"http://127.0.0.1:{port}", repositories, give_up=give_up))
        stop.append(lambda: setattr(http, "should_exit", True))
        ready.set()
        await task
        await receiver.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(10)
    try:
        yield made[0]
    finally:
        stop[0]()
        thread.join(10)


def git(folder: Path, *arguments: str, token: str = "secret") -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": f"!f() {{ echo username=heroku; echo password={token}; }}; f",
    }
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def project(tmp_path: Path, server: Server) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "app.py", "print('hello')\n")
    git(folder, "remote", "add", "heroku", f"{server.url}/shop.git")
    return folder


def commit(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    git(folder, "add", "-A")
    assert git(folder, "commit", "-qm", f"Change {name}").returncode == 0
    return git(folder, "rev-parse", "HEAD").stdout.strip()


def test_a_push_shows_what_is_said_and_arrives(server: Server, project: Path) -> None:
    def build(push: Push, say: Callable[[str], None]) -> None:
        say("-----> Python app detected")
        say("       häppy")

    server.decide = build
    pushed = git(project, "push", "heroku", "main")
    assert pushed.returncode == 0, pushed.stderr
    assert "remote: -----> Python app detected" in pushed.stderr
    assert "remote:        häppy" in pushed.stderr
    push = server.pushes[0]
    head = git(project, "rev-parse", "HEAD").stdout.strip()
    assert (push.app_id, push.user_id) == ("app-id", "user-id")
    assert [(u.old, u.new, u.ref) for u in push.updates] == [(None, head, "refs/heads/main")]


def test_a_refused_push_says_why_and_moves_nothing(server: Server, project: Path) -> None:
    def refuse(push: Push, say: Callable[[str], None]) -> None:
        raise Invalid("It does not build.", id="does_not_build", why="The moon is wrong.", fix="Wait.")

    server.decide = refuse
    pushed = git(project, "push", "heroku", "main")
    assert pushed.returncode == 1
    for line in (
        "remote:  !     It does not build.",
        "!     The moon is wrong.",
        "!     Wait.",
        "Error ID: does_not_build",
    ):
        assert line in pushed.stderr
    assert "pre-receive hook declined" in pushed.stderr
    assert git(project, "ls-remote", "heroku").stdout == ""


def test_the_objects_can_be_read_before_they_are_let_in(server: Server, project: Path, tmp_path: Path) -> None:
    seen: list[str] = []

    def read(push: Push, say: Callable[[str], None]) -> None:
        async def check_out() -> None:
            assert push.updates[0].new is not None
            commit = await push.objects.commit(push.updates[0].new)
            target = tmp_path / "checkout"
            target.mkdir()
            await push.objects.check_out(commit, target)
            seen.append(f"{commit.subject}: {(target / 'app.py').read_text()}")

        thread = threading.Thread(target=lambda: asyncio.run(check_out()))
        thread.start()
        thread.join()

    server.decide = read
    assert git(project, "push", "heroku", "main").returncode == 0
    assert seen == ["Change app.py: print('hello')\n"]


def test_a_clone_gives_back_what_was_pushed(server: Server, project: Path, tmp_path: Path) -> None:
    git(project, "push", "heroku", "main")
    cloned = git(tmp_path, "clone", "-q", f"{server.url}/shop.git", "again")
    assert cloned.returncode == 0, cloned.stderr
    assert (tmp_path / "again/app.py").read_text() == "print('hello')\n"


def test_a_force_push_replaces_the_history(server: Server, project: Path) -> None:
    git(project, "push", "heroku", "main")
    git(project, "commit", "-q", "--amend", "-m", "Better")
    assert git(project, "push", "heroku", "main").returncode == 1
    assert git(project, "push", "--force", "heroku", "main").returncode == 0


def test_a_push_of_several_megabytes_arrives(server: Server, project: Path) -> None:
    commit(project, "big.bin", os.urandom(5 * 1024 * 1024))
    pushed = git(project, "push", "heroku", "main")
    assert pushed.returncode == 0, pushed.stderr


def test_a_push_over_the_limit_is_refused_with_a_reason(server: Server, project: Path) -> None:
    commit(project, "huge.bin", os.urandom(9 * 1024 * 1024))
    pushed = git(project, "push", "heroku", "main")
    assert pushed.returncode != 0
    assert "remote:  !     This push is larger than the 8 MB" in pushed.stderr
    assert "push_too_large" in pushed.stderr
    assert server.pushes == []


def start_push(folder: Path, branch: str, results: dict[str, subprocess.CompletedProcess[str]]) -> threading.Thread:
    thread = threading.Thread(target=lambda: results.update({branch: git(folder, "push", "heroku", f"{branch}:main")}))
    thread.start()
    return thread


def two_pushes(server: Server, project: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """Push `one` and, while the server still works on it, `two`."""
    working, finish = threading.Event(), threading.Event()

    def slow(push: Push, say: Callable[[str], None]) -> None:
        say("working")
        if not working.is_set():
            working.set()
            assert finish.wait(20)

    # The decision blocks a thread of its own, so that the server goes on meanwhile.
    server.slow = slow
    results: dict[str, subprocess.CompletedProcess[str]] = {}
    first = start_push(project, "one", results)
    assert working.wait(20)
    second = start_push(project, "two", results)
    assert server.waiting.wait(20)
    finish.set()
    first.join(30)
    second.join(30)
    return results


def test_a_second_push_waits_for_the_first_and_follows_it(server: Server, project: Path) -> None:
    git(project, "push", "heroku", "main")
    git(project, "checkout", "-q", "-b", "one")
    commit(project, "app.py", "one\n")
    git(project, "checkout", "-q", "-b", "two")
    head = commit(project, "app.py", "two\n")
    results = two_pushes(server, project)
    assert results["one"].returncode == 0, results["one"].stderr
    assert results["two"].returncode == 0, results["two"].stderr
    assert "Another push to this app is under way" in results["two"].stderr
    assert git(project, "ls-remote", "heroku", "main").stdout.split()[0] == head


def test_one_persons_pushes_take_so_much_of_the_disk_and_no_more(server: Server, project: Path) -> None:
    """Two of the largest size are under way; a third one is not even kept until it is its turn."""
    working, finish = threading.Event(), threading.Event()

    def slow(_push: Push, _say: Callable[[str], None]) -> None:
        working.set()
        assert finish.wait(60)

    for branch in ("one", "two", "three"):
        git(project, "checkout", "-q", "-b", branch, "main")
        commit(project, f"{branch}.bin", os.urandom(6 * 1024 * 1024))
    server.slow = slow
    results: dict[str, subprocess.CompletedProcess[str]] = {}
    first = start_push(project, "one", results)
    assert working.wait(30)
    second = start_push(project, "two", results)
    assert server.waiting.wait(30)
    refused = git(project, "push", "heroku", "three:main")
    finish.set()
    assert refused.returncode != 0
    assert "remote:  !     Your pushes that are under way have more than 16 MB together." in refused.stderr
    assert "too_many_pushes" in refused.stderr
    first.join(60)
    second.join(60)
    server.slow = None
    assert results["one"].returncode == 0, results["one"].stderr
    again = git(project, "push", "--force", "heroku", "three:main")
    assert again.returncode == 0, again.stderr


def test_the_moved_refs_are_told_to_who_decides(server: Server, project: Path) -> None:
    git(project, "push", "heroku", "main")
    for branch in ("one", "two"):
        git(project, "checkout", "-q", "-b", branch, "main")
        commit(project, f"{branch}.py", branch)
    two_pushes(server, project)
    assert [push.moved for push in server.pushes[1:]] == [frozenset(), {"refs/heads/main"}]


def test_a_wrong_token_is_refused(server: Server, project: Path) -> None:
    pushed = git(project, "push", "heroku", "main", token="wrong")
    assert pushed.returncode != 0
    assert "Authentication failed" in pushed.stderr


def test_an_app_that_is_not_there_is_not_found(server: Server, project: Path) -> None:
    pushed = git(project, "push", f"{server.url}/nothing.git", "main")
    assert pushed.returncode != 0
    assert "Couldn't find that app." in pushed.stderr or "not found" in pushed.stderr


def test_hostile_trees_are_refused_by_git_itself(server: Server, project: Path) -> None:
    blob = git(project, "rev-parse", "HEAD:app.py").stdout.strip()
    evil = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
        cwd=project, input=b"100644 ../escape\x00" + bytes.fromhex(blob), capture_output=True, check=True,
    ).stdout.decode().strip()  # fmt: skip
    made = git(project, "commit-tree", evil, "-m", "evil").stdout.strip()
    pushed = git(project, "push", "--force", "heroku", f"{made}:refs/heads/main")
    assert pushed.returncode != 0
    assert "fullPathname" in pushed.stderr or "fsck" in pushed.stderr
    assert server.pushes == []


@pytest.mark.parametrize("path", ["/shop.git/config", "/shop.git/HEAD", "/shop.git/objects/info/packs", "/../state.db"])
def test_nothing_is_served_as_a_plain_file(server: Server, project: Path, path: str) -> None:
    import httpx

    git(project, "push", "heroku", "main")
    answer = httpx.get(server.url + path, auth=("heroku", "secret"))
    assert answer.status_code == 404


def test_who_pushes_is_told_that_the_platform_is_being_stopped(server: Server, project: Path) -> None:
    begun, finish = threading.Event(), threading.Event()

    def slow(_push: Push, _say: Callable[[str], None]) -> None:
        begun.set()
        finish.wait(60)

    server.slow = slow
    pushed: list[subprocess.CompletedProcess[str]] = []
    pushing = threading.Thread(target=lambda: pushed.append(git(project, "push", "heroku", "main")))
    pushing.start()
    try:
        assert begun.wait(60)
        server.give_up()
        pushing.join(60)
    finally:
        finish.set()
    pushed.append(git(project, "push", "heroku", "main"))  # in the moment that is left
    for push in pushed:
        assert push.returncode == 1
        assert "remote:  !     Homeport is being stopped, and this push was given up." in push.stderr
        assert "Error ID: platform_stopping" in push.stderr
    assert len(pushed) == 2
    assert len(server.pushes) == 1
    assert git(project, "ls-remote", "heroku").stdout == ""
