"""The two kinds of transaction: everything or nothing, and one view of the file.

Both are for use inside a job. A reading one is as short as the job, so that no reader keeps the
write-ahead log from being emptied.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from clasp_journal.sqlite import schema


@contextmanager
def writing(db: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block does; after an exception, leave no trace of it."""
    db.execute(schema.BEGIN_WRITE)
    try:
        yield
        db.execute(schema.COMMIT)
    except BaseException:
        if db.in_transaction:
            db.execute(schema.ROLLBACK)
        raise


@contextmanager
def reading(db: sqlite3.Connection) -> Iterator[None]:
    """Let all statements of the block see the same state."""
    db.execute(schema.BEGIN_READ)
    try:
        yield
    finally:
        if db.in_transaction:
            db.execute(schema.COMMIT)
