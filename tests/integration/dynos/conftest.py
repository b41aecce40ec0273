from __future__ import annotations

import itertools
import os

import pytest

_numbers = itertools.count()


@pytest.fixture
def ports() -> range:
    """Ports of this test's own, also beside other test processes."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    start = 23000 + worker * 1000 + next(_numbers) % 20 * 50
    return range(start, start + 50)
