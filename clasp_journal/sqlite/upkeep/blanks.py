"""Blanks in a file: what stands where an entry was, written over its row.

Laws: a row is checked before it is believed to be the entry that is replaced; what is replaced is overwritten
in the file, so that nothing of a forgotten author is left in bytes that are no longer in use.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

from clasp_journal.entry import EntryKind
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.rows import Row, check, entry_checksum
from clasp_journal.sqlite.worker import Worker


def write_blanks(db: sqlite3.Connection, blanks: Iterable[Row]) -> None:
    """Write what `blank_cells` made, within a transaction."""
    db.executemany(schema.BLANK_ENTRY, blanks)


def blank_cells(row: Row, kind: EntryKind, names: tuple[int, int], extra: str | None = None) -> Row:
    """The cells of the blank for a row, with these ids of an address and an author."""
    check(row)
    seq, timestamp = row[:2]
    cells = (seq, timestamp, int(kind), None, *names, *(None,) * 6)
    crc = entry_checksum((*cells, None if extra is None else extra.encode(), 0), None)
    return (int(kind), *names, extra, crc, seq)


@asynccontextmanager
async def overwriting(worker: Worker) -> AsyncIterator[None]:
    """Meanwhile what is replaced is overwritten, and not only left out of the file's order."""
    await worker.run(partial(_overwrite, on=True), "write")
    try:
        yield
    finally:
        await worker.run(partial(_overwrite, on=False), "write")


def _overwrite(db: sqlite3.Connection, *, on: bool) -> None:
    db.execute(schema.OVERWRITE_WHAT_GOES.format(on=int(on))).fetchall()
