"""What the kernel tells of TCP sockets, which nobody at their other end notices.

/proc/net/tcp: https://docs.kernel.org/networking/proc_net_tcp.html. Lines look like

    sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid  timeout inode
     0: 0100007F:5DC0 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

from homeport.engine import Address

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED, _CLOSE_WAIT, _LISTEN = "01", "08", "0A"

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def visible(address: Address) -> bool:
    """Whether this machine's tables would show a socket there."""
    return ipaddress.ip_address(address.host).is_loopback and _TABLES[0].exists()


def listens(address: Address) -> bool:
    """Whether somebody accepts connections to there."""
    host = ipaddress.ip_address(address.host)
    wanted = {_hex(host), "0" * 8, "0" * 32}
    if host.version == 4:
        wanted.add(_hex(ipaddress.ip_address(f"::ffff:{host}")))
    suffix = f":{address.port:04X}"
    for table in _TABLES:
        for fields in _lines(table):
            if fields[3] != _LISTEN:
                break  # they come first, so a busy machine's thousands of others are never read
            if fields[1].endswith(suffix) and fields[1].partition(":")[0] in wanted:
                return True
    return False


def connections(address: Address) -> int:
    """How many connections clients hold to there."""
    return sum(fields[3] == _ESTABLISHED for fields in _to(address))


def accepted(address: Address, client_port: int) -> bool:
    """Whether the server has taken this client's connection: until then it belongs to no file, its inode is 0."""
    client = f":{client_port:04X}"
    return any(
        fields[2].endswith(client) and fields[3] in (_ESTABLISHED, _CLOSE_WAIT) and fields[9] != "0"
        for fields in _to(address)
    )


def _to(address: Address) -> Iterator[list[str]]:
    suffix = f":{address.port:04X}"
    for table in _TABLES:
        yield from (fields for fields in _lines(table) if fields[1].endswith(suffix))


def _lines(table: Path) -> Iterator[list[str]]:
    try:
        with table.open() as lines:
            next(lines, None)
            for line in lines:
                yield line.split(None, 10)
    except OSError:  # no IPv6 on this machine
        return


def _hex(host: IPAddress) -> str:
    """As the kernel prints it: 32-bit words in the machine's byte order."""
    words = [host.packed[i : i + 4] for i in range(0, len(host.packed), 4)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    return b"".join(words).hex().upper()
