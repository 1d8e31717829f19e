"""The timer of a desk: it rings when the clock says that something is due.

Law: timers of the loop count steady time. Where the clock was set, or the machine slept, it says something
else; so it is looked at every `LOOK_S` while something is to come.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Final

LOOK_S = 1.0

_NEVER: Final = sys.maxsize


class Alarm:
    """Set to the time at which something is due next, if anything is."""

    def __init__(self, clock: Callable[[], int], ring: Callable[[], object]) -> None:
        """`ring` is called when it is due, and at times before; it has to clear the alarm when it is due."""
        self.due_us = _NEVER
        self._clock = clock
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def set(self, due_us: int | None) -> None:
        """Ring at this time, unless it is to ring sooner."""
        if due_us is not None and due_us < self.due_us:
            self.clear()
            self.due_us = due_us
            self._wait()

    def clear(self) -> None:
        """Do not ring any more."""
        self.due_us = _NEVER
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        delay_s = (self.due_us - self._clock()) / 1e6
        self._timer = self._loop.call_later(min(LOOK_S, max(0.0, delay_s)), self._look)

    def _look(self) -> None:
        self._timer = None
        self._ring()
        if self.due_us != _NEVER and self._timer is None:
            self._wait()
