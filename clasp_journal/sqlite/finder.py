"""Finding the entries of a selection, a bounded piece of work at a time.

Laws: nothing that `Selection.matches` would refuse is served, nothing that it would accept is left out; an
entry is served after its checksum was checked, or not at all. One call of `Search.advance` looks at one
view of the file for some milliseconds, so no search keeps the write-ahead log from being emptied.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from enum import Enum

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import JournalCorrupt
from clasp_journal.selection import EVERYTHING, Selection
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Catalog, Matched
from clasp_journal.sqlite.clock import Span, narrow
from clasp_journal.sqlite.extent import Extent, read_extent, read_runs
from clasp_journal.sqlite.merging import Merging
from clasp_journal.sqlite.meta import Meta
from clasp_journal.sqlite.narrowing import Narrowing
from clasp_journal.sqlite.planner import (
    SCAN_SLICE_ENTRIES,
    Plan,
    Task,
    choose,
    probe_entries,
)
from clasp_journal.sqlite.rows import Row, entry_of
from clasp_journal.sqlite.transactions import reading

ADDRESSES_IN_SQL_MAX = 2_000
"""Longer lists are looked up here, not handed to SQLite with each slice."""

RUN_S = 0.003
"""Slices that are done sooner are not worth the way from thread to thread and back."""


class Aim(Enum):
    """What is to be found."""

    OLDEST = "the oldest entries, oldest first"
    NEWEST = "the newest entries, newest first"
    NUMBERS = "how many there are of the newest, and the number of the last of them"


class Search:
    """One search, from `advance` to `advance` until that returns True."""

    def __init__(
        self, catalog: Catalog, selection: Selection, span: Span, wanted: int, aim: Aim = Aim.OLDEST
    ) -> None:
        self.found: list[JournalEntry] = []
        """In the order in which they were found; empty where only numbers are wanted."""
        self.found_count = 0
        self.last_found_seq = 0
        self._catalog = catalog
        self._selection = selection
        self._within = span
        self._wanted = wanted
        self._only_keys = aim is Aim.NUMBERS
        self._backwards = aim is not Aim.OLDEST
        self._todo: list[Span] | None = None
        self._scanned = 0
        self._passed = 0
        self._merging = Merging(catalog, backwards=self._backwards)

    def run(self, db: sqlite3.Connection) -> bool:
        """Do slices of the work for a moment; tell whether there was a last one."""
        end_s = time.monotonic() + RUN_S
        while not self.advance(db):
            if time.monotonic() > end_s:
                return False
        return True

    def advance(self, db: sqlite3.Connection) -> bool:
        """Do a slice of the work; tell whether it was the last."""
        with reading(db):
            self._catalog.refresh(db)
            narrowing = Narrowing(self._selection, self._catalog)
            matched = self._matched()
            if narrowing.is_hopeless or (matched is not None and not matched.ids):
                return True
            span = self._next_span(db)
            if span is None or self._left() <= 0:
                return True
            task = self._task(span, matched)
            if choose(task) is Plan.SCAN:
                reached = self._scan(db, self._slice(span, task), (matched, narrowing))
            else:
                assert matched is not None
                reached = self._merge(db, span, (matched, narrowing))
            self._move_on(span, reached)
            return not self._todo or self._left() <= 0

    def _left(self) -> int:
        return self._wanted - self.found_count

    def _matched(self) -> Matched | None:
        if self._selection.pattern.text == EVERYTHING.text:
            return None
        return self._catalog.match(self._selection.pattern)

    def _next_span(self, db: sqlite3.Connection) -> Span | None:
        """The part of the log to look at next, without what was compacted meanwhile."""
        extent = read_extent(db, Meta.read(db))
        if self._todo is None:
            self._todo = self._spans(db, extent)
        while self._todo:
            at = -1 if self._backwards else 0
            span = self._todo[at]
            if span.upto_seq >= extent.oldest_seq:
                self._todo[at] = Span(max(span.after_seq, extent.oldest_seq - 1), span.upto_seq)
                return self._todo[at]
            self._todo.pop(at)
        return None

    def _spans(self, db: sqlite3.Connection, extent: Extent) -> list[Span]:
        after, upto = self._within
        within = Span(max(after, extent.oldest_seq - 1), min(upto, extent.latest_seq))
        return spans_by_time(db, self._catalog, within, (self._selection.from_us, self._selection.to_us))

    def _task(self, span: Span, matched: Matched | None) -> Task:
        return Task(
            None if matched is None else len(matched.ids),
            len(self._catalog.addresses),
            span.upto_seq - span.after_seq,
            self._left(),
            self._merging.knows_ends(span),
            (self._passed + 1) / self._scanned if self._scanned else None,
        )

    def _move_on(self, span: Span, reached: int) -> None:
        assert self._todo is not None
        if self._backwards:
            self._todo.pop()
            if reached - 1 > span.after_seq:
                self._todo.append(Span(span.after_seq, reached - 1))
        elif reached < span.upto_seq:
            self._todo[0] = Span(reached, span.upto_seq)
        else:
            self._todo.pop(0)

    def _keep(self, row: Row) -> bool:
        """Add an entry to what was found; tell whether that is enough."""
        if not self._only_keys:
            self.found.append(entry_of(row, self._catalog))
        self.found_count += 1
        self.last_found_seq = row[0]
        return self.found_count >= self._wanted

    def _scan(self, db: sqlite3.Connection, part: Span, by: tuple[Matched | None, Narrowing]) -> int:
        """Look at every entry of a slice in order; return the number up to which that is done."""
        matched, narrowing = by
        in_sql = matched is not None and len(matched.ids) <= ADDRESSES_IN_SQL_MAX
        narrows = not narrowing.is_empty
        cells = (*part, matched.as_json if matched and in_sql else None, *narrowing.parameters())
        statement = schema.scan(
            addresses=in_sql, rest=narrows, backwards=self._backwards, only_keys=self._only_keys
        )
        bound = cells if narrows else cells[:3] if in_sql else cells[:2]
        members = None if matched is None or in_sql else matched.members
        whole = matched is None and not narrows
        step = -1 if self._backwards else 1
        expected, last = part.after_seq + 1, part.upto_seq
        if self._backwards:
            expected, last = last, expected
        begun, passed_before = expected, self.found_count
        reached = last
        with closing(db.execute(statement, bound)) as rows:
            for row in rows:
                if whole:
                    if row[0] != expected:
                        raise _missing(expected)
                    expected += step
                elif (members is not None and row[4] not in members) or not narrowing.passes(row):
                    continue
                if self._keep(row):
                    reached = row[0]
                    break
            else:
                if whole and expected != last + step:
                    raise _missing(expected)
        self._scanned += abs(reached - begun) + 1
        self._passed += self.found_count - passed_before
        return reached

    def _slice(self, span: Span, task: Task) -> Span:
        # The first slice is a probe: it was chosen by a guess, which it replaces.
        size = SCAN_SLICE_ENTRIES if self._scanned else probe_entries(task)
        if self._backwards:
            return Span(max(span.after_seq, span.upto_seq - size), span.upto_seq)
        return Span(span.after_seq, min(span.upto_seq, span.after_seq + size))

    def _merge(self, db: sqlite3.Connection, span: Span, by: tuple[Matched, Narrowing]) -> int:
        """Serve the next numbers of each address in order; return the number up to which that is done."""
        matched, narrowing = by
        numbers = self._merging.look(db, span, matched, self._left())
        seqs = numbers.seqs[: self._left()] if narrowing.is_empty else numbers.seqs
        statement = schema.entries_at(backwards=self._backwards, only_keys=self._only_keys)
        with closing(db.execute(statement, (json.dumps(seqs),))) as rows:
            for seq in seqs:
                row = rows.fetchone()
                if row is None or row[0] != seq:
                    raise _missing(seq)
                if narrowing.passes(row) and self._keep(row):
                    return seq
        return numbers.reached


def spans_by_time(
    db: sqlite3.Connection, catalog: Catalog, within: Span, bounds_us: tuple[int | None, int | None]
) -> list[Span]:
    """The parts of a span that hold every entry within inclusive bounds of time."""
    if bounds_us == (None, None):
        return [within] if within.after_seq < within.upto_seq else []

    def time_of(seq: int) -> int:
        row = db.execute(schema.ENTRY_AT, (seq,)).fetchone()
        if row is None:
            raise _missing(seq)
        return entry_of(row, catalog).timestamp

    return narrow(read_runs(db), within, bounds_us, time_of)


def _missing(seq: int) -> JournalCorrupt:
    return JournalCorrupt(f"entry {seq} is missing", first_bad_seq=seq)
