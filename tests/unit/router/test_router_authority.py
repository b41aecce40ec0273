from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from homeport.router.authority import CA_LIFETIME, LEAF_LIFETIME, RENEW_BEFORE, Authority

NOW = datetime(2026, 5, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authority(tmp_path: Path, clock: Clock) -> Authority:
    made = Authority(tmp_path, clock=clock)
    made.prepare()
    return made


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def names(certificate: x509.Certificate) -> set[str]:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in extension}


def test_the_authority_lasts_ten_years_and_signs_nothing_but_leaves(authority: Authority) -> None:
    ca = read(authority.ca)
    assert ca.not_valid_after_utc == NOW + CA_LIFETIME
    constraints = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert isinstance(ca.public_key(), ec.EllipticCurvePublicKey)


def test_a_leaf_names_its_host_and_is_signed_by_the_authority(authority: Authority) -> None:
    leaf = read(authority.leaf("shop.localhost"))
    leaf.verify_directly_issued_by(read(authority.ca))
    assert names(leaf) == {"shop.localhost"}
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= LEAF_LIFETIME
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_leaf_file_holds_certificate_and_key_together(authority: Authority) -> None:
    path = authority.leaf("shop.localhost")
    key = serialization.load_pem_private_key(path.read_bytes().split(b"-----END CERTIFICATE-----\n")[1], None)
    assert key.public_key() == read(path).public_key()
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)


def test_a_leaf_is_issued_once_also_across_restarts(authority: Authority, tmp_path: Path, clock: Clock) -> None:
    first = authority.leaf("shop.localhost")
    assert authority.leaf("shop.localhost") == first
    again = Authority(tmp_path, clock=clock)
    again.prepare()
    assert again.leaf("shop.localhost") == first
    assert read(again.ca) == read(authority.ca)


def test_a_leaf_is_renewed_in_time(authority: Authority, clock: Clock) -> None:
    first = authority.leaf("shop.localhost")
    clock.now = read(first).not_valid_after_utc - RENEW_BEFORE - timedelta(days=1)
    assert authority.leaf("shop.localhost") == first
    clock.now += timedelta(days=2)
    second = authority.leaf("shop.localhost")
    assert second != first
    assert read(second).not_valid_after_utc > clock.now + timedelta(days=300)


def test_a_leaf_that_was_deleted_is_made_anew(authority: Authority) -> None:
    authority.leaf("shop.localhost").unlink()
    assert authority.leaf("shop.localhost").exists()


def test_wildcards_have_file_names_too(authority: Authority, tmp_path: Path, clock: Clock) -> None:
    first = authority.leaf("*.example.org")
    assert names(read(first)) == {"*.example.org"}
    assert "*" not in first.name
    again = Authority(tmp_path, clock=clock)
    again.prepare()
    assert again.leaf("*.example.org") == first


def test_a_very_long_name_is_no_problem(authority: Authority) -> None:
    name = ".".join(["a" * 60] * 4)
    assert names(read(authority.leaf(name))) == {name}


def test_the_default_certificate_follows_its_names(authority: Authority, clock: Clock) -> None:
    path, new = authority.default({"localhost", "127.0.0.1", "::1"})
    assert new
    assert names(read(path)) == {"localhost", "127.0.0.1", "::1"}
    assert authority.default({"::1", "127.0.0.1", "localhost"}) == (path, False)
    assert authority.default({"localhost", "example.com"}) == (path, True)
    clock.now += LEAF_LIFETIME - RENEW_BEFORE + timedelta(days=1)
    assert authority.default({"localhost", "example.com"}) == (path, True)


@pytest.mark.parametrize("damage", ["ca.key", "ca.pem"])
def test_an_authority_that_lost_half_of_itself_begins_anew(
    authority: Authority, tmp_path: Path, clock: Clock, damage: str
) -> None:
    leaf, ca = authority.leaf("shop.localhost"), read(authority.ca)
    (tmp_path / damage).write_bytes(b"")
    again = Authority(tmp_path, clock=clock)
    again.prepare()
    assert read(again.ca) != ca
    fresh = again.leaf("shop.localhost")
    assert fresh != leaf
    read(fresh).verify_directly_issued_by(read(again.ca))


def test_an_authority_that_is_about_to_expire_begins_anew(authority: Authority, tmp_path: Path, clock: Clock) -> None:
    ca = read(authority.ca)
    clock.now += CA_LIFETIME - timedelta(days=100)
    again = Authority(tmp_path, clock=clock)
    again.prepare()
    assert read(again.ca) != ca


def test_the_bundle_holds_the_systems_authorities_and_ours(authority: Authority) -> None:
    bundle = authority.bundle.read_bytes()
    assert bundle.endswith(authority.ca.read_bytes())
    assert bundle.count(b"BEGIN CERTIFICATE") == bundle.count(b"END CERTIFICATE") >= 1


def test_nobody_else_reads_a_key(authority: Authority, tmp_path: Path) -> None:
    authority.default({"localhost"})
    authority.leaf("shop.localhost")
    keys = [path for path in tmp_path.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert {path.name.split(",")[0] for path in keys} == {"ca.key", "default.pem", "shop.localhost"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in keys)


def test_what_is_not_kept_is_forgotten(authority: Authority, tmp_path: Path) -> None:
    kept, gone = authority.leaf("kept.localhost"), authority.leaf("gone.localhost")
    authority.prune([kept])
    assert kept.exists()
    assert not gone.exists()
    assert authority.leaf("gone.localhost").exists()
