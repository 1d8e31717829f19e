"""Entries that come back: put in under the numbers that they once had.

Laws: all of it is one transaction; an entry whose number is taken by the same entry is skipped, by
another one it fails everything, with nothing written. What the journal knows beside its entries (clock
steps, snapshots, its epoch) is true again when it is committed:

* Snapshots behind the first entry that came back may have been made without it, and do not count any more.
* Who read the journal may have seen entries that are still missing: if the journal was empty, was another
  epoch's, or had a hole, a new epoch begins. What only comes behind the last entry nobody has seen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import JournalUnavailable
from clasp_journal.mirror.chain import digest_of
from clasp_journal.mirror.lines import body_of
from clasp_journal.mirror.rebuilding import DifferingEntry, Inserted, Origin
from clasp_journal.mirror.removals import is_blank
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.changes import Changes
from clasp_journal.sqlite.clock import Clock, Run, step_back
from clasp_journal.sqlite.extent import write_clock_steps
from clasp_journal.sqlite.meta import Meta
from clasp_journal.sqlite.names import NewNames
from clasp_journal.sqlite.rows import entry_of
from clasp_journal.sqlite.transactions import writing
from clasp_journal.sqlite.writer import Batch, EntryWriter

COMPARED_AT_ONCE = 5_000


class Insertion:
    """One return of entries, as a job on the writing connection."""

    def __init__(self, writer: EntryWriter, meta: Meta, origin: Origin) -> None:
        self._writer = writer
        self._meta = meta
        self._origin = origin
        self._latest_seq = writer.latest_seq
        self._first_inserted = 0
        self._has_filled_a_hole = False
        self._identical = 0
        self._inserted = 0

    def run(self, db: sqlite3.Connection, entries: Iterable[JournalEntry]) -> tuple[Inserted, Meta]:
        """Insert what is missing; returns the facts about the journal as they are then."""
        writer, meta = self._writer, self._meta
        if writer.mirror is not None:
            raise JournalUnavailable(
                "its mirror is being written; open the journal without it", operation="rebuild"
            )
        if self._latest_seq and not meta.was_once(self._origin.epoch):
            reason = f"epoch {self._origin.epoch} is none of this journal, which has entries of its own"
            raise JournalUnavailable(reason, operation="rebuild")
        writer.synchronize(db, synced=True)
        batch = _batch_of(writer)
        with writing(db):
            self._insert_all(db, batch, iter(entries))
            latest_seq = max(self._latest_seq, self._origin.latest_seq)
            if not self._inserted and latest_seq == self._latest_seq:
                return Inserted(0, self._identical, meta.epoch), meta
            batch.names.insert(db)
            clock = _clock_of(db, latest_seq)
            db.execute(schema.DISOWN_SNAPSHOTS, (self._first_inserted or latest_seq,))
            if self._has_filled_a_hole or not self._latest_seq or meta.epoch != self._origin.epoch:
                lineage = f"{meta.lineage} {self._origin.epoch}".strip()
                meta = meta._replace(lineage=lineage).renewed()
            meta = meta._replace(latest_seq=latest_seq)
            meta.write(db)
        writer.catalog.refresh(db)
        writer.clock.runs, writer.clock.highest_us = clock.runs, clock.highest_us
        writer.latest_seq = latest_seq
        writer.changes = Changes(latest_seq)
        return Inserted(self._inserted, self._identical, meta.epoch), meta

    def _insert_all(self, db: sqlite3.Connection, batch: Batch, entries: Iterator[JournalEntry]) -> None:
        beyond: list[JournalEntry] = []

        def known() -> Iterator[JournalEntry]:
            for entry in entries:
                if entry.seq > self._latest_seq:
                    beyond.append(entry)
                    return
                yield entry

        if not self._latest_seq:
            # An index that is made at the end costs half of one that is kept up.
            db.execute(schema.DROP_INDEX)
        numbers = known()
        while page := list(islice(numbers, COMPARED_AT_ONCE)):
            self._insert(db, batch, iter(self._missing_of(db, page)))
        self._insert(db, batch, chain(beyond, entries))
        if not self._latest_seq:
            db.execute(schema.INDEX_ENTRIES)

    def _insert(self, db: sqlite3.Connection, batch: Batch, entries: Iterator[JournalEntry]) -> None:
        """Insert entries, a run of following numbers at a time."""
        first = next(entries, None)
        while first is not None:
            run = _Run(first, entries)
            batch.last_seq = first.seq - 1
            db.executemany(schema.INSERT_PLAIN_ENTRY, batch.rows(db, run))
            self._inserted += batch.last_seq - first.seq + 1
            self._first_inserted = self._first_inserted or first.seq
            self._has_filled_a_hole = self._has_filled_a_hole or first.seq <= self._latest_seq
            first = run.following

    def _missing_of(self, db: sqlite3.Connection, page: list[JournalEntry]) -> list[JournalEntry]:
        """Those that are not there; `DifferingEntry` if another one is."""
        catalog: Catalog = self._writer.catalog
        rows = db.execute(schema.scan(), (page[0].seq - 1, page[-1].seq)).fetchall()
        there = {row[0]: entry_of(row, catalog) for row in rows}
        missing = []
        for entry in page:
            found = there.get(entry.seq)
            if found is None:
                missing.append(entry)
            elif found == entry:
                self._identical += 1
            elif is_blank(entry):
                # It was forgotten in the mirror first; nothing says that it has to go from here now.
                continue
            else:
                here, other = (digest_of(body_of(each, each.seq).encode()) for each in (found, entry))
                raise DifferingEntry(entry.seq, here, other)
        return missing


def _batch_of(writer: EntryWriter) -> Batch:
    """A batch that knows a name as soon as it has met it: it may be all that the journal will ever have."""
    known = Catalog()
    known.address_ids, known.author_ids = dict(writer.catalog.address_ids), dict(writer.catalog.author_ids)
    known.last_address_id, known.last_author_id = (
        writer.catalog.last_address_id,
        writer.catalog.last_author_id,
    )
    batch = Batch(writer.latest_seq, known, writer.clock)
    batch.names = _Names(known)
    return batch


class _Names(NewNames):
    """New names in a catalog of their own, which nobody else will use if this fails."""

    def __init__(self, known: Catalog) -> None:
        super().__init__(known)
        self._known = known

    def address_id(self, text: str) -> int:
        """The id of an address, from now on a known one."""
        number = self._known.address_ids[text] = super().address_id(text)
        return number

    def author_id(self, subject: str, name: str | None) -> int:
        """The id of an author, from now on a known one."""
        number = self._known.author_ids[subject, name] = super().author_id(subject, name)
        return number


class _Run:
    """The entries from the first on, up to a gap in their numbers; then `following` is the one behind it."""

    def __init__(self, first: JournalEntry, entries: Iterator[JournalEntry]) -> None:
        self.following: JournalEntry | None = None
        self._first = first
        self._entries = entries

    def __iter__(self) -> Iterator[JournalEntry]:
        yield self._first
        expected = self._first.seq
        for entry in self._entries:
            expected += 1
            if entry.seq != expected:
                self.following = entry
                return
            yield entry


def _clock_of(db: sqlite3.Connection, latest_seq: int) -> Clock:
    """Where times go back, found by reading all of them, and stored."""
    runs: tuple[Run, ...] = (Run(1, 0),)
    highest_us = -(1 << 63)
    for seq, timestamp in db.execute(schema.ALL_TIMES):
        if timestamp < highest_us:
            highest_us, runs = step_back(Run(seq, 0), timestamp, highest_us, runs)
        else:
            highest_us = timestamp
    db.execute(schema.DELETE_CLOCK_STEPS, (latest_seq + 1,))
    write_clock_steps(db, runs)
    clock = Clock(runs)
    clock.highest_us = highest_us
    return clock
