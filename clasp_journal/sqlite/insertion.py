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
from itertools import islice

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
from clasp_journal.sqlite.rows import entry_of
from clasp_journal.sqlite.transactions import writing
from clasp_journal.sqlite.writer import Batch, EntryWriter

INSERTED_AT_ONCE = 5_000


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
        batch = Batch(self._latest_seq, writer.catalog, writer.clock)
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
        batch.names.adopt()
        writer.clock.runs, writer.clock.highest_us = clock.runs, clock.highest_us
        writer.latest_seq = latest_seq
        writer.changes = Changes(latest_seq)
        return Inserted(self._inserted, self._identical, meta.epoch), meta

    def _insert_all(self, db: sqlite3.Connection, batch: Batch, entries: Iterator[JournalEntry]) -> None:
        while page := list(islice(entries, INSERTED_AT_ONCE)):
            missing = page if page[0].seq > self._latest_seq else self._missing_of(db, page)
            while missing:
                run = _first_run(missing)
                batch.last_seq = run[0].seq - 1
                db.executemany(schema.INSERT_PLAIN_ENTRY, batch.rows(db, run))
                self._note(run)
                missing = missing[len(run) :]

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

    def _note(self, run: list[JournalEntry]) -> None:
        self._inserted += len(run)
        self._first_inserted = self._first_inserted or run[0].seq
        self._has_filled_a_hole = self._has_filled_a_hole or run[0].seq <= self._latest_seq


def _first_run(entries: list[JournalEntry]) -> list[JournalEntry]:
    """The entries at the beginning whose numbers have no gap."""
    first = entries[0].seq
    if entries[-1].seq - first == len(entries) - 1:
        return entries
    end = next(at for at, entry in enumerate(entries) if entry.seq != first + at)
    return entries[:end]


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
