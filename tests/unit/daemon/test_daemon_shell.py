import json
from pathlib import Path

import pytest

from homeport.daemon import shell
from homeport.daemon.endpoint import Endpoint


def endpoint(host: str, domain: str = "localhost") -> Endpoint:
    return Endpoint(
        pid=1, url=f"https://{host}", host=host, https_port=8443, http_port=8080, domain=domain,
        ca="/home/tls/ca.pem", bundle="/home/tls/bundle.pem", started_at="2026-01-01T00:00:00+00:00", version="0",
    )  # fmt: skip


def test_everything_the_official_cli_would_send_the_token_to_is_ours() -> None:
    variables = shell.variables(endpoint("localhost:8443"), "HRKU-secret")
    for name in ("HEROKU_HOST", "HEROKU_PARTICLEBOARD_URL", "HEROKU_LOGIN_HOST", "HEROKU_ANALYTICS_URL"):
        assert variables[name] == "https://localhost:8443"
    assert variables["HEROKU_DATA_HOST"] == variables["PGDIAGNOSE_URL"] == "localhost"
    assert variables["DISABLE_TELEMETRY"] == "true"
    assert not any("heroku.com" in value for value in variables.values())


@pytest.mark.parametrize("name", ["NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_trust_is_added_to_not_replaced(name: str) -> None:
    assert shell.variables(endpoint("localhost:8443"), "t")[name] == "/home/tls/bundle.pem"


def test_elsewhere_the_cli_needs_the_token_as_a_header() -> None:
    headers = shell.variables(endpoint("api.example.com:443", "example.com"), "t")["HEROKU_HEADERS"]
    assert json.loads(headers) == {"authorization": "Bearer t"}
    assert "HEROKU_HEADERS" not in shell.variables(endpoint("localhost:8443"), "t")


def test_values_are_quoted_for_the_shell() -> None:
    text = shell.exports(endpoint("localhost:8443"), "t'; reboot; '", program=Path("/opt/home port/bin"))
    assert """export HEROKU_API_KEY='t'"'"'; reboot; '"'"''""" in text
    assert "'/opt/home port/bin'" in text


def test_git_asks_only_for_our_host_and_never_starts_node() -> None:
    text = shell.exports(endpoint("localhost:8443"), "t", program=None)
    assert "export GIT_CONFIG_COUNT=2" in text
    assert text.count("credential.https://localhost:8443.helper") == 2
    assert "export GIT_CONFIG_VALUE_0=''" in text
