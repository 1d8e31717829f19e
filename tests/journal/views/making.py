"""What the tests of views share: entries of every sort, and tables as they stand in a file."""

import math
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from hypothesis import strategies as st

from clasp_journal.entry import JournalEntry
from clasp_journal.forgetting import hides_change
from clasp_journal.views import CellType, Column, Table, TableView
from tests.journal.sqlite.making import START_US, entries

UNKNOWN_KINDS = (0x01, 0x7B, 0xEF)
strange = st.builds(lambda entry, kind: entry._replace(kind=kind), entries, st.sampled_from(UNKNOWN_KINDS))
anything = (entries | strange).filter(lambda entry: not hides_change(entry))
"""Entries of every kind, with every value, also of kinds that are not there yet."""


def dump(path: str | Path) -> dict[str, list[str]]:
    """How each table of a view is made, and its rows, to the bit and in the order of the file."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        db.text_factory = bytes
        made = db.execute("SELECT name, sql FROM sqlite_schema WHERE name GLOB 'view_*' ORDER BY name")
        tables = {name.decode(): sql for name, sql in made.fetchall()}
        rows = {name: map(repr, db.execute(f'SELECT * FROM "{name}"')) for name in tables}
        return {name: [repr(tables[name]), *rows[name]] for name in tables}


def a_level(at: int, address: str = "/a", author: str = "desk") -> JournalEntry:
    """The SET of a number, seconds after the start."""
    at_us = START_US + at * 1_000_000
    return JournalEntry.from_set(address, at / 10, author=author, timestamp=at_us, revision=at + 1)


def levels(seconds: Iterable[int]) -> list[JournalEntry]:
    """One each."""
    return [a_level(at, f"/lights/{at % 3}") for at in seconds]


class Last(TableView):
    """A view of one's own: the last value of each address, of which a null leaves no row."""

    name = "last"
    version = 1

    def __init__(self) -> None:
        super().__init__()
        seq, value = Column("seq", CellType.INTEGER), Column("value", CellType.VALUE)
        level = Column("level", CellType.REAL)
        self.table = Table("last", (Column("address", CellType.TEXT),), (seq, value, level))
        self.tables = (self.table,)

    def apply(self, entry: JournalEntry) -> None:
        """Remember it, or let it go."""
        if entry.encoded == b"\x00":
            self.table.drop((entry.address,))
        elif entry.encoded is not None:
            is_float = entry.encoded[:1] == b"\x07" and len(entry.encoded) == 9
            level = entry.value if is_float else None
            is_level = isinstance(level, float) and math.isfinite(level)
            self.table.put((entry.address,), (entry.seq, entry.encoded, level + 0.0 if is_level else None))
