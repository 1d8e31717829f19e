"""Whether the journal answers at all: a disk that hangs, or a process that stands still, raises no error.

Laws: a journal that comes further, however slowly, is not silent; time is counted in looks that the router
takes, so that its own pauses and those of the whole machine are not the journal's; the log says once that
silence has begun, and once that it is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

SILENCE_S = 1.0
"""So long may the journal leave everything unanswered that it was handed."""
LOOK_S = 0.1
_LOOKS = round(SILENCE_S / LOOK_S)

log = logging.getLogger("router.journal")


class Silence:
    """Looks at the journal while it owes an answer."""

    def __init__(self, answered: Callable[[], object | None]) -> None:
        """`answered` tells how far the journal has come, or None while it owes nothing."""
        self._answered = answered
        self._before: object | None = None
        self._silent_looks = 0
        self._next: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """If the journal owes an answer, look until it has given it."""
        if self._next is None:
            self._before = self._answered()
            if self._before is not None:
                self._look_later()

    def stop(self) -> None:
        """Look no more, and say nothing of it."""
        self._silent_looks = 0
        if self._next is not None:
            self._next.cancel()
            self._next = None

    @property
    def reason(self) -> str | None:
        """What is to be said of it; None if the journal is not silent."""
        if self._silent_looks < _LOOKS:
            return None
        return f"the journal has not answered for {self._silent_looks * LOOK_S:.0f} s"

    def _look_later(self) -> None:
        self._next = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._next = None
        before, self._before = self._before, self._answered()
        if self._before != before:
            self._end()
        else:
            self._silent_looks += 1
            if self._silent_looks == _LOOKS:
                log.warning("%s", self.reason)
        if self._before is not None:
            self._look_later()

    def _end(self) -> None:
        if self.reason is not None:
            log.info("the journal answers again, after %.0f s", self._silent_looks * LOOK_S)
        self._silent_looks = 0
