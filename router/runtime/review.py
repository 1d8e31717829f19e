"""Looks after the tokens while a desk runs, so that a change of rights reaches sessions that are there.

Law: what changed, expired or was revoked takes effect within `REVIEW_EVERY_S` and the time of one look, or at
once when somebody asks for it. The look may block on a disk; the loop does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from router.core.access import Gate

log = logging.getLogger("router.desk")

REVIEW_EVERY_S = 1.0


class Review:
    """The watch over one gate; `on_change` is called when rights are others than before."""

    def __init__(self, gate: Gate, clock: Callable[[], int], on_change: Callable[[], None]) -> None:
        self._gate = gate
        self._clock = clock
        self._on_change = on_change
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch. What is known already takes effect now."""
        self._gate.settle(self._clock())
        self._task = asyncio.create_task(self._run())

    def hurry(self) -> None:
        """Look now."""
        self._wanted.set()

    async def stop(self) -> None:
        """Watch no longer."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), REVIEW_EVERY_S)
            self._wanted.clear()
            try:
                await asyncio.to_thread(self._gate.look)
                if self._gate.settle(self._clock()):
                    self._on_change()
            except Exception:
                log.exception("the tokens could not be looked after")
