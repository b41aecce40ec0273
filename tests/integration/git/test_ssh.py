"""The real git and ssh clients against git over SSH on a real port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import pytest

from homeport import git as over_ssh
from homeport.errors import HomeportError, Invalid, NotFound
from homeport.git import Caller, GitOverSsh, Push, Receiver, Repositories, SshHost, Turns
from homeport.git.ssh import MOST_COMMANDS

Decision = Callable[[Push, Callable[[str], None]], None]
LIMIT = 8 * 1024 * 1024


@dataclass
class Server:
    """A running server. Who holds `key` may push to `shop`; what becomes of pushes the test decides."""

    host: SshHost
    folder: Path
    known: set[str] = field(default_factory=set)
    decide: Decision = lambda push, say: None
    pushes: list[Push] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return self.host.url("shop")

    async def knows(self, public_key: str) -> bool:
        return public_key in self.known

    async def admit(self, public_key: str, app: str, *, writes: bool) -> Caller:
        if app != "shop":
            raise NotFound("app", "Couldn't find that app.")
        return Caller("app-id", "user-id")

    def ssh(self, key: str = "key") -> list[str]:
        """What to type before the host name."""
        return [
            "ssh", "-F", "none", "-p", str(self.host.port), "-i", str(self.folder / key),
            "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=yes",
            "-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}", "-o", "GlobalKnownHostsFile=/dev/null",
        ]  # fmt: skip

    def type(self, *words: str, user: str = "git", key: str = "key") -> subprocess.CompletedProcess[str]:
        """`ssh git@localhost …`"""
        command = [*self.ssh(key), f"{user}@localhost", *words]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as running:
        yield running


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    for name in ("repositories", "run"):
        (folder / name).mkdir()
    ready = threading.Event()
    made: list[Server] = []

    async def decide(push: Push, say: Callable[[str], None]) -> None:
        made[0].pushes.append(push)
        loop = asyncio.get_running_loop()

        def say_on_the_loop(line: str) -> None:
            loop.call_soon_threadsafe(say, line)

        await asyncio.to_thread(made[0].decide, push, say_on_the_loop)

    async def main() -> None:
        key = over_ssh.host_key(folder / "host_key")
        listeners = over_ssh.listen(["127.0.0.1"], 0)
        server = Server(over_ssh.host("localhost", listeners[0].getsockname()[1], key), folder)
        made.append(server)
        receiver = Receiver(folder / "run/receive.sock", folder / "run/hooks", decide)
        await receiver.start()
        serve = GitOverSsh(Repositories(folder / "repositories"), receiver, server, Turns(), max_push_bytes=LIMIT)
        async with over_ssh.serving(listeners, key, server, serve):
            ready.set()
            await asyncio.to_thread(server.stop.wait)
            await receiver.stop()
        await receiver.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(60)
    server = made[0]
    (folder / "known_hosts").write_text(f"{server.host.known_hosts}\n")
    server.known.add(new_key(folder / "key"))
    try:
        yield server
    finally:
        server.stop.set()
        thread.join(60)


def new_key(path: Path, *options: str) -> str:
    subprocess.run(["ssh-keygen", "-q", *(options or ("-t", "ed25519")), "-N", "", "-f", str(path)], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def environment(server: Server, key: str = "key") -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(server.folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_SSH_COMMAND": " ".join(server.ssh(key)),
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
    }


def git(server: Server, folder: Path, *arguments: str, key: str = "key") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=environment(server, key), capture_output=True, text=True, timeout=120,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def start_push(server: Server, folder: Path, branch: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["git", "push", "heroku", f"{branch}:main"], cwd=folder, env=environment(server),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, server: Server) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(server, folder, "init", "-q", "-b", "main")
    commit(server, folder, "app.py", "print('hello')\n")
    git(server, folder, "remote", "add", "heroku", server.url)
    return folder


def commit(server: Server, folder: Path, name: str, content: str | bytes) -> str:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    git(server, folder, "add", "-A")
    assert git(server, folder, "commit", "-qm", f"Change {name}").returncode == 0
    return git(server, folder, "rev-parse", "HEAD").stdout.strip()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_push_shows_what_is_said_and_arrives(server: Server, project: Path) -> None:
    server.decide = lambda push, say: say("-----> Python app dëtected")
    pushed = git(server, project, "push", "heroku", "main")
    assert pushed.returncode == 0, pushed.stderr
    assert "remote: -----> Python app dëtected" in pushed.stderr
    (push,) = server.pushes
    head = git(server, project, "rev-parse", "HEAD").stdout.strip()
    assert (push.app_id, push.user_id) == ("app-id", "user-id")
    assert [(update.old, update.new, update.ref) for update in push.updates] == [(None, head, "refs/heads/main")]
    assert git(server, project, "push", "heroku", "main").stderr == "Everything up-to-date\n"


def test_a_refused_push_says_why_and_moves_nothing(server: Server, project: Path) -> None:
    def refuse(push: Push, say: Callable[[str], None]) -> None:
        raise Invalid("It does not build.", id="does_not_build", fix="Wait.")

    server.decide = refuse
    pushed = git(server, project, "push", "heroku", "main")
    assert pushed.returncode == 1
    for line in ("remote:  !     It does not build.", "!     Wait.", "Error ID: does_not_build", "hook declined"):
        assert line in pushed.stderr
    assert git(server, project, "ls-remote", "heroku").stdout == ""


def test_what_was_pushed_is_cloned_fetched_and_deleted(server: Server, project: Path, tmp_path: Path) -> None:
    git(server, project, "push", "heroku", "main", "main:other")
    cloned = git(server, tmp_path, "clone", "-q", server.url, "again")
    assert cloned.returncode == 0, cloned.stderr
    assert (tmp_path / "again/app.py").read_text() == "print('hello')\n"
    head = commit(server, project, "app.py", "print('again')\n")
    git(server, project, "push", "heroku", "main")
    assert git(server, tmp_path / "again", "pull", "-q").returncode == 0
    assert git(server, tmp_path / "again", "rev-parse", "HEAD").stdout.strip() == head
    assert git(server, project, "push", "heroku", ":other").returncode == 0
    assert "other" not in git(server, project, "ls-remote", "heroku").stdout


@pytest.mark.parametrize("megabytes", [5, 9])
def test_a_large_push_arrives_up_to_the_limit(server: Server, project: Path, megabytes: int) -> None:
    commit(server, project, "big.bin", os.urandom(megabytes * 1024 * 1024))
    pushed = git(server, project, "push", "heroku", "main")
    assert (pushed.returncode == 0) == (megabytes * 1024 * 1024 < LIMIT), pushed.stderr
    assert len(server.pushes) == (1 if megabytes * 1024 * 1024 < LIMIT else 0)
    if not server.pushes:
        assert "pack exceeds maximum allowed size" in pushed.stderr


def test_a_second_push_waits_for_the_first_and_follows_it(server: Server, project: Path) -> None:
    git(server, project, "push", "heroku", "main")
    finish = threading.Event()

    def wait(push: Push, say: Callable[[str], None]) -> None:
        assert finish.wait(60)

    server.decide = wait
    git(server, project, "checkout", "-q", "-b", "one")
    commit(server, project, "app.py", "one\n")
    first = start_push(server, project, "one")
    until(lambda: len(server.pushes) == 2)
    git(server, project, "checkout", "-q", "-b", "two")
    head = commit(server, project, "app.py", "two\n")
    second = start_push(server, project, "two")
    assert second.stderr is not None
    assert "Another push to this app is under way" in second.stderr.readline()
    finish.set()
    assert first.communicate(timeout=60)
    assert second.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0)
    assert server.pushes[2].moved == {"refs/heads/main"}
    assert git(server, project, "ls-remote", "heroku", "main").stdout.split()[0] == head


def test_a_build_goes_on_when_its_client_is_gone(server: Server, project: Path) -> None:
    finish, ended = threading.Event(), threading.Event()

    def decide(push: Push, say: Callable[[str], None]) -> None:
        assert finish.wait(60)
        for number in range(20_000):
            say(f"line {number}, which nobody reads any more")
        ended.set()

    server.decide = decide
    push = start_push(server, project, "main")
    until(lambda: len(server.pushes) == 1)
    os.killpg(push.pid, 9)
    push.communicate()
    finish.set()
    assert ended.wait(60)
    until(lambda: "refs/heads/main" in git(server, project, "ls-remote", "heroku").stdout)


def test_a_key_that_nobody_added_is_told_what_to_do(server: Server, project: Path, tmp_path: Path) -> None:
    new_key(tmp_path / "other")
    pushed = git(server, project, "push", "heroku", "main", key="other")
    assert pushed.returncode != 0
    assert "heroku keys:add" in pushed.stderr
    assert "Permission denied" in pushed.stderr
    assert server.pushes == []


def test_a_known_key_among_others_is_found_without_a_word(server: Server, project: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        new_key(tmp_path / name)
    offered = [option for name in ("a", "b", "c", "key") for option in ("-i", str(tmp_path / name))]
    command = [*server.ssh("a"), *offered, "git@localhost", "git-upload-pack 'shop.git'"]
    shown = subprocess.run(command, capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert b"keys:add" not in shown.stderr
    assert shown.stdout.endswith(b"0000")


def test_only_git_logs_in(server: Server) -> None:
    shown = server.type("git-upload-pack 'shop.git'", user="root")
    assert shown.returncode == 255
    assert "Log in as git" in shown.stderr


@pytest.mark.parametrize("kind", [("-t", "rsa", "-b", "2048"), ("-t", "ecdsa", "-b", "384")])
def test_other_kinds_of_keys(server: Server, tmp_path: Path, kind: tuple[str, ...]) -> None:
    server.known.add(new_key(tmp_path / "other", *kind))
    assert "no shell here" in server.type("true", key="other").stderr


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("ls", "/"),
        ("git-upload-archive", "'shop.git'"),
        ("git-upload-pack",),
        ("git-upload-pack", "--help", "shop.git"),
        ("git-upload-pack", "'../../secrets'"),
        ("git-upload-pack", "'/etc/shop.git'"),
        ("git-upload-pack", "'shop.git';", "ls"),
        ("git", "-c", "core.pager=sh", "upload-pack", "shop.git"),
        ("git-receive-pack", "'unfinished"),
    ],
)
def test_there_is_no_shell(server: Server, command: tuple[str, ...]) -> None:
    shown = server.type(*command)
    assert shown.returncode == 1
    assert shown.stdout == ""
    assert "there is no shell here" in shown.stderr


def test_somebody_elses_app_is_not_found(server: Server) -> None:
    shown = server.type("git-upload-pack 'other.git'")
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "Couldn't find that app." in shown.stderr
    assert "Error ID: not_found" in shown.stderr


def test_there_are_no_files_and_no_terminals(server: Server, tmp_path: Path) -> None:
    options = [word for word in server.ssh()[1:] if word != "-p"]
    options.remove(str(server.host.port))
    for program in ("sftp", "scp"):
        command = [program, "-P", str(server.host.port), *options, "git@localhost:x", str(tmp_path / "got")]
        assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode != 0
    assert not (tmp_path / "got").exists()
    shown = server.type("-tt")
    assert "PTY allocation request failed" in shown.stderr


def test_nothing_is_forwarded(server: Server) -> None:
    reached = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as secret:
        port = secret.getsockname()[1]
        accepting = threading.Thread(target=_accept, args=(secret, reached), daemon=True)
        accepting.start()
        command = [*server.ssh(), "-W", f"127.0.0.1:{port}", "git@localhost"]
        shown = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
        )
        assert shown.returncode != 0
        assert not reached.is_set()
        listening = [
            *server.ssh(),
            "-o",
            "ExitOnForwardFailure=yes",
            "-N",
            "-R",
            f"0:127.0.0.1:{port}",
            "git@localhost",
        ]
        assert subprocess.run(listening, capture_output=True, timeout=60, check=False).returncode == 255
        socket.create_connection(("127.0.0.1", port)).close()  # end the thread
        accepting.join(60)


def _accept(listener: socket.socket, reached: threading.Event) -> None:
    listener.accept()[0].close()
    reached.set()


def test_a_client_that_says_nothing_gets_in_nobodys_way(server: Server, project: Path) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.host.port)) for _ in range(20)]
    try:
        assert git(server, project, "push", "heroku", "main").returncode == 0
    finally:
        for connection in silent:
            connection.close()


def test_too_many_strangers_are_turned_away_and_others_come_in_after_them(server: Server, project: Path) -> None:
    strangers = [socket.create_connection(("127.0.0.1", server.host.port)) for _ in range(40)]
    try:
        until(lambda: any(_is_closed(stranger) for stranger in strangers))
    finally:
        for stranger in strangers:
            stranger.close()
    until(lambda: git(server, project, "ls-remote", "heroku").returncode == 0)


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0.05)
    with contextlib.suppress(TimeoutError):
        try:
            return connection.recv(4096) == b""
        except ConnectionError:
            return True
    return False


def test_the_host_key_stays(tmp_path: Path) -> None:
    path = tmp_path / "key"
    first = over_ssh.host_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert over_ssh.host_key(path).get_fingerprint() == first.get_fingerprint()
    path.write_text("nonsense")
    with pytest.raises(HomeportError) as caught:
        over_ssh.host_key(path)
    assert caught.value.id == "ssh_host_key_unreadable"


def test_how_a_host_is_called(tmp_path: Path) -> None:
    key = over_ssh.host_key(tmp_path / "key")
    near, far = over_ssh.host("localhost", 2222, key), over_ssh.host("git.example.com", 22, key)
    assert near.url("shop") == "ssh://git@localhost:2222/shop.git"
    assert near.known_hosts.startswith("[localhost]:2222 ssh-ed25519 ")
    assert far.url("shop") == "git@git.example.com:shop.git"
    assert far.known_hosts.startswith("git.example.com ssh-ed25519 ")


def test_one_connection_has_only_so_many_commands_at_once(server: Server) -> None:
    async def scenario() -> None:
        async with asyncssh.connect(
            "127.0.0.1", server.host.port, username="git", client_keys=[str(server.folder / "key")], known_hosts=None,
            config=None, agent_path=None,
        ) as connection:  # fmt: skip
            command = "git-receive-pack 'shop.git'"
            waiting = [await connection.create_process(command, encoding=None) for _ in range(MOST_COMMANDS)]
            refused = await connection.run(command, check=False)
            assert (refused.exit_status, "Too many commands" in str(refused.stderr)) == (1, True)
            for process in waiting:
                process.stdin.write(b"0000")
                process.stdin.write_eof()
            for process in waiting:
                assert (await process.wait(timeout=60)).exit_status == 0
            nothing = await connection.run(command, input="0000", check=False, timeout=60)
            assert nothing.exit_status == 0

    asyncio.run(scenario())


def test_who_pushes_is_told_that_the_platform_is_being_stopped(server: Server, project: Path) -> None:
    finish = threading.Event()

    def wait(_push: Push, _say: Callable[[str], None]) -> None:
        finish.wait(60)

    server.decide = wait
    push = start_push(server, project, "main")
    try:
        until(lambda: len(server.pushes) == 1)
        server.stop.set()
        _, said = push.communicate(timeout=60)
    finally:
        finish.set()
    assert push.returncode == 1
    assert "remote:  !     Homeport is being stopped, and this push was given up." in said
    assert "hook declined" in said
