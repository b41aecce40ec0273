"""Django answers to no name that the app has.

With DEBUG off, Django refuses every request whose host is not in ALLOWED_HOSTS with status 400. An app has its name
only once it is created, so let the environment say it, or let all through: only the router reaches a dyno, and it
passes on requests for the app's own names alone.

    ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "*").split(",")
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.doctor import django
from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project

_HERE = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0", ".localhost", "testserver", "::1")  # noqa: S104 - read, not bound


def find(project: Project) -> Iterator[Finding]:
    settings = django.settings(project)
    if settings is None:
        return
    hosts = settings.value("ALLOWED_HOSTS")
    setting = settings.get("ALLOWED_HOSTS")
    if settings.all("ALLOWED_HOSTS") and (setting is None or not isinstance(hosts, list | tuple)):
        return  # the environment has a say in it
    if all(host in _HERE for host in hosts or ()):
        yield error(
            setting.path if setting is not None else settings.path,
            setting.line if setting is not None else 0,
            "ALLOWED_HOSTS names no host but this machine." if hosts else "ALLOWED_HOSTS is empty.",
            why="Django answers every request for your app's name with 400 Bad Request.",
            fix="Let the environment say it; only the router reaches a dyno, so all may be let through:\n\n"
            '  ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "*").split(",")',
        )
