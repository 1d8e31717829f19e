"""Rows on their way into the table `entry`, many in each statement.

What costs most is what sqlite3 does around SQLite. Each statement costs more than the row in it; a row that
is made while SQLite takes the one before costs more than rows made together; and a cell that is no plain
number, text or bytes has an adapter looked up for it, None included, which takes twenty times as long as
binding. SQLite keeps a NaN as NULL: so that is how NULL is bound.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from itertools import chain, islice

from clasp_journal.sqlite import schema
from clasp_journal.sqlite.rows import Row

NULL = math.nan
"""What a cell holds that is to be NULL."""


def insert(db: sqlite3.Connection, rows: Iterator[Row]) -> None:
    """Insert rows of all columns, in their order."""
    at_once = schema.ROWS_AT_ONCE
    while some := list(islice(rows, at_once)):
        if len(some) == at_once:
            db.execute(schema.INSERT_ENTRIES, tuple(chain.from_iterable(some)))
        else:
            db.executemany(schema.INSERT_ENTRY, some)


def cells_of(told: Row) -> Row:
    """The same cells, ready to be bound."""
    return tuple([NULL if cell is None else cell for cell in told])
