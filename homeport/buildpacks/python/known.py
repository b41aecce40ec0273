"""What is known about packages and cannot be read from their metadata. Every entry was seen to be true.

Limits that a package declares itself are not repeated here: the resolver obeys them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version


@dataclass(frozen=True)
class Clash:
    """`package` within `versions` cannot be imported together with `other` outside of `cap`."""

    package: str
    versions: str
    other: str
    cap: str
    reason: str

    @property
    def limit(self) -> Version:
        return Version(self.cap.lstrip("<"))


CLASHES = (
    Clash("flask", "<2.0", "jinja2", "<3.1", "cannot import name 'escape' from 'jinja2'"),
    Clash("flask", "<2.0", "itsdangerous", "<2.1", "cannot import name 'json' from 'itsdangerous'"),
    Clash("flask", "<2.0", "werkzeug", "<2.1", "cannot import name 'BaseResponse' from 'werkzeug.wrappers'"),
    Clash("flask", "<2.2.4", "werkzeug", "<3", "cannot import name 'url_quote' from 'werkzeug.urls'"),
    Clash("jinja2", "<3.0", "markupsafe", "<2.1", "cannot import name 'soft_unicode' from 'markupsafe'"),
    Clash("flask-sqlalchemy", "<3.0", "flask", "<2.3", "cannot import name '_app_ctx_stack' from 'flask'"),
    Clash("flask-login", "<0.6", "flask", "<2.3", "cannot import name '_request_ctx_stack' from 'flask'"),
    Clash("flask-login", "<0.6.3", "werkzeug", "<3", "cannot import name 'url_decode' from 'werkzeug.urls'"),
    Clash("flask-wtf", "<0.14.3", "werkzeug", "<1", "cannot import name 'url_encode' from 'werkzeug'"),
    Clash("flask-wtf", "<1.2", "flask", "<3", "cannot import name 'Markup' from 'flask'"),
    Clash("flask-script", "<2.0.7", "flask", "<2", "No module named 'flask._compat'"),
    Clash("flask-restplus", "<0.14", "werkzeug", "<1", "cannot import name 'cached_property' from 'werkzeug'"),
    Clash("flask-bcrypt", "<1.0", "werkzeug", "<2.1", "cannot import name 'safe_str_cmp' from 'werkzeug.security'"),
    Clash("gunicorn", "<20.1", "setuptools", "<81", "No module named 'pkg_resources'"),
    Clash("pandas", "<2.1", "numpy", "<2", "numpy.dtype size changed"),
    Clash("matplotlib", "<3.8", "numpy", "<2", "numpy.core.multiarray failed to import"),
)


def clashes(packages: Mapping[str, str]) -> Iterator[Clash]:
    """The clashes among these installed versions; of several with one package the one with the strictest limit."""
    strictest: dict[str, Clash] = {}
    for clash in CLASHES:
        mine, other = packages.get(clash.package), packages.get(clash.other)
        if mine and other and within(mine, clash.versions) and not within(other, clash.cap):
            known = strictest.get(clash.other)
            if known is None or clash.limit < known.limit:
                strictest[clash.other] = clash
    yield from strictest.values()


def within(version: str, specifiers: str) -> bool:
    try:
        return SpecifierSet(specifiers, prereleases=True).contains(Version(version))
    except InvalidVersion:
        return False


# The newest Python that versions of a package run on: for pure Python packages because of what they import, for
# others because no wheel was made for a later one and their C code does not compile there.
_LIMITS: Mapping[str, tuple[tuple[str, tuple[int, int]], ...]] = {
    "django": (("<2.1", (3, 9)), ("<2.2", (3, 10)), ("<3.2", (3, 11)), ("<4.1", (3, 12))),
    "sqlalchemy": ((">=2.0,<2.0.31", (3, 12)),),
    "numpy": (
        ("<1.17", (3, 7)), ("<1.19.3", (3, 8)), ("<1.21.3", (3, 9)), ("<1.23.2", (3, 10)), ("<1.26", (3, 11)),
        ("<2.1", (3, 12)),
    ),
    "pandas": (
        ("<0.25.2", (3, 7)), ("<1.1.3", (3, 8)), ("<1.3.3", (3, 9)), ("<1.5", (3, 10)), ("<2.1.1", (3, 11)),
        ("<2.2.3", (3, 12)),
    ),
    "psycopg2-binary": (
        ("<2.8.4", (3, 7)), ("<2.8.6", (3, 8)), ("<2.9.2", (3, 9)), ("<2.9.4", (3, 10)), ("<2.9.8", (3, 11)),
        ("<2.9.10", (3, 12)),
    ),
    "psycopg2": (("<2.8", (3, 7)), ("<2.9.4", (3, 10)), ("<2.9.10", (3, 12))),
    "lxml": (("<4.9", (3, 10)), ("<5.1", (3, 12))),
    "gevent": (("<21.12", (3, 9)), ("<23", (3, 11)), ("<24.10", (3, 12))),
    "scikit-learn": (("<0.22", (3, 7)), ("<0.24", (3, 8)), ("<1.0", (3, 9)), ("<1.2", (3, 10)), ("<1.3.1", (3, 11))),
    "tensorflow": (("<2.2", (3, 7)), ("<2.5", (3, 8)), ("<2.8", (3, 9)), ("<2.12", (3, 10)), ("<2.16", (3, 11))),
}  # fmt: skip


@dataclass(frozen=True)
class Limit:
    """A pinned package and the newest Python that it runs on."""

    package: str
    version: str
    python: tuple[int, int]


def python_limit(pins: Mapping[str, str]) -> Limit | None:
    """The strictest limit among pinned versions."""
    found = [
        Limit(package, pins[package], python)
        for package, limits in _LIMITS.items()
        if package in pins
        for versions, python in limits
        if within(pins[package], versions)
    ]
    return min(found, key=lambda limit: limit.python, default=None)


SYSTEM_PACKAGES: Mapping[str, str] = {
    "pg_config": "libpq-dev",
    "libpq-fe.h": "libpq-dev",
    "mysql_config": "default-libmysqlclient-dev pkg-config",
    "mariadb_config": "libmariadb-dev",
    "mysql.h": "default-libmysqlclient-dev pkg-config",
    "mysqlclient": "default-libmysqlclient-dev pkg-config",
    "ffi.h": "libffi-dev",
    "libxml/xmlversion.h": "libxml2-dev libxslt1-dev",
    "libxml2": "libxml2-dev libxslt1-dev",
    "xslt-config": "libxml2-dev libxslt1-dev",
    "jpeg": "libjpeg-dev zlib1g-dev",
    "zlib": "zlib1g-dev",
    "zlib.h": "zlib1g-dev",
    "openssl/ssl.h": "libssl-dev",
    "openssl/opensslv.h": "libssl-dev",
    "sqlite3.h": "libsqlite3-dev",
    "lber.h": "libldap2-dev libsasl2-dev",
    "ldap.h": "libldap2-dev libsasl2-dev",
    "sasl/sasl.h": "libsasl2-dev",
    "gdal-config": "libgdal-dev",
    "geos-config": "libgeos-dev",
    "curl-config": "libcurl4-openssl-dev",
    "krb5-config": "libkrb5-dev",
    "xmlsec1": "libxmlsec1-dev pkg-config",
    "cairo": "libcairo2-dev pkg-config",
    "cairo.h": "libcairo2-dev",
    "ft2build.h": "libfreetype-dev",
    "snappy-c.h": "libsnappy-dev",
    "portaudio.h": "portaudio19-dev",
    "magic.h": "libmagic-dev",
    "gmp.h": "libgmp-dev",
    "bzlib.h": "libbz2-dev",
    "re2/re2.h": "libre2-dev",
    "hdf5.h": "libhdf5-dev",
    "uuid/uuid.h": "uuid-dev",
    "sql.h": "unixodbc-dev",
    "librdkafka/rdkafka.h": "librdkafka-dev",
    "Python.h": "python3-dev",
}
"""Debian packages by the header, library or program that a source build misses."""

WINDOWS_ONLY = frozenset({"pypiwin32", "pywin32", "pywinpty", "windows-curses", "winshell", "wmi"})
"""What `pip freeze` on Windows writes and nothing else can install."""

BACKPORTS = frozenset({
    "asyncio", "backport-collections", "configparser2", "distribute", "enum34", "functools32", "futures",
    "pkg-resources", "singledispatch34", "subprocess32", "typing", "unittest2", "wsgiref",
})  # fmt: skip
"""What Python 3 has in its standard library, or what never was a package of its own: an app runs without them."""
