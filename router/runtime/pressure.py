"""What the journal does to the desk: writers wait while it is behind, and its faults decide what is accepted.

Laws: whoever writes while the backlog is full is not read until half of it is gone; with the policy `stop`
nothing is applied that cannot be kept; with `serve` what could not be kept is told afterwards, by a gap entry
and a snapshot of everything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING

from clasp_journal.errors import JournalError
from router.runtime.outbox import Outbox, PauseReason

if TYPE_CHECKING:
    from router.runtime.desk import Desk

log = logging.getLogger("router.journal")


class Pressure:
    """Keeps the desk in step with its journal."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: set[Outbox] = set()
        self._snapshot: asyncio.Task[None] | None = None
        desk.keeping.on_change = self._changed
        desk.keeping.on_full = self._make_wait

    def forget(self, outbox: Outbox) -> None:
        """A writer is gone."""
        self._waiting.discard(outbox)

    async def stop(self) -> None:
        """Let a snapshot that is on its way end."""
        if self._snapshot is not None:
            await asyncio.gather(self._snapshot, return_exceptions=True)

    def _make_wait(self, writers: Iterable[int]) -> None:
        for number in writers:
            outbox = self._desk.outbox_of(number)
            if outbox is not None:
                outbox.pause(PauseReason.JOURNAL)
                self._waiting.add(outbox)

    def _changed(self) -> None:
        keeping = self._desk.keeping
        self._desk.core.ground.accepting = keeping.is_accepting
        self._desk.ports.record = keeping.recording()
        if keeping.has_room:
            waiting, self._waiting = self._waiting, set()
            for outbox in waiting:
                outbox.resume(PauseReason.JOURNAL)
        if keeping.trouble is None and keeping.missed:
            self._tell_gap()

    def _tell_gap(self) -> None:
        """The journal can write again: say what it missed, and how things are now."""
        self._desk.begin_tick()
        log.warning("%d entries are missing from the journal", self._desk.keeping.missed)
        self._desk.keeping.record_gap(self._desk.now_us)
        self._desk.exchange.flush()
        topics = self._desk.core.ground.topics
        recorder = self._desk.keeping.recorder
        assert recorder is not None
        # Handed over here and not in the task, so that no later write comes between.
        kept = recorder.keep_snapshot(topics.snapshot(), topics.revision_floor)
        self._snapshot = asyncio.get_running_loop().create_task(self._keep(kept))

    async def _keep(self, kept: Awaitable[int]) -> None:
        try:
            await kept
        except JournalError as error:
            log.error("the snapshot after the gap failed: %s", error)
