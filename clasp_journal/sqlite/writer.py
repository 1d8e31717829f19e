"""Appending: decoding, numbering, checksums and insertion as one job in one transaction.

Laws: a batch is there as a whole or not at all; what memory knows (ids, times, the last number) changes
after the commit, never before; a number that failed to commit is given to the next entry.
"""

from __future__ import annotations

import os
import sqlite3
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from zlib import crc32

from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import BadValue
from clasp_journal.presence import Presence
from clasp_journal.short import Plain, ShortEntries, in_short
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.bulk_insert import NULL, cells_of, insert
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.changes import Changes
from clasp_journal.sqlite.checksum import BIAS, ENTRY_HEAD
from clasp_journal.sqlite.clock import Clock, Run, Span, step_back
from clasp_journal.sqlite.extent import Extent, write_clock_steps
from clasp_journal.sqlite.forms import form_of
from clasp_journal.sqlite.new_names import NewNames
from clasp_journal.sqlite.recency import Recency
from clasp_journal.sqlite.rows import NO_REVISION, Row, entry_checksum, extra_of
from clasp_journal.sqlite.transactions import writing

if TYPE_CHECKING:
    from clasp_journal.mirror.writing import Mirror

WAL_SIZE_MAX_BYTES = 64 << 20
"""Above it the write-ahead log is emptied, waiting for readers if need be."""
WAL_LOOK_EVERY_ENTRIES = 5_000
WAL_RETRY_S = 1.0

_F64_TAG = 7
_WITH_F64 = struct.Struct(ENTRY_HEAD.format + "Bd")
"""A row's checksum goes over this, where its value is a float."""
_SET, _PUBLISH, _EXPIRE = int(EntryKind.SET), int(EntryKind.PUBLISH), int(EntryKind.EXPIRE)


class EntryWriter:
    """The writing end of a journal. Its methods run on the writing connection's thread."""

    def __init__(self, path: str, catalog: Catalog, clock: Clock, extent: Extent) -> None:
        self.catalog = catalog
        self.clock = clock
        self.oldest_seq, self.latest_seq = extent
        self.changes = Changes(self.latest_seq)
        self.recency = catalog.recency = Recency(self.latest_seq)
        self.mirror: Mirror | None = None
        self._wal_path = path + "-wal"
        self._presence = Presence(path, self._wal_path)
        self._synced: bool | None = None
        self._unwatched_entries = 0
        self._next_emptying_s = 0.0

    def append(self, db: sqlite3.Connection, entries: Iterable[JournalEntry], *, synced: bool) -> int:
        """Number and commit entries; return the last number. With a mirror, they become its lines first."""
        if self.mirror is None:
            short = entries.short() if isinstance(entries, ShortEntries) else entries
            return self._append(db, short, synced=synced)
        with self.mirror.transaction(synced=synced) as lines:
            passing = lines.passing(entries, self.latest_seq)
            return self._append(db, passing, synced=synced, before_commit=lines.seal)

    def _append(
        self,
        db: sqlite3.Connection,
        entries: Iterable[JournalEntry | Plain],
        *,
        synced: bool,
        before_commit: Callable[[], None] | None = None,
    ) -> int:
        self.synchronize(db, synced=synced)
        batch = Batch(self.latest_seq, self.catalog, self.clock)
        try:
            with writing(db):
                insert(db, batch.rows(entries))
                batch.names.insert(db)
                if batch.runs is not self.clock.runs:
                    write_clock_steps(db, sorted(set(batch.runs).difference(self.clock.runs)))
                self._presence.demand()
                if before_commit is not None:
                    before_commit()
        except (struct.error, OverflowError) as error:
            raise BadValue(f"a number that does not fit: {error}") from error
        except sqlite3.Error:
            self._overwrite_leftovers(db)
            raise
        batch.names.adopt()
        self.clock.runs, self.clock.highest_us = batch.runs, batch.highest_us
        self.changes.add(batch.changed, batch.expiries, regular=batch.regular)
        self.recency.note(batch.changed, batch.others, upto_seq=batch.last_seq)
        self._unwatched_entries += batch.last_seq - self.latest_seq
        self.latest_seq = batch.last_seq
        self._watch_log(db)
        return self.latest_seq

    def has_none(self, pattern: Pattern, span: Span) -> bool:
        """Whether it is known, without a look at the file, that a span has no entry of one address."""
        if not pattern.is_literal or span.upto_seq > self.recency.upto_seq:
            return False
        number = self.catalog.address_ids.get(pattern.text)
        return number is None or self.recency.last_at_most(number) <= span.after_seq

    def synchronize(self, db: sqlite3.Connection, *, synced: bool) -> None:
        """Let the next transactions be on the disk, or only in the system's hands, when they are committed.

        A synced commit takes everything before it to the disk as well: the log is one file.
        """
        if synced is not self._synced:
            db.execute(schema.SYNCHRONOUS_FULL if synced else schema.SYNCHRONOUS_NORMAL)
            self._synced = synced

    def _overwrite_leftovers(self, db: sqlite3.Connection) -> None:
        """See to it that a batch which was refused does not come back when the file is opened again.

        Where only the sync failed, its pages stand in the write-ahead log, complete, until others are written
        in their place; a killed process would leave them to be found.
        """
        try:
            self.synchronize(db, synced=False)
            with writing(db):
                db.execute(schema.WRITE_VERSION)
        except sqlite3.Error:
            # The disk takes nothing at all now; the next thing that it takes stands in their place.
            return

    def _watch_log(self, db: sqlite3.Connection) -> None:
        if self._unwatched_entries < WAL_LOOK_EVERY_ENTRIES:
            return
        self._unwatched_entries = 0
        try:
            too_long = os.stat(self._wal_path).st_size > WAL_SIZE_MAX_BYTES
            if too_long and time.monotonic() > self._next_emptying_s:
                self._next_emptying_s = time.monotonic() + WAL_RETRY_S
                db.execute(schema.CHECKPOINT)
        except (OSError, sqlite3.Error):
            # The batch is committed whatever becomes of the log; the next one tells what is wrong.
            return


