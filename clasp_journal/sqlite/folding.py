"""The state at the end of the log, without replaying it.

Law: it equals the fold of the newest snapshot and every entry after it. Entries are outcomes, so the last
change of an address tells its state, as long as every change tells its revision and no tombstone has to be
dropped on the way; where that does not hold, everything is replayed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterable

from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import JournalCorrupt
from clasp_journal.restore import TOMBSTONES_MAX, State
from clasp_journal.selection import Selection
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.changes import Changes
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.finder import Search
from clasp_journal.sqlite.rows import entry_of
from clasp_journal.sqlite.transactions import reading
from clasp_journal.sqlite.worker import Worker

STATE_CHANGES = Selection(kinds=frozenset((int(EntryKind.SET), int(EntryKind.EXPIRE))))
APPLIED_AT_ONCE = 1_000


class Folding:
    """Entries on their way into a state, a thousand at a time, on the reading thread."""

    def __init__(self, reader: Worker, catalog: Catalog, state: State) -> None:
        self._reader = reader
        self._catalog = catalog
        self._state = state

    async def apply(self, span: Span, changes: Changes) -> None:
        """Bring the state to the end of a span, which is where `changes` ends."""
        older = _LastChanges()
        async for entries in self._changes_in(Span(span.after_seq, min(changes.since_seq, span.upto_seq))):
            older.note(entries)
        expiries = len(self._state.tombstones) + older.expiries + changes.expiries
        if not (older.regular and changes.regular) or expiries > TOMBSTONES_MAX:
            await self.replay(span)
            return
        ids = self._catalog.address_ids
        seqs = [seq for address, seq in older.last.items() if ids[address] not in changes.last]
        seqs += [seq for seq in changes.last.values() if seq > span.after_seq]
        seqs.sort()
        for at in range(0, len(seqs), APPLIED_AT_ONCE):
            await self._apply_picked(seqs[at : at + APPLIED_AT_ONCE])

    async def replay(self, span: Span) -> None:
        """Apply every entry of a span."""
        async for entries in self._changes_in(span):
            for entry in entries:
                self._state.apply(entry)

    async def _changes_in(self, span: Span) -> AsyncIterator[list[JournalEntry]]:
        while span.after_seq < span.upto_seq:
            search = Search(self._catalog, STATE_CHANGES, span, APPLIED_AT_ONCE)
            while not await self._reader.run(search.advance, "fold"):
                pass
            yield search.found
            if len(search.found) < APPLIED_AT_ONCE:
                return
            span = Span(search.last_found_seq, span.upto_seq)

    async def _apply_picked(self, seqs: list[int]) -> None:
        def job(db: sqlite3.Connection) -> None:
            with reading(db):
                self._catalog.refresh(db)
                rows = db.execute(schema.ENTRIES_AT, (json.dumps(seqs),)).fetchall()
            if len(rows) != len(seqs):
                first = min(set(seqs).difference(row[0] for row in rows))
                raise JournalCorrupt(f"entry {first} is missing", first_bad_seq=first)
            for row in rows:
                self._state.apply(entry_of(row, self._catalog))

        await self._reader.run(job, "fold")


class _LastChanges:
    """The same as `Changes`, from entries that are read back."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}
        self.expiries = 0
        self.regular = True

    def note(self, entries: Iterable[JournalEntry]) -> None:
        """Take more entries into account."""
        for entry in entries:
            self.last[entry.address] = entry.seq
            self.expiries += entry.kind == EntryKind.EXPIRE
            self.regular = self.regular and entry.revision is not None
