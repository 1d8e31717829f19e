"""When what waits for the journal's process leaves: together, since every write wakes that process.

Laws: what somebody waits for leaves with the next turn of the loop, which is after everything that this turn
delivers; what nobody waits for rests, but no longer than `GATHER_S` after something left, and not when there
is more than `GATHER_BYTES` of it. So the first after a pause does not rest at all.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from router.core.limits import KIB

GATHER_S = 0.010
GATHER_BYTES = 64 * KIB


class Gathering:
    """Calls `leave` in time. Whoever lets it all leave says so by `has_left`, also when nobody called."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave
        self._size_bytes = 0
        self._left_at_s = -math.inf
        self._next: asyncio.Handle | None = None
        self._is_hurried = False

    def add(self, size_bytes: int, *, awaited: bool) -> None:
        """Take note of something more that waits."""
        self._size_bytes += size_bytes
        if self._is_hurried or (self._next is not None and not awaited and self._size_bytes <= GATHER_BYTES):
            return
        rest_s = self._left_at_s + GATHER_S - time.monotonic()
        self._is_hurried = awaited or self._size_bytes > GATHER_BYTES or rest_s <= 0
        if self._next is not None:
            self._next.cancel()
        loop = asyncio.get_running_loop()
        self._next = loop.call_soon(self._leave) if self._is_hurried else loop.call_later(rest_s, self._hurry)

    def _hurry(self) -> None:
        """Leave after everything that this turn of the loop has already been told to do."""
        self._is_hurried = True
        self._next = asyncio.get_running_loop().call_soon(self._leave)

    def has_left(self) -> None:
        """Everything that waited has left."""
        self._size_bytes = 0
        self._left_at_s = time.monotonic()
        self._is_hurried = False
        if self._next is not None:
            self._next.cancel()
            self._next = None
