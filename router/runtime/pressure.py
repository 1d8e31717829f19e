"""Those who write wait while the journal is behind.

Law: whoever writes while the backlog is full is not read until half of it is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from router.runtime.keeping import Keeping
from router.runtime.outbox import Outbox, PauseReason


class Pressure:
    """Who waits for the journal at the moment."""

    def __init__(self, keeping: Keeping, outbox_of: Callable[[int], Outbox | None]) -> None:
        self._keeping = keeping
        self._outbox_of = outbox_of
        self._waiting: set[Outbox] = set()
        keeping.on_full = self._make_wait

    def relieve(self) -> None:
        """Read those who waited again, if the journal has room."""
        if self._keeping.has_room:
            waiting, self._waiting = self._waiting, set()
            for outbox in waiting:
                outbox.resume(PauseReason.JOURNAL)

    def forget(self, outbox: Outbox) -> None:
        """A writer is gone."""
        self._waiting.discard(outbox)

    def _make_wait(self, writers: Iterable[int]) -> None:
        for number in writers:
            outbox = self._outbox_of(number)
            if outbox is not None:
                outbox.pause(PauseReason.JOURNAL)
                self._waiting.add(outbox)
