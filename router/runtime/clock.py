"""The time of a router: the wall time, except that it never goes back and never stands still.

Laws: no reading is below one before. A wall clock that was set forward is followed at once. While it is
behind, because it was set back, time goes on by itself, a little slower than it should, until both agree:
what is due in a second is due in about a second, and not when the wall clock is there again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

SLOWED_BY = 16
"""While the wall clock is behind, one second in so many is left out."""


class Clock:
    """Tells microseconds since 1970."""

    __slots__ = ("_now_us", "_steady_ns", "_steady_read_ns", "_wall_ns")

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._now_us = wall_ns() // 1_000
        self._steady_read_ns = steady_ns()
        """Up to where steady time is contained in the last reading."""

    def read(self) -> int:
        """What time it is."""
        wall_us = self._wall_ns() // 1_000
        steady_ns = self._steady_ns()
        passed_us = (steady_ns - self._steady_read_ns) * (SLOWED_BY - 1) // SLOWED_BY // 1_000
        if wall_us >= self._now_us + passed_us:
            self._now_us = wall_us
            self._steady_read_ns = steady_ns
        elif passed_us:
            self._now_us += passed_us
            # What was too short to count is left for the next reading.
            self._steady_read_ns += passed_us * 1_000 * SLOWED_BY // (SLOWED_BY - 1)
        return self._now_us
