from __future__ import annotations

import dataclasses

import pytest

from homeport.router import AppRoute, AppState, RouteTable, Server, Timeouts
from homeport.router.configuration import (
    api_certificate_list,
    certificate_names,
    companion_files,
    configure,
    server_name,
)
from homeport.router.settings import Settings

SETTINGS = Settings(
    domain="localhost",
    https_port=8443,
    http_port=8080,
    addresses=("127.0.0.1", "::1"),
    api_socket="run/api.sock",
    rendezvous_socket="run/rendezvous.sock",
)
WEB_1 = Server("11111111-aaaa", "web.1", "127.0.0.1", 5001)
WEB_2 = Server("22222222-aaaa", "web.2", "fd00::2", 5002)


def app(name: str, state: AppState = AppState.UP, *servers: Server, hostnames: tuple[str, ...] = ()) -> AppRoute:
    return AppRoute(f"id-of-{name}", name, (f"{name}.localhost", *hostnames), state, servers)


def section(text: str, title: str) -> list[str]:
    """The lines of a section, without indentation."""
    lines = text.splitlines()
    begin = lines.index(title) + 1
    end = next((i for i in range(begin, len(lines)) if lines[i] and not lines[i].startswith(" ")), len(lines))
    return [line.strip() for line in lines[begin:end] if line.strip()]


def test_every_app_is_a_backend_with_its_servers() -> None:
    made = configure(RouteTable((app("shop", AppState.UP, WEB_1, WEB_2), app("blog", AppState.NO_WEB))), SETTINGS)
    assert section(made.text, "backend app-id-of-shop from app") == [
        "server web.1:11111111 127.0.0.1:5001",
        "server web.2:22222222 [fd00::2]:5002",
    ]
    assert section(made.text, "backend app-id-of-blog from app") == []


@pytest.mark.parametrize(
    ("state", "route"),
    [
        (AppState.UP, "up"),
        (AppState.STARTING, "starting"),
        (AppState.CRASHED, "H10"),
        (AppState.NO_WEB, "H14"),
        (AppState.MAINTENANCE, "H80"),
    ],
)
def test_a_host_name_says_state_id_and_name(state: AppState, route: str) -> None:
    made = configure(RouteTable((app("shop", state),)), SETTINGS)
    assert made.hosts_map.splitlines()[-1] == f"shop.localhost {route}/id-of-shop/shop"


def test_the_api_is_at_localhost_and_under_a_domain_at_its_names() -> None:
    def api(domain: str) -> set[str]:
        made = configure(RouteTable(), dataclasses.replace(SETTINGS, domain=domain))
        return {host for host, where in made.hosts.items() if where == "api"}

    assert api("localhost") == {"localhost", "127.0.0.1", "[::1]"}
    assert api("example.com") == api("localhost") | {"example.com", "api.example.com", "git.example.com"}


def test_nobody_takes_anybody_elses_host_name() -> None:
    thief = app("thief", AppState.UP, hostnames=("localhost", "shop.localhost", "free.example.org"))
    hosts = configure(RouteTable((thief, app("shop"))), SETTINGS).hosts
    assert hosts["localhost"] == "api"
    assert hosts["shop.localhost"] == "up/id-of-shop/shop"
    assert hosts["free.example.org"] == "up/id-of-thief/thief"


@pytest.mark.parametrize("hostname", ["two words", "new\nline", "semi;colon", "UPPER.example", "*", "a.*.b", ""])
def test_a_host_name_that_is_none_cannot_reach_the_map(hostname: str) -> None:
    made = configure(RouteTable((app("shop", AppState.UP, hostnames=(hostname,)),)), SETTINGS)
    assert hostname not in made.hosts


def test_servers_come_and_go_without_another_skeleton() -> None:
    one = configure(RouteTable((app("shop", AppState.UP, WEB_1),)), SETTINGS)
    two = configure(RouteTable((app("shop", AppState.CRASHED), app("blog"))), SETTINGS)
    assert one.digest == two.digest
    assert f"description homeport-{one.digest}" in one.text


