from __future__ import annotations

from collections.abc import Iterable

from homeport.router.configuration import Configuration
from homeport.router.control import RunningServer
from homeport.router.plan import Reload, Snapshot, delete_server, load_certificate, plan
from homeport.router.route_table import Server

WEB_1 = Server("11111111-aaaa", "web.1", "127.0.0.1", 5001)
WEB_2 = Server("22222222-aaaa", "web.2", "127.0.0.1", 5002)


def wanted(*servers: Server, hosts: dict[str, str] | None = None, digest: str = "same") -> Configuration:
    return Configuration("", digest, {"app-a": servers}, {"a.localhost": "up/a/a"} if hosts is None else hosts)


def as_running(server: Server, *, taking: bool = True, port: int | None = None) -> RunningServer:
    return RunningServer("app-a", f"{server.name}:{server.dyno_id[:8]}", server.host, port or server.port, taking)


def running(
    *servers: RunningServer,
    backends: Iterable[str] = ("app-a",),
    hosts: dict[str, str] | None = None,
    certificates: Iterable[str] = (),
) -> Snapshot:
    there: dict[str, list[RunningServer]] = {name: [] for name in backends}
    if servers:
        there["app-a"] = list(servers)
    return Snapshot("same", there, {"a.localhost": "up/a/a"} if hosts is None else hosts, set(certificates))


def commands(todo_wanted: Configuration, todo_running: Snapshot) -> list[str]:
    return [command.text for command in plan(todo_wanted, (), todo_running).commands]


def test_nothing_to_do_is_nothing_done() -> None:
    todo = plan(wanted(WEB_1), ("c",), running(as_running(WEB_1), certificates=("c",)))
    assert todo == type(todo)()


def test_a_new_dyno_is_added_before_it_is_routed_to() -> None:
    assert commands(wanted(WEB_1), running(hosts={"a.localhost": "starting/a/a"})) == [
        "add server app-a/web.1:11111111 127.0.0.1:5001",
        "enable server app-a/web.1:11111111",
        "set map router/hosts.map a.localhost up/a/a",
    ]


def test_a_dyno_that_leaves_is_taken_out_after_the_new_one_serves_and_then_deleted() -> None:
    todo = plan(wanted(WEB_2), (), running(as_running(WEB_1)))
    assert [command.text for command in todo.commands] == [
        "add server app-a/web.2:22222222 127.0.0.1:5002",
        "enable server app-a/web.2:22222222",
        "disable server app-a/web.1:11111111",
    ]
    assert todo.leaving == (("app-a", "web.1:11111111"),)
    assert delete_server(*todo.leaving[0]).text == "del server app-a/web.1:11111111"


def test_the_last_dyno_is_taken_out_after_requests_go_elsewhere() -> None:
    gone = wanted(hosts={"a.localhost": "H10/a/a"})
    assert commands(gone, running(as_running(WEB_1))) == [
        "set map router/hosts.map a.localhost H10/a/a",
        "disable server app-a/web.1:11111111",
    ]


def test_what_drains_already_is_only_waited_for() -> None:
    todo = plan(wanted(WEB_2), (), running(as_running(WEB_1, taking=False), as_running(WEB_2)))
    assert todo.commands == ()
    assert todo.leaving == (("app-a", "web.1:11111111"),)


def test_a_dyno_that_drains_by_mistake_is_taken_back() -> None:
    assert commands(wanted(WEB_1), running(as_running(WEB_1, taking=False))) == ["enable server app-a/web.1:11111111"]


def test_the_servers_of_an_app_that_is_gone_go() -> None:
    nothing = Configuration("", "same", {}, {})
    assert commands(nothing, running(as_running(WEB_1))) == [
        "del map router/hosts.map a.localhost",
        "disable server app-a/web.1:11111111",
    ]


def test_host_names_come_change_and_go() -> None:
    there = {"same.x": "up/a/a", "old.x": "up/a/a", "changed.x": "up/a/a"}
    now = {"same.x": "up/a/a", "changed.x": "H80/a/a", "new.x": "up/a/a"}
    assert commands(wanted(hosts=now), running(hosts=there)) == [
        "set map router/hosts.map changed.x H80/a/a",
        "add map router/hosts.map new.x up/a/a",
        "del map router/hosts.map old.x",
    ]


def test_another_skeleton_needs_a_reload_now() -> None:
    assert plan(wanted(WEB_1, digest="new"), (), running(as_running(WEB_1))).reload is Reload.NOW


def test_a_backend_that_nobody_needs_yet_can_wait() -> None:
    todo = plan(wanted(), (), running(backends=(), hosts={}))
    assert todo.reload is Reload.SOON
    assert [command.text for command in todo.commands] == ["add map router/hosts.map a.localhost up/a/a"]


def test_a_backend_with_a_dyno_cannot_wait() -> None:
    assert plan(wanted(WEB_1), (), running(backends=())).reload is Reload.NOW


def test_a_dyno_elsewhere_under_the_same_id_needs_a_reload() -> None:
    assert plan(wanted(WEB_1), (), running(as_running(WEB_1, port=9))).reload is Reload.NOW


def test_certificates_are_loaded_and_forgotten() -> None:
    todo = plan(wanted(), ("new", "kept"), running(certificates=("kept", "old")))
    assert todo.certificates == ("new",)
    assert todo.stale_certificates == ("old",)


def test_a_certificate_ends_with_the_empty_line_that_ends_a_payload() -> None:
    texts = [command.text for command in load_certificate("tls/x.pem", "PEM\n\n")]
    assert texts[1] == "set ssl cert tls/x.pem <<\nPEM\n"
    assert texts[-1] == "add ssl crt-list router/certificates.list tls/x.pem"
