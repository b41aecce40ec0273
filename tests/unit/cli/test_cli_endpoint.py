"""Which platform, which token: a token goes to the host that it was given for, and to no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeport.cli.endpoint import Endpoint, Local, Login, Source, choose, url_of
from homeport.errors import HomeportError

LOCAL = Local(
    "https://localhost:8443", "localhost:8443", Path("/h/tls/ca.pem"), Path("/h/tls/bundle.pem"), "local-token"
)
LOGINS = {"https://api.example.com": Login("ada@example.com", "login-token")}


def chosen(env: dict[str, str], *, current: str | None = None, local: Local | None = LOCAL) -> Endpoint:
    found = choose(env, current=current, logins=LOGINS, local=local)
    assert found is not None
    return found


def test_without_anything_there_is_no_platform() -> None:
    assert choose({}, current=None, logins={}, local=None) is None


def test_the_platform_on_this_machine_is_the_last_resort() -> None:
    assert chosen({}) == Endpoint(LOCAL.url, Source.LOCAL, "local-token", LOCAL.ca, "localhost:8443")


def test_a_login_goes_before_it_and_the_environment_before_a_login() -> None:
    login = chosen({}, current="https://api.example.com")
    assert (login.url, login.source, login.token) == ("https://api.example.com", Source.LOGIN, "login-token")
    env = {"HOMEPORT_HOST": "https://other.example.org", "HOMEPORT_API_KEY": "key"}
    asked = chosen(env, current="https://api.example.com")
    assert (asked.url, asked.source, asked.token) == ("https://other.example.org", Source.ENVIRONMENT, "key")


def test_herokus_own_variables_do_as_well() -> None:
    found = chosen({"HEROKU_HOST": "https://localhost:9999", "HEROKU_API_KEY": "key"})
    assert (found.url, found.token, found.git_host) == ("https://localhost:9999", "key", "localhost:9999")


def test_a_heroku_key_alone_is_not_ours_to_send() -> None:
    assert chosen({"HEROKU_API_KEY": "real-heroku-key"}).token == "local-token"
    assert chosen({"HEROKU_API_KEY": "real-heroku-key"}, current="https://api.example.com").token == "login-token"


def test_a_heroku_key_goes_to_no_other_host_than_herokus_variable_names() -> None:
    env = {"HOMEPORT_HOST": "https://evil.example", "HEROKU_HOST": "https://localhost:8443", "HEROKU_API_KEY": "key"}
    assert chosen(env).token is None
    assert chosen({"HOMEPORT_HOST": "https://evil.example", "HEROKU_API_KEY": "key"}).token is None


def test_tokens_on_disk_go_to_their_own_host_only() -> None:
    assert chosen({"HOMEPORT_HOST": "https://evil.example"}, current="https://api.example.com").token is None
    assert chosen({"HOMEPORT_HOST": "https://api.example.com"}).token == "login-token"
    assert chosen({"HOMEPORT_HOST": "https://localhost:8443/"}).token == "local-token"
    assert chosen({"HOMEPORT_HOST": "https://localhost:8444"}).token is None


def test_on_loopback_only_our_own_authority_is_trusted_elsewhere_the_bundle() -> None:
    assert chosen({}).ca == LOCAL.ca
    public = Local("https://api.example.com", "git.example.com", LOCAL.ca, LOCAL.bundle, "t")
    assert chosen({}, local=public).ca == LOCAL.bundle
    assert chosen({"HOMEPORT_HOST": "https://far.example", "HOMEPORT_CA": "/x/ca.pem"}).ca == Path("/x/ca.pem")
    assert chosen({"HOMEPORT_HOST": "https://far.example"}).ca is None


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("https://localhost:8443", "https://localhost:8443"),
        ("https://localhost:8443/", "https://localhost:8443"),
        ("https://example.com/some/path", "https://example.com"),
        ("localhost:8443", "https://localhost:8443"),
        ("127.0.0.1:1", "https://127.0.0.1:1"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("https://ada:password@example.com", "https://example.com"),
        ("example.com", "https://api.example.com"),
    ],
)
def test_hosts_are_urls_or_domains(host: str, url: str) -> None:
    assert url_of(host) == url


@pytest.mark.parametrize(
    ("env", "git_host"),
    [
        ({"HOMEPORT_HOST": "example.com"}, "git.example.com"),
        ({"HOMEPORT_HOST": "https://api.example.com:444"}, "git.example.com:444"),
        ({"HOMEPORT_HOST": "https://example.com"}, "example.com"),
        ({"HOMEPORT_HOST": "https://example.com", "HOMEPORT_GIT_HOST": "code.example.com"}, "code.example.com"),
        ({"HEROKU_HOST": "https://example.com", "HEROKU_GIT_HOST": "code.example.com"}, "code.example.com"),
        ({"HOMEPORT_HOST": "https://example.com", "HEROKU_GIT_HOST": "git.heroku.com"}, "example.com"),
    ],
)
def test_git_has_a_host_of_its_own_where_the_api_has(env: dict[str, str], git_host: str) -> None:
    assert chosen(env).git_host == git_host


@pytest.mark.parametrize(
    "host", ["heroku.com", "https://api.heroku.com", "https://x.herokuapp.com", "https://heroku.com"]
)
def test_heroku_itself_is_refused_unless_it_is_meant(host: str) -> None:
    with pytest.raises(HomeportError) as raised:
        chosen({"HEROKU_HOST": host, "HEROKU_API_KEY": "key"})
    assert raised.value.id == "heroku_host_refused"
    allowed = {"HEROKU_HOST": host, "HEROKU_API_KEY": "key", "HOMEPORT_ALLOW_HEROKU": "1"}
    assert chosen(allowed).token == "key"


@pytest.mark.parametrize("host", ["https://notheroku.com", "https://heroku.com.example.org"])
def test_names_that_only_look_like_herokus_are_not(host: str) -> None:
    assert chosen({"HOMEPORT_HOST": host}).url == host


def test_a_token_does_not_travel_in_the_clear() -> None:
    with pytest.raises(HomeportError) as raised:
        chosen({"HOMEPORT_HOST": "http://example.com"})
    assert raised.value.id == "insecure_host"
    assert chosen({"HOMEPORT_HOST": "http://127.0.0.1:5000"}).url == "http://127.0.0.1:5000"


@pytest.mark.parametrize("host", ["ftp://example.com", "https://", "file:///etc/passwd", "https://[", "x:y:z"])
def test_what_is_no_web_address_is_refused(host: str) -> None:
    with pytest.raises(HomeportError) as raised:
        chosen({"HOMEPORT_HOST": host})
    assert raised.value.id == "invalid_host"
