"""Snapshots as rows: written in slices, loaded whole or not at all.

Laws: a snapshot counts only once its last slice is committed; one with a damaged or missing row is skipped
for the one before, and the log says so; between two slices there is room for appends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple
from zlib import crc32

from clasp_journal.entry import ParamSnapshot
from clasp_journal.restore import Snapshot
from clasp_journal.snapshot_thinning import Taken, surplus
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.checksum import BIAS, small_row_checksum
from clasp_journal.sqlite.forms import TAGGED_F64, encoded_of, form_of
from clasp_journal.sqlite.new_names import NewNames
from clasp_journal.sqlite.rows import UNBELIEVABLE, Row
from clasp_journal.sqlite.transactions import reading, writing
from clasp_journal.sqlite.trouble import is_damage
from clasp_journal.value import ValueType

WRITTEN_AT_ONCE = 2_000
"""Params per transaction: what an append may have to wait for."""
READ_AT_ONCE = 5_000


LASTING = 2
"""In the column `complete`: it counts, and is not thinned out while entries behind it are there."""


_NO_NUMBER = -1


class Header(NamedTuple):
    """The row of a snapshot."""

    snapshot_id: int
    at_seq: int
    taken: int
    params: int
    revision_floor: int
    complete: int
    crc: int

    @property
    def is_intact(self) -> bool:
        """Whether it is complete and what was written."""
        return bool(self.complete) and self.crc == small_row_checksum(*self[:5])

    @property
    def is_lasting(self) -> bool:
        """Whether entries before it cannot tell the state any more."""
        return self.complete == LASTING


class SnapshotWriting:
    """A snapshot on its way into the file; each method is a job of its own."""

    def __init__(self, catalog: Catalog, params: Iterable[ParamSnapshot], snapshot: Snapshot) -> None:
        self._catalog = catalog
        self._params = iter(params)
        self._head = snapshot
        self._snapshot_id = 0
        self._position = 0

    def begin(self, db: sqlite3.Connection) -> None:
        """Write its header, which says that it is incomplete."""
        head = self._head
        with writing(db):
            cursor = db.execute(schema.BEGIN_SNAPSHOT, (head.at_seq, head.taken, head.revision_floor))
        assert cursor.lastrowid is not None
        self._snapshot_id = cursor.lastrowid

    def write_slice(self, db: sqlite3.Connection) -> bool:
        """Write some params; tell whether more may follow."""
        names = NewNames(self._catalog)
        rows = [
            self._row(self._position + at, param, names)
            for at, param in enumerate(islice(self._params, WRITTEN_AT_ONCE))
        ]
        with writing(db):
            db.executemany(schema.INSERT_PARAM, rows)
            names.insert(db)
        names.adopt()
        self._position += len(rows)
        return len(rows) == WRITTEN_AT_ONCE

    def complete(self, db: sqlite3.Connection, *, lasting: bool = False) -> None:
        """Write in its header that it is complete: from here on it counts."""
        head = self._head
        crc = small_row_checksum(
            self._snapshot_id, head.at_seq, head.taken, self._position, head.revision_floor
        )
        with writing(db):
            status = LASTING if lasting else 1
            db.execute(schema.COMPLETE_SNAPSHOT, (self._position, status, crc, self._snapshot_id))

    def _row(self, position: int, param: ParamSnapshot, names: NewNames) -> Row:
        cells = (
            self._snapshot_id,
            position,
            names.address_id(param.address),
            names.author_id(param.writer, None),
            param.timestamp,
            param.revision,
            param.ttl,
        )
        return (*cells, *form_of(param.encoded), small_row_checksum(*cells, param.encoded))


class SnapshotReading:
    """A snapshot on its way out of the file."""

    def __init__(self, catalog: Catalog, header: Header) -> None:
        self.params: list[ParamSnapshot] = []
        self.is_damaged = not header.is_intact
        self.is_gone = False
        """It was thinned out while it was read."""
        self._catalog = catalog
        self._header = header

    def advance(self, db: sqlite3.Connection) -> bool:
        """Read some params; tell whether it is over."""
        if self.is_damaged:
            return True
        header = self._header
        with reading(db):
            self._catalog.refresh(db)
            (known,) = db.execute(schema.SNAPSHOT_EXISTS, (header.snapshot_id,)).fetchone()
            self.is_gone = not known
            count = self._read_slice(db)
        is_over = count < READ_AT_ONCE or self.is_gone
        if is_over and len(self.params) != header.params:
            self.is_damaged = True
        return is_over or self.is_damaged

    def _read_slice(self, db: sqlite3.Connection) -> int:
        position = len(self.params)
        try:
            wanted = (self._header.snapshot_id, position, READ_AT_ONCE)
            self._take(db.execute(schema.PARAMS_OF_SNAPSHOT, wanted).fetchall())
        except (sqlite3.DatabaseError, *UNBELIEVABLE) as error:
            if isinstance(error, sqlite3.Error) and not is_damage(error):
                raise
            self.is_damaged = True
        return len(self.params) - position

    def snapshot(self) -> Snapshot:
        """The snapshot, once all of it was read."""
        header = self._header
        return Snapshot(header.at_seq, self.params, header.revision_floor, header.taken)

    def _take(self, rows: Iterable[Row]) -> None:
        """Check rows and keep what they say. Their checksums cover the positions that they have to have; no
        function is called for what can be done on the spot."""
        addresses, authors = self._catalog.addresses, self._catalog.authors
        params, snapshot_id = self.params, self._header.snapshot_id
        pack, tag, make = TAGGED_F64.pack, ValueType.F64, tuple.__new__
        for position, row in enumerate(rows, len(params)):
            address_id, author_id, timestamp, revision, ttl, value_type, value, raw, crc = row
            if type(value) is float and value_type is None and raw is None:
                encoded: bytes | None = pack(tag, value)
            else:
                encoded = encoded_of(value_type, value, raw)
            cells = (snapshot_id, position, address_id, author_id, timestamp, revision, ttl, encoded)
            if crc32(b"(%a, %a, %a, %a, %a, %a, %a, %a)" % cells) - BIAS != crc:
                raise ValueError(f"param {position} is damaged")
            subject = authors[author_id].subject
            param = (addresses[address_id], encoded, revision, subject, timestamp, ttl)
            params.append(make(ParamSnapshot, param))


def read_headers(db: sqlite3.Connection) -> list[Header]:
    """All snapshots, the newest first; what is no number any more is one that no checksum fits."""
    rows = db.execute(schema.SNAPSHOTS)
    return [Header(*(cell if isinstance(cell, int) else _NO_NUMBER for cell in row)) for row in rows]


def superfluous(headers: Iterable[Header]) -> list[int]:
    """The ids of those that nobody needs: torn, written again, or thinned out."""
    latest: dict[int, Header] = {}
    doomed = []
    for header in sorted(headers):
        replaced = latest.get(header.at_seq)
        if not header.complete:
            doomed.append(header.snapshot_id)
            continue
        if replaced is not None and not replaced.is_lasting:
            doomed.append(replaced.snapshot_id)
        latest[header.at_seq] = header
    thinned = surplus(Taken(header.at_seq, header.taken) for header in latest.values())
    return doomed + [latest[at].snapshot_id for at in thinned if not latest[at].is_lasting]


def remove_slice(db: sqlite3.Connection, snapshot_id: int) -> bool:
    """Remove a part of a snapshot, which counts no more from the first on; tell whether more is left."""
    with writing(db):
        db.execute(schema.DISOWN_SNAPSHOT, (snapshot_id,))
        removed = db.execute(schema.DELETE_PARAMS, (snapshot_id, WRITTEN_AT_ONCE)).rowcount
        if removed > 0:
            return True
        db.execute(schema.DELETE_SNAPSHOT, (snapshot_id,))
    return False


def let_last(db: sqlite3.Connection, at_seq: int) -> None:
    """Keep those of the state after an entry from being thinned out."""
    with writing(db):
        db.execute(schema.LET_SNAPSHOTS_LAST, (at_seq,))
