"""Any process may be killed at any moment: what was acknowledged is kept, what serves goes on serving."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.platform import HOMEPORT, Platform
from tests.e2e.projects import SERVER, hello


def kill(platform: Platform) -> None:
    pid = platform.endpoint["pid"]
    os.kill(pid, signal.SIGKILL)
    platform.eventually(lambda: not Path(f"/proc/{pid}").exists() or _zombie(pid), what="the end of the daemon")


def _zombie(pid: int) -> bool:
    try:
        return " Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


def again(platform: Platform) -> None:
    """The same ports as before, so that remotes and environments stay right."""
    endpoint = platform.endpoint
    platform.homeport(
        "up", "--detach", "--port", str(endpoint["https_port"]), "--http-port", str(endpoint["http_port"])
    ).ok()


def start_push(platform: Platform, project: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["git", "push", "heroku", "main"],
        cwd=project, env=platform.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"{text!r} was never said:\n{seen}")


SLOW = {
    "build": ({"bin/post_compile": "#!/bin/sh\necho compiling slowly\nsleep 20\n"}, "compiling slowly"),
    "release": ({"Procfile": "web: python server.py\nrelease: echo migrating; sleep 20\n"}, "migrating"),
    "rollout": ({"server.py": "import time\nprint('warming', flush=True)\ntime.sleep(20)\n"}, "Launching"),
}


def test_who_asks_for_a_sleeping_app_while_the_daemon_is_dead_is_served_when_it_is_back(own: Platform) -> None:
    project = own.project("shop", hello())
    own.homeport("create", "shop", cwd=project).ok()
    own.git(project, "push", "heroku", "main").ok()
    own.homeport("ps:type", "web=eco", "--app", "shop").ok()
    own.homeport("config:set", "HOMEPORT_SLEEP_AFTER=0.02", "--app", "shop").ok()
    own.eventually(lambda: "web.1: idle" in own.homeport("ps", "--app", "shop").ok().out, seconds=60, what="sleep")
    kill(own)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(own.get, "shop")
        time.sleep(1)  # it waits in the router
        assert not asked.done()
        again(own)
        assert asked.result(timeout=60)[0] == 200


@pytest.mark.parametrize("moment", list(SLOW))
def test_the_daemon_killed_during_a_deploy_loses_nothing(own: Platform, moment: str) -> None:
    project = own.project("shop", hello())
    own.homeport("create", "shop", cwd=project).ok()
    own.git(project, "push", "heroku", "main").ok()
    own.homeport("config:set", "GREETING=kept", cwd=project).ok()
    own.eventually(lambda: own.get("shop") == (200, "v1 kept /\n"), what="the config var")

    files, said = SLOW[moment]
    for path, content in files.items():
        (project / path).parent.mkdir(exist_ok=True)
        (project / path).write_text(content)
        (project / path).chmod(0o755)
    own.commit(project, "Slow")
    push = start_push(own, project)
    read_until(push, said)
    time.sleep(0.5)
    kill(own)
    assert own.get("shop") == (200, "v1 kept /\n")  # the router and the dynos do not need the daemon
    with push:
        assert push.wait(30) != 0

    again(own)
    assert own.get("shop") == (200, "v1 kept /\n")
    assert own.homeport("config:get", "GREETING", "-a", "shop").ok().out.strip() == "kept"
    listed = own.homeport("releases", "-a", "shop").ok().out
    assert "v3" in listed
    left = own.eventually(lambda: _dynos(own) == ["web.1"], what="only the dyno that serves")
    assert left
    (project / "server.py").write_text(SERVER.format(version="v9"))
    (project / "Procfile").write_text("web: python server.py\n")
    (project / "bin/post_compile").unlink(missing_ok=True)
    own.commit(project, "Quick")
    own.git(project, "push", "heroku", "main").ok()
    assert own.get("shop") == (200, "v9 kept /\n")


def test_a_config_var_whose_release_command_is_killed_with_the_daemon_is_set_by_the_next(
    own: Platform, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    command = f"echo run >>{tmp_path}/runs; until test -e {go}; do sleep 0.2; done"
    project = own.project("shop", hello(files={"Procfile": f"web: python server.py\nrelease: {command}\n"}))
    own.homeport("create", "shop", cwd=project).ok()
    go.touch()
    own.git(project, "push", "heroku", "main").ok()
    go.unlink()
    own.homeport("config:set", "GREETING=first", cwd=project).ok()
    own.homeport("config:set", "OTHER=second", cwd=project).ok()
    own.eventually(lambda: (tmp_path / "runs").read_text() == "run\n" * 2, what="the release command of v3")
    kill(own)
    again(own)
    assert own.get("shop") == (200, "v1 hello /\n")
    own.eventually(lambda: (tmp_path / "runs").read_text() == "run\n" * 3, what="the release command of v3 again")
    go.touch()
    own.eventually(lambda: _states(own) == ["succeeded"] * 4, what="the end of both")
    own.eventually(lambda: own.get("shop") == (200, "v1 first /\n"), what="the config var")
    assert own.homeport("config:get", "OTHER", "-a", "shop").ok().out == "second\n"


def _states(platform: Platform) -> list[str]:
    listed = json.loads(platform.homeport("releases", "--json", "-a", "shop").ok().out)
    return [release["status"] for release in listed]


def _dynos(platform: Platform) -> list[str]:
    listed = json.loads(platform.homeport("ps", "--json", "-a", "shop").ok().out)
    return sorted(dyno["name"] for dyno in listed)


def test_a_killed_dyno_comes_back_and_the_platform_can_be_stopped_and_started(own: Platform) -> None:
    project = own.project("shop", hello())
    own.homeport("create", "shop", cwd=project).ok()
    own.git(project, "push", "heroku", "main").ok()
    found = subprocess.run(
        ["pgrep", "-f", "^python server.py"], capture_output=True, text=True, check=False
    ).stdout.split()
    ours = [pid for pid in found if str(own.home) in str(Path(f"/proc/{pid}/cwd").readlink())]
    assert len(ours) == 1
    os.kill(int(ours[0]), signal.SIGKILL)
    own.eventually(
        lambda: "Process exited with status 137" in own.homeport("logs", "-a", "shop").out, what="the crash in the log"
    )
    own.eventually(lambda: own.get("shop")[0] == 200, what="the dyno that replaces it")

    endpoint = own.endpoint
    own.homeport("down", "--keep-dynos").ok()
    assert own.get("shop")[0] == 200
    own.homeport(
        "up", "--detach", "--port", str(endpoint["https_port"]), "--http-port", str(endpoint["http_port"])
    ).ok()
    assert own.get("shop")[0] == 200

    own.homeport("down").ok()
    assert own.homeport("status").code != 0
    assert not _processes_of(own)
    started = own.homeport("up", "--detach", "--port", "0", "--http-port", "0").ok()
    # The ports that were picked at first, unless somebody took one in this very moment.
    same = all(own.endpoint[port] == endpoint[port] for port in ("https_port", "http_port", "ssh"))
    assert same or "had picked before" in started.err
    own.eventually(lambda: own.get("shop") == (200, "v1 hello /\n"), what="the app after a restart")


def _processes_of(platform: Platform) -> list[str]:
    """Command lines of processes whose folder or arguments lie in this platform's home."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                place = str((entry / "cwd").readlink())
            except OSError:
                continue
            if str(platform.home) in command or place.startswith(str(platform.home)):
                found.append(command)
    return found


