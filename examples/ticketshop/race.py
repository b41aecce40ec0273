"""Send a crowd after the tickets of one event, and count: `python race.py https://YOUR-SHOP --event 1 --buyers 200`.

Each buyer registers, fills a wallet, waits until all are ready, and wants one ticket. Then the books are checked: as many
tickets sold as there are, each number once, every wallet exact to the cent. Only Python's own library is needed.
"""

from __future__ import annotations

import argparse
import json
import socket
import ssl
import sys
import threading
import time
import urllib.request
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError, URLError

DEPOSIT = 100_00
TRIES = 5


_look_up = socket.getaddrinfo


def look_up(host: Any, *rest: Any, **options: Any) -> Any:
    """Names under .localhost are this machine (RFC 6761, 6.3). Browsers know that; not every system's resolver does."""
    return _look_up("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **options)


class Shop:
    def __init__(self, url: str, cafile: str | None) -> None:
        self.url = url.rstrip("/")
        self.context = ssl.create_default_context(cafile=cafile)

    def ask(self, path: str, sent: dict[str, Any] | None = None, token: str = "", key: str = "") -> tuple[int, Any]:
        """Status and JSON. A request that got no answer of the shop is sent again: its key makes that safe."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key or uuid.uuid4().hex}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        data = json.dumps(sent).encode() if sent is not None else None
        for attempt in range(TRIES):
            request = urllib.request.Request(f"{self.url}/api{path}", data, headers)
            try:
                with urllib.request.urlopen(request, timeout=60, context=self.context) as answer:
                    return answer.status, json.load(answer)
            except HTTPError as error:
                if error.code < 500 or attempt == TRIES - 1:
                    return error.code, json.load(error)
            except (URLError, OSError):
                if attempt == TRIES - 1:
                    raise
            time.sleep(0.2 * 2**attempt)
        raise AssertionError("not reached")


class Buyer:
    def __init__(self, shop: Shop, number: int) -> None:
        self.shop, self.order = shop, None
        person = {"name": f"Buyer {number}", "email": f"{uuid.uuid4().hex}@example.com", "password": uuid.uuid4().hex}
        self.token = shop.ask("/accounts", person)[1]["token"]
        shop.ask("/wallet/deposits", {"amount_cents": DEPOSIT}, self.token)

    def buy(self, event: int, start: threading.Barrier) -> str:
        start.wait()
        status, said = self.shop.ask("/orders", {"event_id": event, "quantity": 1}, self.token)
        self.order = said if status == 201 else None
        return "bought" if self.order else said["id"]

    def balance(self) -> int:
        return self.shop.ask("/wallet", token=self.token)[1]["balance_cents"]


def race(shop: Shop, event_id: int, crowd: int) -> bool:
    before = shop.ask(f"/events/{event_id}")[1]
    print(f"{before['title']}: {before['left']} tickets at {before['price_cents'] / 100:.2f}, {crowd} buyers", flush=True)
    with ThreadPoolExecutor(16) as pool:
        buyers = list(pool.map(lambda number: Buyer(shop, number), range(crowd)))
    start = threading.Barrier(crowd + 1)
    with ThreadPoolExecutor(crowd) as pool:
        running = [pool.submit(buyer.buy, event_id, start) for buyer in buyers]
        start.wait()
        began = time.monotonic()
        outcomes = Counter(done.result() for done in running)
    print(f"after {time.monotonic() - began:.1f} s: " + ", ".join(f"{n} {what}" for what, n in sorted(outcomes.items())))

    after = shop.ask(f"/events/{event_id}")[1]
    orders = [buyer.order for buyer in buyers if buyer.order]
    numbers = [number for order in orders for number in order["tickets"]]
    with ThreadPoolExecutor(16) as pool:
        balances = list(pool.map(Buyer.balance, buyers))
    expected = [DEPOSIT - (buyer.order["total_cents"] if buyer.order else 0) for buyer in buyers]
    checks = {
        f"{len(orders)} of {before['left']} tickets sold": len(orders) == min(before["left"], crowd),
        "the event counts the same": after["sold"] - before["sold"] == len(orders),
        "no ticket number twice": len(set(numbers)) == len(numbers) == len(orders),
        "every wallet is exact": balances == expected,
    }
    for what, holds in checks.items():
        print("ok   " if holds else "WRONG", what)
    return all(checks.values())


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("url")
    arguments.add_argument("--event", type=int, required=True)
    arguments.add_argument("--buyers", type=int, default=200)
    arguments.add_argument("--cafile", help="the certificate authority of a platform of your own")
    given = arguments.parse_args()
    socket.getaddrinfo = look_up
    sys.exit(not race(Shop(given.url, given.cafile), given.event, given.buyers))
