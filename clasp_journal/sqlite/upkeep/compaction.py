"""Removing old entries, and giving their space back.

Law: at any moment, also after an interruption, the state after the last removed entry and every later one
can be told: the snapshot at the cut is there before the first entry goes, and so is the note that says so.
An interrupted removal is ended by the next, with a note of its own. Work is done in slices, between
which there is room for appends, and as much time for others.

The texts of addresses and authors stay when their last entry goes: snapshots, and readers in other processes,
know them by number, and there are few of them beside the entries.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from typing import TypeAlias

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.keeper import SnapshotKeeper
from clasp_journal.sqlite.slicing import Slices
from clasp_journal.sqlite.storage import Storage
from clasp_journal.sqlite.transactions import writing

Note: TypeAlias = Callable[[int], JournalEntry]
"""Makes the entry that says what is removed, from the number of the first of it."""

log = logging.getLogger("clasp_journal")

VACUUMED_AT_ONCE_PAGES = 256


class Compaction:
    """The removal of the entries below one number."""

    def __init__(
        self, storage: Storage, keeper: SnapshotKeeper, on_progress: Callable[[int], None] | None = None
    ) -> None:
        """`on_progress` is told how many more entries were removed."""
        self._on_progress = on_progress
        self._storage = storage
        self._writer = storage.writer
        self._keeper = keeper

    async def run(self, before_seq: int, *, force: bool = False, note: Note | None = None) -> int:
        """Remove them; return how many there were. A note is appended right before the removal."""
        extent = await self._storage.extent()
        before_seq = min(before_seq, extent.latest_seq + 1)
        if before_seq <= extent.oldest_seq:
            return 0
        if force:
            log.warning("%s: entries before %s are removed by force", self._storage.path, before_seq)
            await self._writer.begin_epoch(latest_seq=extent.latest_seq)
        else:
            await self._keep_base(before_seq)
        gone_upto_us = await self._writer.worker.run(self._highest_time_below(before_seq), "compact")
        await self._writer.change_meta(latest_seq=extent.latest_seq, gone_upto_us=gone_upto_us)
        if note is not None:
            await self._writer.append((note(extent.oldest_seq),), synced=False)
        await self._writer.note_removed(before_seq)
        await self._remove_entries(extent.oldest_seq, before_seq)
        await self._keeper.thin()
        await self._give_space_back()
        return before_seq - extent.oldest_seq

    async def _keep_base(self, before_seq: int) -> None:
        """A snapshot right before the cut, unless that state was forgotten and a later one is carried."""
        try:
            await self._keeper.take_at(before_seq - 1)
        except HistoryIncomplete:
            if not await self._keeper.carries_beyond(before_seq - 1):
                raise

    def _highest_time_below(self, before_seq: int) -> Callable[[sqlite3.Connection], int]:
        """A bound on the times of what goes, and of what went before: see `clock` for why it is one."""

        def job(db: sqlite3.Connection) -> int:
            runs = self._writer.entries.clock.runs
            following = (*(run.seq for run in runs[1:]), before_seq)
            highest_us = self._writer.meta.gone_upto_us
            for run, end in zip(runs, following, strict=True):
                if run.seq >= before_seq:
                    break
                row = db.execute(schema.ENTRY_AT, (min(end, before_seq) - 1,)).fetchone()
                # What is damaged may go as well.
                if row is not None and isinstance(row[1], int):
                    highest_us = max(highest_us, row[1] + run.slack_us)
            return highest_us

        return job

    async def _remove_entries(self, oldest_seq: int, before_seq: int) -> None:
        slices = Slices()
        while oldest_seq < before_seq:
            slice_entries = min(slices.entries, before_seq - oldest_seq)
            oldest_seq += slice_entries
            slices.begin()
            await self._writer.worker.run(self._removal_below(oldest_seq), "compact")
            slices.end()
            if self._on_progress is not None:
                self._on_progress(slice_entries)
            await slices.rest()

    def _removal_below(self, seq: int) -> Callable[[sqlite3.Connection], None]:
        def job(db: sqlite3.Connection) -> None:
            entries, clock = self._writer.entries, self._writer.entries.clock
            first = max((run.seq for run in clock.runs if run.seq <= seq), default=0)
            # Whoever misses entries and then asks whether some are gone has to hear it.
            before, entries.oldest_seq = entries.oldest_seq, seq
            try:
                with writing(db):
                    db.execute(schema.DELETE_ENTRIES, (seq,))
                    db.execute(schema.DELETE_CLOCK_STEPS, (first,))
            except sqlite3.Error:
                entries.oldest_seq = before
                raise
            clock.runs = tuple(run for run in clock.runs if run.seq >= first)

        return job

    async def _give_space_back(self) -> None:
        def job(db: sqlite3.Connection) -> int:
            # A transaction of its own making would fail to commit without a word.
            with writing(db):
                for _ in range(VACUUMED_AT_ONCE_PAGES):
                    db.execute(schema.VACUUM_A_PAGE).fetchall()
            (free,) = db.execute(schema.FREE_PAGES).fetchone()
            return int(free)

        slices, free, is_over = Slices(), -1, False
        while not is_over:
            slices.begin()
            before, free = free, await self._writer.worker.run(job, "compact")
            slices.end()
            is_over = free in (0, before)
            await slices.rest()
        await self._writer.worker.run(lambda db: db.execute(schema.CHECKPOINT).fetchall(), "compact")
