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

from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.errors import BadValue
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.changes import Changes
from clasp_journal.sqlite.checksum import BIAS, ENTRY_HEAD
from clasp_journal.sqlite.clock import Clock, Run, step_back
from clasp_journal.sqlite.extent import write_clock_steps
from clasp_journal.sqlite.forms import TAGGED_F64, form_of
from clasp_journal.sqlite.inserting import NULL, cells_of, insert
from clasp_journal.sqlite.names import NewNames
from clasp_journal.sqlite.rows import NO_REVISION, Row, entry_checksum, extra_of
from clasp_journal.sqlite.transactions import writing

if TYPE_CHECKING:
    from clasp_journal.mirror.writing import Mirror

WAL_SIZE_MAX_BYTES = 64 << 20
"""Above it the write-ahead log is emptied, waiting for readers if need be."""
WAL_LOOK_EVERY_ENTRIES = 5_000
WAL_RETRY_S = 1.0

_F64_TAG = 7
_F64_SIZE_BYTES = 9
_SET, _PUBLISH, _EXPIRE = int(EntryKind.SET), int(EntryKind.PUBLISH), int(EntryKind.EXPIRE)
_PARAM = int(SignalType.PARAM)


class EntryWriter:
    """The writing end of a journal. Its methods run on the writing connection's thread."""

    def __init__(self, path: str, catalog: Catalog, clock: Clock, latest_seq: int) -> None:
        self.catalog = catalog
        self.clock = clock
        self.latest_seq = latest_seq
        self.changes = Changes(latest_seq)
        self.mirror: Mirror | None = None
        self._wal_path = path + "-wal"
        self._synced: bool | None = None
        self._unwatched_entries = 0
        self._next_emptying_s = 0.0

    def append(self, db: sqlite3.Connection, entries: Iterable[JournalEntry], *, synced: bool) -> int:
        """Number and commit entries; return the last number. With a mirror, they become its lines first."""
        if self.mirror is None:
            return self._append(db, entries, synced=synced)
        with self.mirror.transaction(synced=synced) as lines:
            passing = lines.passing(entries, self.latest_seq)
            return self._append(db, passing, synced=synced, before_commit=lines.seal)

    def _append(
        self,
        db: sqlite3.Connection,
        entries: Iterable[JournalEntry],
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
        self._unwatched_entries += batch.last_seq - self.latest_seq
        self.latest_seq = batch.last_seq
        self._watch_log(db)
        return self.latest_seq

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
        self.expiries = 0
        self.regular = True
        self._catalog = catalog

    def rows(self, entries: Iterable[JournalEntry]) -> Iterator[Row]:
        """Number the entries and turn them into rows. What is only a value has a way of its own."""
        addresses, names, changed = self._catalog.address_ids, self.names, self.changed
        seq, highest_us = self.last_seq, self.highest_us
        last_author: str | None = None
        last_name: str | None = None
        author_id = 0
        pack, unpack, crc, bias, null = ENTRY_HEAD.pack, TAGGED_F64.unpack, crc32, BIAS, NULL
        plain_set, plain_publish, plain_signal = EntryKind.SET, EntryKind.PUBLISH, SignalType.PARAM
        for entry in entries:
            # An exact tuple unpacks several times as fast as a named one.
            # fmt: off
            (timestamp, author, address, kind, signal, encoded, revision, _,
             ttl, samples, rate, gesture_id, phase, sent, name, details) = entry[:]
            # fmt: on
            seq += 1
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
            code, cell = 0, null
            if (
                encoded is not None
                and ttl is None
                and samples is None
                and rate is None
                and gesture_id is None
                and phase is None
                and sent is None
                and details is None
            ):
                if kind is plain_set and signal is plain_signal and revision is not None:
                    changed[address_id] = seq
                    code, signal_code, told, cell = _SET, _PARAM, revision, revision
                elif kind is plain_publish and signal is not None and revision is None:
                    code, signal_code, told, cell = _PUBLISH, int(signal), NO_REVISION, null
            if not code or encoded is None:
                yield self._any_row(entry, seq, address_id, author_id)
                continue
            checksum = (
                crc(pack(seq, timestamp, address_id, author_id, code, signal_code, told) + encoded) - bias
            )
            value_type = raw = null
            tag, value = unpack(encoded) if len(encoded) == _F64_SIZE_BYTES else _NO_F64
            if tag != _F64_TAG or value != value:
                value_type, value, raw = cells_of(form_of(encoded))
            # fmt: off
            yield (seq, timestamp, code, signal_code, address_id, author_id,
                   value_type, value, raw, cell, null, null, null, checksum)
            # fmt: on
        self.last_seq, self.highest_us = seq, highest_us

    def _any_row(self, entry: JournalEntry, seq: int, address_id: int, author_id: int) -> Row:
        kind, signal = int(entry.kind), entry.signal_type
        if kind in (_SET, _EXPIRE):
            self.changed[address_id] = seq
            self.expiries += kind == _EXPIRE
            self.regular = self.regular and entry.revision is not None
        row = (
            seq,
            entry.timestamp,
            kind,
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


_NO_F64 = (0, 0.0)