class Batch:
    """The rows of one call of append, made while SQLite takes them, and what memory learns if they stay."""

    def __init__(self, latest_seq: int, catalog: Catalog, clock: Clock) -> None:
        self.last_seq = latest_seq
        self.names = NewNames(catalog)
        self.runs = clock.runs
        self.highest_us = clock.highest_us
        self.changed: dict[int, int] = {}
        """The last change of each address."""
        self.others: dict[int, int] = {}
        """The last entry that is no change, of each address that has one."""
        self.expiries = 0
        self.regular = True
        self._catalog = catalog

    def rows(self, entries: Iterable[JournalEntry | Plain]) -> Iterator[Row]:
        """Number the entries and turn them into rows."""
        addresses, names = self._catalog.address_ids, self.names
        changed, others = self.changed, self.others
        seq, highest_us = self.last_seq, self.highest_us
        last_author: str | None = None
        last_name: str | None = None
        author_id = 0
        cell: float
        pack, crc, bias, null = _WITH_F64.pack, crc32, BIAS, NULL
        for entry in entries:
            seq += 1
            short = entry if type(entry) is Plain else in_short(entry)
            if short is not None:
                timestamp, author, name, address, signal, number, revision = short[:]
            else:
                timestamp, author, address, name = entry.timestamp, entry.author, entry.address, entry.name
            try:
                address_id = addresses[address]
            except KeyError:
                address_id = names.address_id(address)
            if author is not last_author or name is not last_name:
                author_id = names.author_id(author, name)
                last_author, last_name = author, name
            if timestamp < highest_us:
                highest_us, self.runs = step_back(Run(seq, 0), timestamp, highest_us, self.runs)
            else:
                highest_us = timestamp
            if short is not None:
                if revision is None:
                    kind, told, cell = _PUBLISH, NO_REVISION, null
                    others[address_id] = seq
                else:
                    kind, told, cell = _SET, revision, revision
                    changed[address_id] = seq
                checked = pack(seq, timestamp, address_id, author_id, kind, signal, told, _F64_TAG, number)
                # fmt: off
                yield (seq, timestamp, kind, signal, address_id, author_id, null, number, null, cell,
                       null, null, null, crc(checked) - bias)
                # fmt: on
            else:
                assert isinstance(entry, JournalEntry)
                yield self._row(entry, seq, address_id, author_id)
        self.last_seq, self.highest_us = seq, highest_us

    def _row(self, entry: JournalEntry, seq: int, address_id: int, author_id: int) -> Row:
        # fmt: off
        (timestamp, _, _, kind, signal, encoded, revision, _,
         ttl, samples, rate, gesture_id, phase, sent, _, details) = entry[:]
        # fmt: on
        code = int(kind)
        if code in (_SET, _EXPIRE):
            self.changed[address_id] = seq
            self.expiries += code == _EXPIRE
            self.regular = self.regular and revision is not None
        else:
            self.others[address_id] = seq
        rest = ttl, samples, rate, gesture_id, phase, sent, details
        if encoded is None or signal is None or rest != _NOTHING:
            return _rich_row(entry, seq, address_id, author_id)
        told = NO_REVISION if revision is None else revision
        head = ENTRY_HEAD.pack(seq, timestamp, address_id, author_id, code, signal, told)
        cell = NULL if revision is None else revision
        # fmt: off
        return (seq, timestamp, code, int(signal), address_id, author_id, *cells_of(form_of(encoded)), cell,
                NULL, NULL, NULL, crc32(head + encoded) - BIAS)
        # fmt: on


def _rich_row(entry: JournalEntry, seq: int, address_id: int, author_id: int) -> Row:
    """The row of an entry that is more than a value, or less."""
    signal = entry.signal_type
    row = (
        seq,
        entry.timestamp,
        int(entry.kind),
        None if signal is None else int(signal),
        address_id,
        author_id,
        *form_of(entry.encoded),
        entry.revision,
        entry.ttl,
        entry.samples,
    )
    extra = extra_of(entry)
    crc = entry_checksum((*row, None if extra is None else extra.encode(), 0), entry.encoded)
    return cells_of((*row, extra, crc))


_NOTHING = (None,) * 7
"""ttl, samples, rate, gesture_id, phase, sent and details of an entry that has none of them."""
