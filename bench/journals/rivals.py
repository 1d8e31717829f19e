"""What the journal is measured against: the same table without a journal, and the layout one writes first."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from clasp_journal.entry import JournalEntry
from clasp_journal.sqlite import schema


class PlainTable:
    """The journal's own table and index, filled with ready tuples by plain `executemany`."""

    def __init__(self, path: Path, template: Path) -> None:
        """Take the layout and the tuples from a journal that was written before."""
        self._database = sqlite3.connect(path, isolation_level=None)
        for statement in (schema.AUTO_VACUUM, *schema.WRITER_SETTINGS, *schema.MIGRATIONS[0]):
            self._database.execute(statement)
        with sqlite3.connect(template) as source:
            columns = ", ".join(schema.ENTRY_COLUMNS)
            rows = source.execute(f"SELECT {columns} FROM entry ORDER BY seq").fetchall()
        source.close()
        self._rows = [(None, *row[1:]) for row in rows]

    def append(self, batch_entries: int) -> None:
        """All tuples, in transactions of some; the table numbers them."""
        rows = iter(self._rows)
        while batch := list(islice(rows, batch_entries)):
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(schema.INSERT_ENTRY, batch)
            self._database.execute("COMMIT")

    def close(self) -> None:
        """Release the file."""
        self._database.close()


class NaiveLayout:
    """Text address, JSON value, an index on each column that is searched, LIKE for patterns.

    It gets the same write-ahead log as the journal, so that what is compared is the layout.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=NORMAL",
            """CREATE TABLE entry (seq INTEGER PRIMARY KEY, timestamp INTEGER, author TEXT, address TEXT,
               kind INTEGER, signal INTEGER, value TEXT, revision INTEGER)""",
            "CREATE INDEX by_address ON entry (address)",
            "CREATE INDEX by_time ON entry (timestamp)",
        ):
            self._database.execute(statement)

    def append(self, entries: Iterable[JournalEntry]) -> None:
        """One transaction per entry, as they come."""
        for entry in entries:
            self._database.execute(_NAIVE_INSERT, _naive_row(entry))

    def fill(self, entries: Iterable[JournalEntry]) -> None:
        """All in one transaction: only to have something to query."""
        self._database.execute("BEGIN")
        self._database.executemany(_NAIVE_INSERT, map(_naive_row, entries))
        self._database.execute("COMMIT")

    def newest(self, pattern: str, limit: int) -> list[tuple[object, ...]]:
        """The newest entries that LIKE finds, oldest first, their values decoded."""
        return self._read("address LIKE ? ORDER BY seq DESC LIMIT ?", (_like(pattern), limit))[::-1]

    def between(self, pattern: str, from_us: int, to_us: int) -> list[tuple[object, ...]]:
        """The entries of a time range that LIKE finds."""
        return self._read(
            "address LIKE ? AND timestamp BETWEEN ? AND ? ORDER BY seq", (_like(pattern), from_us, to_us)
        )

    def _read(self, condition: str, parameters: Sequence[object]) -> list[tuple[object, ...]]:
        found = self._database.execute(f"SELECT * FROM entry WHERE {condition}", parameters)
        return [(*row[:6], json.loads(row[6]), row[7]) for row in found]

    def close(self) -> None:
        """Release the file."""
        self._database.close()


_NAIVE_INSERT = """INSERT INTO entry (timestamp, author, address, kind, signal, value, revision)
VALUES (?, ?, ?, ?, ?, ?, ?)"""


def _naive_row(entry: JournalEntry) -> tuple[object, ...]:
    value = json.dumps(entry.value)
    return (
        *(entry.timestamp, entry.author, entry.address, int(entry.kind), entry.signal_type),
        *(value, entry.revision),
    )


def _like(pattern: str) -> str:
    return pattern.replace("**", "*").replace("*", "%")
