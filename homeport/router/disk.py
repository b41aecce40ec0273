"""The whole truth on disk: whatever starts or reloads HAProxy, at any moment, finds it there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from homeport.router import configuration, paths
from homeport.router.authority import Authority
from homeport.router.configuration import Configuration
from homeport.router.files import write_if_changed
from homeport.router.route_table import RouteTable
from homeport.router.settings import Settings


@dataclass(frozen=True)
class Written:
    """What was written: the configuration, the paths of the certificates that host names have of their own, and
    whether the certificate for all others was renewed."""

    configuration: Configuration
    certificates: tuple[str, ...]
    default_renewed: bool


def write(root: Path, authority: Authority, table: RouteTable, settings: Settings) -> Written:
    """Bring every file to a table; the configuration, which refers to the others, last. Blocks: use a thread."""
    wanted = configuration.configure(table, settings)
    names, own = configuration.certificate_names(wanted, settings.domain)
    _, renewed = authority.default(names)
    leaves = [authority.leaf(host) for host in sorted(own)]
    certificates = tuple(seen_from(root, leaf) for leaf in leaves)
    (root / paths.PAGES).mkdir(parents=True, exist_ok=True)
    for path, content in configuration.companion_files().items():
        write_if_changed(root / path, content)
    write_if_changed(root / paths.CERTIFICATE_LIST, configuration.certificate_list(certificates))
    api_certificates = configuration.api_certificate_list(settings.domain)
    write_if_changed(root / paths.API_CERTIFICATE_LIST, api_certificates)
    write_if_changed(root / paths.HOSTS_MAP, wanted.hosts_map)
    write_if_changed(root / paths.CONFIG_FILE, wanted.text)
    write_if_changed(root / paths.PORTS, json.dumps({"https": settings.https_port, "http": settings.http_port}) + "\n")
    authority.prune(leaves)  # nothing on disk refers to the others any more, and a running HAProxy reads no file again
    return Written(wanted, certificates, renewed)


def ports(root: Path) -> dict[str, int]:
    """The ports ("https", "http") of the configuration on disk; empty when there is none."""
    try:
        known = json.loads((root / paths.PORTS).read_text())
        return {name: int(known[name]) for name in ("https", "http")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def seen_from(root: Path, path: Path) -> str:
    """A path as the configuration names it: relative where possible, so that the home can move."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
