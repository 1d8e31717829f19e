"""The state at a place in the log, without replaying all that led there.

Law: it equals the fold of the newest snapshot and every entry after it. Entries are outcomes, so the last
change of an address tells its state, as long as every change tells its revision and no tombstone has to be
dropped on the way; where that does not hold, everything is replayed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from clasp_journal.entry import EntryKind
from clasp_journal.errors import HistoryIncomplete, JournalCorrupt
from clasp_journal.forgetting import SETTLING
from clasp_journal.restore import TOMBSTONES_MAX, State
from clasp_journal.selection import Selection
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.changes import Changes
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.finder import Search
from clasp_journal.sqlite.rows import Row, check, check_plain, entry_of
from clasp_journal.sqlite.transactions import reading
from clasp_journal.sqlite.worker import Worker

STATE_CHANGES = Selection(kinds=SETTLING | {int(EntryKind.FORGET)})
APPLIED_AT_ONCE = 1_000
CHECKED_AT_ONCE = 5_000
# Looking up a member of an enum costs more than all the rest of a line.
_SET = int(EntryKind.SET)


class Folding:
    """Entries on their way into a state, some thousands at a time, on the reading thread."""

    def __init__(self, reader: Worker, catalog: Catalog, state: State) -> None:
        self._reader = reader
        self._catalog = catalog
        self._state = state

    async def apply(self, span: Span, noted: Changes | None = None) -> None:
        """Bring the state to the end of a span; `noted` are the changes up to there, if they were kept."""
        noted = noted or Changes(span.upto_seq)
        found = await self._find_changes(Span(span.after_seq, min(noted.since_seq, span.upto_seq)))
        expiries = len(self._state.tombstones) + found.expiries + noted.expiries
        if not (found.regular and noted.regular) or expiries > TOMBSTONES_MAX:
            await self._replay(span)
            return
        self._state.forgotten_seq = max(self._state.forgotten_seq, found.forgotten_seq)
        found.last.update(noted.last)
        seqs = sorted(seq for seq in found.last.values() if seq > span.after_seq)
        for at in range(0, len(seqs), APPLIED_AT_ONCE):
            if not await self._apply_picked(seqs[at : at + APPLIED_AT_ONCE]):
                await self._replay(span)
                return

    async def _find_changes(self, span: Span) -> Changes:
        """The last change of each address in a span. Every row is checked, none is made an entry."""
        changes = Changes(span.after_seq)
        for after_seq in range(span.after_seq, span.upto_seq, CHECKED_AT_ONCE):
            part = Span(after_seq, min(after_seq + CHECKED_AT_ONCE, span.upto_seq))

            def job(db: sqlite3.Connection, part: Span = part) -> None:
                with reading(db):
                    plain = db.execute(schema.PLAIN_BETWEEN, part).fetchall()
                    is_all = len(plain) == part.upto_seq - part.after_seq
                    others = [] if is_all else db.execute(schema.OTHERS_BETWEEN, part).fetchall()
                    _demand(db, range(part.after_seq + 1, part.upto_seq + 1), plain + others)
                _note(plain, others, changes)

            await self._reader.run(job, "fold")
        return changes

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
                rows = db.execute(schema.ENTRIES_AT, (json.dumps(seqs),)).fetchall()
                _demand(db, seqs, rows)
            for row in rows:
                self._state.apply(entry_of(row, self._catalog))
            return all(row[2] != EntryKind.REMOVED for row in rows)

        return await self._reader.run(job, "fold")


def _demand(db: sqlite3.Connection, seqs: Sequence[int], rows: list[Row]) -> None:
    """All these entries have to be there, unless the writer has just removed them with all before them."""
    if len(rows) == len(seqs):
        return
    first = min(set(seqs).difference(row[0] for row in rows))
    oldest = db.execute(schema.RANGE).fetchone()[0]
    if oldest is None or first < oldest:
        raise HistoryIncomplete(f"entry {first} was removed meanwhile", operation="fold")
    raise JournalCorrupt(f"entry {first} is missing", first_bad_seq=first)


def _note(plain: list[Row], others: list[Row], changes: Changes) -> None:
    """The last change of an address is the one with the highest number, in whichever list it is."""
    last = changes.last
    check_plain(plain)
    last.update({row[4]: row[0] for row in plain if row[2] == _SET})
    for row in others:
        check(row)
        kind = row[2]
        if kind == EntryKind.FORGET and row[12] is None:
            changes.forgotten_seq = max(changes.forgotten_seq, row[0])
        if kind in SETTLING:
            last[row[4]] = max(row[0], last.get(row[4], 0))
            if row[9] is None:
                changes.regular = False
            if kind == EntryKind.EXPIRE:
                changes.expiries += 1
