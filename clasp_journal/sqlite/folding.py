"""The state at a place in the log, without replaying all that led there.

Law: it equals the fold of the newest snapshot and every entry after it. Entries are outcomes, so the last
change of an address tells its state, as long as every change tells its revision and no tombstone has to be
dropped on the way; where that does not hold, everything is replayed.
"""

from __future__ import annotations

import json
import sqlite3

from clasp_journal.entry import EntryKind
from clasp_journal.forgetting import SETTLING
from clasp_journal.restore import TOMBSTONES_MAX, State
from clasp_journal.selection import Selection
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.changes import Changes
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.finder import Search
from clasp_journal.sqlite.rows import entry_of
from clasp_journal.sqlite.slicing import Slices
from clasp_journal.sqlite.tail import ChangeSearch, demand
from clasp_journal.sqlite.transactions import reading
from clasp_journal.sqlite.worker import Worker

STATE_CHANGES = Selection(kinds=SETTLING | {int(EntryKind.FORGET)})
APPLIED_AT_ONCE = 1_000


class Folding:
    """Entries on their way into a state, some thousands at a time, on the reading thread."""

    def __init__(self, reader: Worker, catalog: Catalog, state: State, *, rests: bool = False) -> None:
        """`rests`: leave as much time to others, since nobody waits for the state."""
        self._reader = reader
        self._catalog = catalog
        self._state = state
        self._rests = rests

    async def apply(self, span: Span, noted: Changes | None = None) -> None:
        """Bring the state to the end of a span; `noted` are the changes up to there, if they were kept."""
        noted = noted or Changes(span.upto_seq)
        found = await self._find_changes(Span(span.after_seq, min(noted.since_seq, span.upto_seq)))
        expiries = len(self._state.tombstones) + found.expiries + noted.expiries
        if not (found.regular and noted.regular) or expiries > TOMBSTONES_MAX:
            await self._replay(span)
            return
        forgotten_seq = max(found.forgotten_seq, noted.forgotten_seq)
        self._state.forgotten_seq = max(self._state.forgotten_seq, forgotten_seq)
        found.last.update(noted.last)
        seqs = sorted(seq for seq in found.last.values() if seq > span.after_seq)
        for at in range(0, len(seqs), APPLIED_AT_ONCE):
            if not await self._apply_picked(seqs[at : at + APPLIED_AT_ONCE]):
                await self._replay(span)
                return

    async def _find_changes(self, span: Span) -> Changes:
        search, slices, is_over = ChangeSearch(span), Slices(), False
        while not is_over:
            slices.begin()
            is_over = await self._reader.run(search.advance, "fold")
            if self._rests:
                slices.end()
                await slices.rest()
        return search.changes

    async def _replay(self, span: Span) -> None:
        while span.after_seq < span.upto_seq:
            search = Search(self._catalog, STATE_CHANGES, span, APPLIED_AT_ONCE)
            while not await self._reader.run(search.advance, "fold"):
                pass
            for entry in search.found:
                self._state.apply(entry)
            if len(search.found) < APPLIED_AT_ONCE:
                return
            span = Span(search.last_found_seq, span.upto_seq)

    async def _apply_picked(self, seqs: list[int]) -> bool:
        """Apply some entries; False if one was thinned since it was found, so that others stand for it."""

        def job(db: sqlite3.Connection) -> bool:
            with reading(db):
                self._catalog.refresh(db)
                rows = db.execute(schema.entries_at(), (json.dumps(seqs),)).fetchall()
                demand(db, seqs, rows)
            for row in rows:
                self._state.apply(entry_of(row, self._catalog))
            return all(row[2] != EntryKind.REMOVED for row in rows)

        return await self._reader.run(job, "fold")
