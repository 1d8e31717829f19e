"""From a path to a journal that can be used: create it, migrate it, or say why not.

Laws: a file that is not ours is not touched; a database that should have entries is never taken for an
empty one; a creation that was cut short is finished by the next.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from clasp_journal.errors import JournalCorrupt, JournalTooNew, JournalUnavailable
from clasp_journal.sqlite import plain_sets, schema
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.clock import Clock, Run, Span
from clasp_journal.sqlite.extent import Extent, read_extent, read_runs, write_clock_steps
from clasp_journal.sqlite.meta import NOTHING_TO_FORGET, Meta, new_epoch
from clasp_journal.sqlite.rows import entry_of
from clasp_journal.sqlite.snapshots import read_headers
from clasp_journal.sqlite.transactions import reading, writing
from clasp_journal.sqlite.writer import EntryWriter

if TYPE_CHECKING:
    from clasp_journal.sqlite.scout import Scout


def prepare_writer(db: sqlite3.Connection, path: str, scout: Scout | None) -> tuple[EntryWriter, Meta]:
    """Make the database ready for its one writer; a scout goes ahead."""
    version = read_version(db)
    if version == 0:
        # It works only before WAL mode is set; and it writes, so a file that may be refused must not see it.
        db.execute(schema.AUTO_VACUUM)
    for setting in schema.WRITER_SETTINGS:
        db.execute(setting)
    # Whoever saw the flag unset and the machine stop must know it: so this commit goes to the disk.
    db.execute(schema.SYNCHRONOUS_FULL)
    if version < schema.VERSION:
        migrate(db, version)
    found = Meta.read(db)
    extent = read_extent(db, found)
    if scout is not None and found.forgetting_after == NOTHING_TO_FORGET:
        scout.send(path, _tail(db, extent))
    catalog = Catalog()
    catalog.refresh(db)
    runs = read_runs(db)
    last_us = check_ends(db, catalog, extent)
    meta = found.taken_over()
    with writing(db):
        meta.write(db)
    return EntryWriter(path, catalog, Clock(runs, last_us), extent), meta


def _tail(db: sqlite3.Connection, extent: Extent) -> Span:
    """What there is behind the newest snapshot that looks intact."""
    base_seq = next((header.at_seq for header in read_headers(db) if header.is_intact), 0)
    return Span(max(base_seq, extent.oldest_seq - 1), extent.latest_seq)


def prepare_reader(db: sqlite3.Connection, catalog: Catalog) -> Meta:
    """Make a read-only connection and its catalog ready, if there is a journal."""
    for setting in schema.READER_SETTINGS:
        db.execute(setting)
    plain_sets.prepare(db)
    if read_version(db) == 0:
        raise JournalUnavailable("there is no journal in this file yet")
    with reading(db):
        meta = Meta.read(db)
        catalog.refresh(db)
        check_ends(db, catalog, read_extent(db, meta))
    return meta


def read_version(db: sqlite3.Connection) -> int:
    """The layout of the file, 0 if it is fresh."""
    (version,) = db.execute(schema.READ_VERSION).fetchone()
    (application,) = db.execute(schema.READ_APPLICATION_ID).fetchone()
    (tables,) = db.execute(schema.HAS_TABLES).fetchone()
    if tables and application != schema.APPLICATION_ID:
        raise JournalUnavailable("this is the database of another program")
    if version > schema.VERSION:
        raise JournalTooNew(
            f"a newer version of this program wrote it (layout {version}; this one knows {schema.VERSION})"
        )
    if bool(version) != bool(tables):
        raise JournalCorrupt("its tables are missing" if version else "its layout is not numbered")
    return int(version)


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Bring the layout up to date, in one transaction; a fresh file also gets its epoch."""
    with writing(db):
        for statements in schema.MIGRATIONS[version:]:
            for statement in statements:
                db.execute(statement)
        if version == 0:
            Meta(epoch=new_epoch()).write(db)
            write_clock_steps(db, [Run(1, 0)])
            db.execute(schema.WRITE_APPLICATION_ID)
        db.execute(schema.WRITE_VERSION)
    # From here on a database without tables can only be one that never had an entry.
    db.execute(schema.CHECKPOINT)


def check_ends(db: sqlite3.Connection, catalog: Catalog, extent: Extent) -> int | None:
    """Read the first and the last entry, which finds a file that was cut; return the time of the last."""
    last_us = None
    for seq in (extent.oldest_seq, extent.latest_seq):
        row = db.execute(schema.ENTRY_AT, (seq,)).fetchone()
        if row is not None:
            last_us = entry_of(row, catalog).timestamp
        elif extent.oldest_seq <= seq <= extent.latest_seq:
            raise JournalCorrupt(f"entry {seq} is missing", first_bad_seq=seq)
    return last_us