@pytest.mark.parametrize(
    "change",
    [
        {"https_port": 9443},
        {"addresses": ("0.0.0.0",)},
        {"api_socket": "elsewhere.sock"},
        {"timeouts": Timeouts(first_byte=1)},
        {"threads": 1},
        {"version": (3, 0)},
        {"lua": False},
    ],
)
def test_other_settings_are_another_skeleton(change: dict[str, object]) -> None:
    changed = dataclasses.replace(SETTINGS, **change)  # type: ignore[arg-type]
    assert configure(RouteTable(), changed).digest != configure(RouteTable(), SETTINGS).digest


def test_dynos_of_the_same_name_can_be_told_apart() -> None:
    assert server_name(WEB_1) != server_name(dataclasses.replace(WEB_1, dyno_id="33333333-bbbb"))


def test_the_doors_are_where_they_should_be() -> None:
    text = configure(RouteTable(), SETTINGS).text
    https = section(text, "frontend https from base")
    assert https[0] == "mode tcp"
    assert https[1].startswith("bind 127.0.0.1:8443,[::1]:8443 v6only ssl ")
    assert https[1].endswith(" alpn h2,http/1.1")
    assert "bind 127.0.0.1:8080,[::1]:8080 v6only" in section(text, "frontend http from base")


def test_the_api_is_in_clear_for_this_machine_only() -> None:
    http = section(configure(RouteTable(), SETTINGS).text, "frontend http from base")
    local = http.index("use_backend api if { var(txn.route) -m str api } { src 127.0.0.0/8 ::1 }")
    assert http[local + 1] == "use_backend api-needs-tls if { var(txn.route) -m str api }"


def test_time_limits_are_herokus() -> None:
    defaults = section(configure(RouteTable(), SETTINGS).text, "defaults app from base")
    assert "timeout server 30000ms" in defaults
    assert "timeout tunnel 55000ms" in defaults
    newer = section(
        configure(RouteTable(), dataclasses.replace(SETTINGS, version=(3, 0))).text, "defaults app from base"
    )
    assert "http-response set-timeout server 55000ms" in newer


def test_without_lua_nobody_waits_in_the_lobby() -> None:
    assert "lua" in configure(RouteTable(), SETTINGS).text
    assert "lua" not in configure(RouteTable(), dataclasses.replace(SETTINGS, lua=False)).text


def test_every_file_that_the_skeleton_names_is_made() -> None:
    text = configure(RouteTable(), SETTINGS).text
    named = {word for word in text.split() if word.startswith("router/") and word.endswith((".html", ".json", ".lua"))}
    assert named
    assert named <= set(companion_files())


def test_apps_at_localhost_have_certificates_of_their_own() -> None:
    made = configure(RouteTable((app("shop", AppState.UP, hostnames=("example.org", "*.example.net")),)), SETTINGS)
    default, own = certificate_names(made, "localhost")
    assert default == {"localhost", "127.0.0.1", "::1"}
    assert own == {"shop.localhost", "example.org", "*.example.net"}


def test_under_a_domain_one_wildcard_covers_all_apps() -> None:
    shop = AppRoute("id", "shop", ("shop.example.com", "www.shop.org", "deep.er.example.com"), AppState.UP)
    made = configure(RouteTable((shop,)), dataclasses.replace(SETTINGS, domain="example.com"))
    default, own = certificate_names(made, "example.com")
    assert {"*.example.com", "example.com", "api.example.com"} <= default
    assert own == {"www.shop.org", "deep.er.example.com"}


def test_the_api_speaks_http_1() -> None:
    assert api_certificate_list("localhost") == "tls/default.pem [alpn http/1.1] localhost\n"
    assert "api.example.com git.example.com" in api_certificate_list("example.com")
