"""Which entries the file holds, and where their times go back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from clasp_journal.errors import JournalCorrupt
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.checksum import small_row_checksum
from clasp_journal.sqlite.clock import Run
from clasp_journal.sqlite.meta import Meta
from clasp_journal.sqlite.transactions import reading


class Extent(NamedTuple):
    """Which entries are there."""

    oldest_seq: int
    """The first, or the next to be given if there is none."""
    latest_seq: int
    """The highest number ever given."""


def read_head(db: sqlite3.Connection) -> tuple[Meta, Extent]:
    """The facts and the extent, as they are now."""
    with reading(db):
        meta = Meta.read(db)
        return meta, read_extent(db, meta)


def read_extent(db: sqlite3.Connection, meta: Meta) -> Extent:
    """Which entries the file holds."""
    oldest, latest = db.execute(schema.RANGE).fetchone()
    latest_seq = max(latest or 0, meta.latest_seq)
    extent = Extent(latest_seq + 1 if oldest is None else oldest, latest_seq)
    if meta.clean and extent != (meta.oldest_seq, meta.latest_seq):
        raise JournalCorrupt(
            f"it ended with entries {meta.oldest_seq} to {meta.latest_seq}, but has {oldest} to {latest}",
            first_bad_seq=latest + 1 if oldest == meta.oldest_seq else meta.oldest_seq,
        )
    return extent


def read_runs(db: sqlite3.Connection) -> list[Run]:
    """The runs of entries that can be bisected by time."""
    runs = []
    for seq, slack_us, crc in db.execute(schema.CLOCK_STEPS):
        if crc != small_row_checksum(seq, slack_us):
            raise JournalCorrupt(f"the clock step at {seq} is damaged", first_bad_seq=seq)
        runs.append(Run(seq, slack_us))
    if not runs:
        raise JournalCorrupt("the table of clock steps is empty")
    return runs


def write_clock_steps(db: sqlite3.Connection, runs: Iterable[Run]) -> None:
    """Store runs that are new or have a new slack."""
    for run in runs:
        db.execute(schema.WRITE_CLOCK_STEP, (*run, small_row_checksum(*run)))
