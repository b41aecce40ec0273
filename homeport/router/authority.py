"""The local certificate authority: one CA per `$HOMEPORT_HOME`, and the certificates it issues to host names.

Everything lies under `home.tls`: `ca.pem` and `ca.key`, `bundle.pem` (the system's CAs and ours, for programs that
take one file only), `default.pem` for clients that name no host (`heroku run` does not), and `leaves/`. Private keys
are readable by their owner only. Nobody's trust store is touched.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import ssl
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from homeport.home import write_whole

CA_LIFETIME = timedelta(days=3650)
LEAF_LIFETIME = timedelta(days=397)
"""The longest that browsers accept (CA/Browser Forum, Baseline Requirements 6.3.2)."""
RENEW_BEFORE = timedelta(days=60)
_BACKDATED = timedelta(hours=1)  # clocks differ

_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSDs
)


@dataclass(frozen=True)
class _Signer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """Issues certificates under `folder` (`home.tls`). `clock` says what time it is."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._folder = folder
        self._leaves = folder / "leaves"
        self._clock = clock
        self._signer: _Signer | None = None
        self._issued: dict[str, tuple[Path, datetime]] = {}

    @property
    def ca(self) -> Path:
        """The CA's certificate, to be trusted by whoever wants to trust this Homeport."""
        return self._folder / "ca.pem"

    @property
    def bundle(self) -> Path:
        """The system's CAs and ours in one file, for settings that replace the system's (GIT_SSL_CAINFO)."""
        return self._folder / "bundle.pem"

    def prepare(self) -> None:
        """Make or load the CA, and write the bundle when it would differ. Idempotent."""
        self._leaves.mkdir(parents=True, exist_ok=True)
        self._leaves.chmod(0o700)
        self._signer = self._load() or self._found()
        ours = self.ca.read_bytes()
        bundle = _system_certificates() + ours
        if not self.bundle.exists() or self.bundle.read_bytes() != bundle:
            write_whole(self.bundle, bundle, mode=0o644)
        self._issued = dict(self._read_leaves())

    def default(self, names: Collection[str]) -> tuple[Path, bool]:
        """The certificate for clients that name no host or an unknown one, for exactly these names and addresses.

        Returns its path, and whether it was (re)issued now.
        """
        path = self._folder / "default.pem"
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            if self._still_good(certificate, names):
                return path, False
        except (OSError, ValueError):
            pass
        self._issue(path, sorted(names))
        return path, True

    def leaf(self, hostname: str) -> Path:
        """The certificate and key of a host name, in one PEM file. A renewed one is a new file."""
        label = _label(hostname)
        known = self._issued.get(label)
        if known is not None and known[1] - self._clock() > RENEW_BEFORE and known[0].exists():
            return known[0]
        expires = self._expiry()
        path = self._leaves / f"{label},{self._fingerprint()},{expires:%Y%m%d%H%M%S}.pem"
        self._issue(path, [hostname], expires)
        self._issued[label] = path, expires
        return path

    def prune(self, keep: Iterable[Path]) -> None:
        """Forget every leaf certificate but these."""
        kept = set(keep)
        for path in self._leaves.glob("*.pem"):
            if path not in kept:
                path.unlink(missing_ok=True)
        self._issued = {label: entry for label, entry in self._issued.items() if entry[0] in kept}

    def _load(self) -> _Signer | None:
        try:
            certificate = x509.load_pem_x509_certificate(self.ca.read_bytes())
            key = serialization.load_pem_private_key((self._folder / "ca.key").read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
            return None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            return None
        if certificate.not_valid_after_utc - self._clock() < LEAF_LIFETIME:
            return None
        return _Signer(certificate, key)

    def _found(self) -> _Signer:
        key = ec.generate_private_key(ec.SECP256R1())
        now = self._clock()
        # The host's name tells two machines' CAs apart in a browser's list.
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Homeport"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"Homeport local CA on {os.uname().nodename}"[:64]),
            ]
        )
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + CA_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(ca=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        # The key first: a certificate without its key counts as no CA, and is made anew.
        write_whole(self._folder / "ca.key", _private(key), mode=0o600)
        write_whole(self.ca, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
        return _Signer(certificate, key)

    def _authority(self) -> _Signer:
        if self._signer is None:
            self.prepare()
        assert self._signer is not None  # noqa: S101 - prepare has just set it
        return self._signer

    def _fingerprint(self) -> str:
        return hashlib.sha256(self._authority().certificate.public_bytes(serialization.Encoding.DER)).hexdigest()[:8]

    def _expiry(self) -> datetime:
        return min(self._clock() + LEAF_LIFETIME - _BACKDATED, self._authority().certificate.not_valid_after_utc)

    def _issue(self, path: Path, names: list[str], expires: datetime | None = None) -> None:
        signer = self._authority()
        key = ec.generate_private_key(ec.SECP256R1())
        common = next((name for name in names if len(name) <= 64), "homeport")
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)]))
            .issuer_name(signer.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._clock() - _BACKDATED)
            .not_valid_after(expires or self._expiry())
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
            .sign(signer.key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM) + _private(key)
        write_whole(path, pem, mode=0o600)

    def _still_good(self, certificate: x509.Certificate, names: Collection[str]) -> bool:
        signer = self._authority()
        try:
            certificate.verify_directly_issued_by(signer.certificate)
            has = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except Exception:  # whatever is wrong with it, it is not ours or not usable
            return False
        lasts = certificate.not_valid_after_utc - self._clock() > RENEW_BEFORE
        return lasts and set(has) == {_general_name(name) for name in names}

    def _read_leaves(self) -> Iterable[tuple[str, tuple[Path, datetime]]]:
        """The leaves of this CA on disk, the longest-lived of each host; their file names say all that matters."""
        for path in sorted(self._leaves.glob("*.pem"), key=lambda path: path.stem.rpartition(",")[2]):
            label, fingerprint, expires = path.stem.rsplit(",", 2)
            if fingerprint == self._fingerprint():
                yield label, (path, datetime.strptime(expires, "%Y%m%d%H%M%S").replace(tzinfo=UTC))


def _label(hostname: str) -> str:
    """A host name as the beginning of a file name: no star, and never too long for one."""
    label = hostname.replace("*", "_")
    return label if len(label) <= 100 else f"{label[:80]}~{hashlib.sha256(hostname.encode()).hexdigest()[:16]}"


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _system_certificates() -> bytes:
    """The CAs that this system trusts, PEM. Empty where none of the usual places has any."""
    paths = (ssl.get_default_verify_paths().cafile, *_SYSTEM_BUNDLES)
    for candidate in paths:
        try:
            content = Path(candidate).read_bytes() if candidate else b""
        except OSError:
            continue
        if b"BEGIN CERTIFICATE" in content:
            return content if content.endswith(b"\n") else content + b"\n"
    return b""
