"""How long a crashed dyno waits for its next try.

Heroku restarts a dyno at once after its first crash and then after "exponentially increasing cool-off periods"
(https://devcenter.heroku.com/changelog-items/344) that reach hours. Here a try costs nobody else anything, so the
periods stay short enough for somebody who watches: see docs/decisions/0060.
"""

from __future__ import annotations

from datetime import timedelta

FIRST = timedelta(seconds=5)
LONGEST = timedelta(minutes=10)


def delay(crashes: int) -> timedelta:
    """The wait after this many crashes in a row (at least 1): none, 5 s, 10 s, 20 s … 10 minutes."""
    if crashes <= 1:
        return timedelta(0)
    return min(FIRST * (1 << min(crashes - 2, 16)), LONGEST)
