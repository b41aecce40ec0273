"""Custom domains: https://devcenter.heroku.com/articles/custom-domains."""

from __future__ import annotations

import re

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from homeport.errors import Invalid, NotFound
from homeport.state import App, Domain, touch

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_RULE = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})+")


def domains(session: Session, app: App) -> list[Domain]:
    """The custom domains, oldest first; the app's own host name is not among them."""
    return list(session.scalars(select(Domain).where(Domain.app_id == app.id).order_by(Domain.created_at)))


def hostnames(session: Session, app: App) -> list[str]:
    return [domain.hostname for domain in domains(session, app)]


def add_domain(session: Session, app: App, hostname: str) -> Domain:
    """Raises `Invalid` for something that is no host name, or one that another app has."""
    hostname = hostname.strip().rstrip(".").lower()
    if not _RULE.fullmatch(hostname) or len(hostname) > 253:
        raise Invalid(f"{hostname[:80]!r} is not a valid hostname.", fix="Use the form www.example.com.")
    if hostname.endswith(".localhost"):
        raise Invalid(f"{hostname} belongs to the platform.", fix="Every app has APP.localhost without asking.")
    if session.scalar(select(Domain.id).where(Domain.hostname == hostname)):
        raise Invalid(
            f"{hostname} is currently in use by another app.",
            fix="Remove it there first: `heroku domains:remove`.",
        )
    domain = Domain(app_id=app.id, hostname=hostname)
    domain.app = app
    session.add(domain)
    session.flush()
    touch(session, app.id)
    return domain


def find_domain(session: Session, app: App, hostname_or_id: str) -> Domain:
    """Raises `NotFound`."""
    domain = session.scalar(
        select(Domain).where(
            Domain.app_id == app.id,
            (Domain.hostname == hostname_or_id.lower()) | (Domain.id == hostname_or_id),
        )
    )
    if domain is None:
        raise NotFound("domain", "Couldn't find that domain name.")
    return domain


def remove_domain(session: Session, app: App, domain: Domain) -> None:
    session.delete(domain)
    touch(session, app.id)


def clear_domains(session: Session, app: App) -> None:
    session.execute(delete(Domain).where(Domain.app_id == app.id))
    touch(session, app.id)