def test_who_waits_is_told_when_the_platform_is_stopped(own: Platform) -> None:
    project = own.project("shop", hello())
    own.homeport("create", "shop", cwd=project).ok()
    own.git(project, "push", "heroku", "main").ok()
    run = subprocess.Popen(
        [str(HOMEPORT), "run", "-a", "shop", "--exit-code", "echo here; sleep 300"],
        env=own.environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    read_until(run, "here")
    files, said = SLOW["release"]
    (project / "Procfile").write_text(files["Procfile"])
    own.commit(project, "Slow")
    push = start_push(own, project)
    read_until(push, said)

    own.homeport("down").ok()
    with push, run:
        assert "Homeport is being stopped, and this push was given up." in push.communicate(timeout=60)[0]
        assert "Homeport is being stopped, and this dyno with it." in run.communicate(timeout=60)[0]
    assert (push.returncode, run.returncode) == (1, 129)
    assert "Traceback" not in (own.home / "logs/daemon.log").read_text()


def test_two_daemons_on_one_folder_are_refused(own: Platform) -> None:
    second = own.homeport("up", "--port", "0", "--http-port", "0")
    assert second.code != 0
    assert "daemon_running" in second.both
    started = own.homeport("up", "--detach").ok()
    assert "already runs" in started.both
