import pytest

from config import Config, broker_url, database_url
from wordcount import create_app


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("postgres://u:p@h/d?sslmode=require", "postgresql+psycopg://u:p@h/d?sslmode=require"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("sqlite:///x", "sqlite:///x"),
    ],
)
def test_database_urls(given, wanted):
    assert database_url(given) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("redis://:p@h:6379", "redis://:p@h:6379"),
        ("rediss://:p@h:6379", "rediss://:p@h:6379?ssl_cert_reqs=none"),
        ("rediss://:p@h:6379?ssl_cert_reqs=required", "rediss://:p@h:6379?ssl_cert_reqs=required"),
        ("amqp://guest@h//", "amqp://guest@h//"),
        (None, None),
    ],
)
def test_broker_urls(given, wanted):
    assert broker_url(given) == wanted


@pytest.mark.parametrize("name", ["Development", "Testing", "Staging", "Production"])
def test_every_environment_starts(monkeypatch, name):
    monkeypatch.setenv("APP_SETTINGS", f"config.{name}Config")
    app = create_app()
    assert app.config["ENVIRONMENT"] == name.lower()
    assert app.debug is (name == "Development")


def test_debugging_is_off_unless_asked_for():
    assert not Config.DEBUG
