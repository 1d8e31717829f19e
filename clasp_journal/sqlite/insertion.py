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
import struct
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from clasp_journal.errors import BadValue, JournalUnavailable
from clasp_journal.forgetting import is_blank
from clasp_journal.mirror.chain import digest_of
from clasp_journal.mirror.comparing import Body
from clasp_journal.mirror.lines import entry_of_body
from clasp_journal.mirror.rebuilding import DifferingEntry, Inserted, Origin, unreadable
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.bodies import Texts, bodies_of
from clasp_journal.sqlite.bulk_insert import insert
from clasp_journal.sqlite.changes import Changes
from clasp_journal.sqlite.clock import Clock, Run, step_back
from clasp_journal.sqlite.extent import read_extent, write_clock_steps
from clasp_journal.sqlite.meta import Meta
from clasp_journal.sqlite.transactions import writing
from clasp_journal.sqlite.writer import Batch, EntryWriter
from clasp_journal.thinned import stands_for

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

    def run(self, db: sqlite3.Connection, bodies: Iterable[Body]) -> tuple[Inserted, Meta]:
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
        batch = Batch(writer.latest_seq, writer.catalog, writer.clock)
        texts = Texts(batch)
        with writing(db):
            self._insert_all(db, texts, iter(bodies))
            latest_seq = max(self._latest_seq, self._origin.latest_seq, texts.last_seq)
            if not texts.inserted and latest_seq == self._latest_seq:
                return Inserted(0, self._identical, meta.epoch), meta
            batch.names.insert(db)
            clock = _clock_of(db, latest_seq)
            db.execute(schema.DISOWN_SNAPSHOTS, (self._first_inserted or latest_seq,))
            if self._has_filled_a_hole or not self._latest_seq or meta.epoch != self._origin.epoch:
                lineage = f"{meta.lineage} {self._origin.epoch}".strip()
                meta = meta._replace(lineage=lineage).renewed()
            # Among what came back there may be acts of forgetting; what they cover may have been there. And
            # there may be what rules thin.
            meta = meta._replace(latest_seq=latest_seq, forgetting_after=self._latest_seq, thinned_upto=0)
            meta.write(db)
            writer.recency.give_up()
        writer.catalog.refresh(db)
        writer.clock.runs, writer.clock.highest_us = clock.runs, clock.highest_us
        writer.oldest_seq, writer.latest_seq = read_extent(db, meta)
        writer.changes = Changes(latest_seq)
        return Inserted(texts.inserted, self._identical, meta.epoch), meta

    def _insert_all(self, db: sqlite3.Connection, texts: Texts, bodies: Iterator[Body]) -> None:
        beyond: list[Body] = []

        def known() -> Iterator[Body]:
            for body in bodies:
                if body[0] > self._latest_seq:
                    beyond.append(body)
                    return
                yield body

        if not self._latest_seq:
            # An index that is made at the end costs half of one that is kept up.
            db.execute(schema.DROP_INDEX)
        numbers = known()
        while page := list(islice(numbers, COMPARED_AT_ONCE)):
            self._insert(db, texts, iter(self._missing_of(db, page)))
        self._insert(db, texts, chain(beyond, bodies))
        if not self._latest_seq:
            db.execute(schema.INDEX_ENTRIES)

    def _insert(self, db: sqlite3.Connection, texts: Texts, bodies: Iterator[Body]) -> None:
        first = next(bodies, None)
        if first is None:
            return
        self._first_inserted = self._first_inserted or first[0]
        self._has_filled_a_hole = self._has_filled_a_hole or first[0] <= self._latest_seq
        try:
            insert(db, texts.rows(chain((first,), bodies)))
        except (BadValue, ValueError, OverflowError, struct.error) as fault:
            raise unreadable(self._origin.file, texts.last_seq, fault) from fault

    def _missing_of(self, db: sqlite3.Connection, page: list[Body]) -> list[Body]:
        """Those that are not there; `DifferingEntry` if another one is."""
        rows = db.execute(schema.scan(), (page[0][0] - 1, page[-1][0])).fetchall()
        there = dict(bodies_of(rows, self._writer.catalog))
        missing = []
        for seq, body in page:
            found = there.get(seq)
            if found is None:
                missing.append((seq, body))
            elif found == body or stands_for(entry_of_body(found), entry_of_body(body)):
                self._identical += 1
            elif not is_blank(entry_of_body(body)):
                # Where a blank comes back, the act behind it is carried out afterwards.
                raise DifferingEntry(seq, digest_of(found), digest_of(body))
        return missing


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
