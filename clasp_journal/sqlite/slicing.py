"""How much of a long work is done at once, so that appends need not wait for it."""

from __future__ import annotations

import asyncio
import time

SLICE_S = 0.02
"""How long a slice should take."""
ENTRIES_FIRST = 1_000
ENTRIES_MIN = 100
ENTRIES_MAX = 20_000


class Slices:
    """The size of the next slice, from how long the one before took."""

    def __init__(self) -> None:
        self.entries = ENTRIES_FIRST
        self._began_s = 0.0
        self._took_s = 0.0

    def begin(self) -> None:
        """A slice begins."""
        self._began_s = time.monotonic()

    def end(self) -> None:
        """The slice is done: the size of the next one follows."""
        self._took_s = max(time.monotonic() - self._began_s, 1e-4)
        size = round(self.entries * min(2.0, SLICE_S / self._took_s))
        self.entries = min(max(size, ENTRIES_MIN), ENTRIES_MAX)

    async def rest(self) -> None:
        """Leave the processor to others for as long as the slice took: nobody waits for this work."""
        await asyncio.sleep(self._took_s)
