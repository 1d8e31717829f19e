"""The end of a log as far as it settles the state: which entry changed each address last.

Law: every row is checked, and every number has to be there; no entry is built from any of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from clasp_journal.entry import EntryKind
from clasp_journal.errors import HistoryIncomplete, JournalCorrupt
from clasp_journal.forgetting import SETTLING
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.changes import Changes
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.plain_sets import PlainSets
from clasp_journal.sqlite.rows import Row, check
from clasp_journal.sqlite.transactions import reading

CHECKED_AT_ONCE = 5_000


class ChangeSearch:
    """A search for the last change of each address in a span."""

    def __init__(self, span: Span) -> None:
        self.changes = Changes(span.after_seq)
        self._left = span

    def advance(self, db: sqlite3.Connection) -> bool:
        """Look at some more entries; tell whether it is over."""
        after_seq, upto_seq = self._left
        if after_seq >= upto_seq:
            return True
        part = Span(after_seq, min(after_seq + CHECKED_AT_ONCE, upto_seq))
        with reading(db):
            plain = PlainSets(db, part)
            others = db.execute(schema.OTHERS_BETWEEN if plain.count else schema.scan(), part).fetchall()
            if plain.count + len(others) < part.upto_seq - part.after_seq:
                demand(db, range(part.after_seq + 1, part.upto_seq + 1), [*plain, *others])
        _note(plain, others, self.changes)
        self._left = Span(part.upto_seq, upto_seq)
        return part.upto_seq == upto_seq


def demand(db: sqlite3.Connection, seqs: Sequence[int], rows: list[Row]) -> None:
    """All these entries have to be there, unless the writer has just removed them with all before them."""
    if len(rows) == len(seqs):
        return
    first = min(set(seqs).difference(row[0] for row in rows))
    oldest = db.execute(schema.RANGE).fetchone()[0]
    if oldest is None or first < oldest:
        raise HistoryIncomplete(f"entry {first} was removed meanwhile", operation="fold")
    raise JournalCorrupt(f"entry {first} is missing", first_bad_seq=first)


def _note(plain: PlainSets, others: list[Row], changes: Changes) -> None:
    """The last change of an address is the one with the highest number, in whichever list it is."""
    last = changes.last
    last.update({address_id: seq for seq, address_id in plain})
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
