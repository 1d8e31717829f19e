"""Snapshots while the router runs: some time after a change, or after many entries, and at a clean stop.

Laws: a snapshot is folded from the journal's own entries, so it is exact by construction; without changes
none is taken; one that fails is tried again at the next occasion, and told once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from clasp_journal.errors import HistoryIncomplete, JournalError
from clasp_journal.journal import Journal
from router.recording.restoring import Restored

AFTER_ENTRIES = 500_000
LONG_TAIL_ENTRIES = 20_000
"""Who had to fold more than that at the start keeps the result, so that the next start need not.

So does who had to make do with what was left: it is the state from then on, and without it no snapshot could
be taken any more."""

log = logging.getLogger(__name__)


@runtime_checkable
class FoldsItself(Protocol):
    """A journal that knows a quicker way to fold a snapshot than through its own contract."""

    async def snapshot_by_fold(self) -> int:
        """Take a snapshot of the present state, and return the number it is true at."""


async def take_snapshot(journal: Journal) -> int:
    """Take a snapshot now, and return the number it is true at."""
    if isinstance(journal, FoldsItself):
        return await journal.snapshot_by_fold()
    at_seq = await journal.latest_seq()
    state = await journal.state(at_seq)
    return await journal.snapshot(state.params(), at_seq, revision_floor=state.revision_floor)


class Snapshots:
    """Decides when a snapshot is taken. It works while `run` runs."""

    def __init__(self, journal: Journal, every_s: float) -> None:
        self.on_taken: Callable[[], None] = _nothing
        """Called after each snapshot."""
        self.taken_us = 0
        """When the last one was taken; 0 if none was in this life."""
        self._journal = journal
        self._every_s = every_s
        self._since = 0
        self._changed = asyncio.Event()
        self._many = asyncio.Event()
        self._is_told = False
        self._restored: Restored | None = None
        self._taking = asyncio.Lock()

    def note_restored(self, restored: Restored) -> None:
        """Take note of what it took to restore the state at the start."""
        if restored.tail_entries > LONG_TAIL_ENTRIES or not restored.is_whole:
            self._restored = restored

    def note(self, entries: int) -> None:
        """Take note that so many entries were appended."""
        self._since += entries
        if entries:
            self._changed.set()
        if self._since >= AFTER_ENTRIES:
            self._many.set()

    async def run(self) -> None:
        """Take snapshots when they are due, again and again."""
        await self._keep_restored()
        while True:
            await self._changed.wait()
            try:
                async with asyncio.timeout(self._every_s):
                    await self._many.wait()
            except TimeoutError:
                pass  # The usual case: time has passed, not many entries.
            await self.take_if_changed()

    async def take_if_changed(self) -> None:
        """Take one, unless nothing has changed since the last."""
        async with self._taking:
            if self._since:
                await self._take()

    async def settle(self) -> None:
        """Return when none is being taken. Interrupting one would waste what it has done so far."""
        async with self._taking:
            pass

    async def _take(self) -> None:
        covered, self._since = self._since, 0
        self._changed.clear()
        self._many.clear()
        try:
            await take_snapshot(self._journal)
            self._is_told = False
            self.taken_us = time.time_ns() // 1_000
            self.on_taken()
        except HistoryIncomplete:
            # A ring that has turned over since its last snapshot: its state is what the router holds.
            log.debug("no snapshot: the entries for it are gone")
        except JournalError as error:
            self._since += covered
            self._changed.set()
            self._tell(error)

    async def _keep_restored(self) -> None:
        restored, self._restored = self._restored, None
        if restored is None:
            return
        state = restored.state
        try:
            await self._journal.snapshot(state.params(), restored.at_seq, revision_floor=state.revision_floor)
        except JournalError as error:
            self._tell(error)

    def _tell(self, error: JournalError) -> None:
        if not self._is_told:
            self._is_told = True
            log.warning("no snapshot could be taken, the next start will take longer: %s", error)


def _nothing() -> None:
    pass
