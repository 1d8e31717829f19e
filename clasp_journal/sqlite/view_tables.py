"""The rows of a view as tables of the journal's file.

Laws: every row has a checksum over its table's name and its cells, and whoever reads a row checks it; what
was put is what is read. Reading and writing run within somebody's transaction.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from clasp_journal.errors import JournalCorrupt
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.checksum import small_row_checksum
from clasp_journal.sqlite.forms import encoded_of, form_of
from clasp_journal.sqlite.rows import UNBELIEVABLE
from clasp_journal.sqlite.transactions import writing
from clasp_journal.views.tables import Cells, CellType, Column, Key, Row, Table
from clasp_journal.views.view import Reached, TableView

log = logging.getLogger("clasp_journal")

_SQL_TYPES = {CellType.TEXT: "TEXT", CellType.INTEGER: "INTEGER", CellType.REAL: "REAL"}
_VALUE_COLUMNS = (("{0}_type", "INTEGER"), ("{0}", "ANY"), ("{0}_raw", "BLOB"))


class KeptTable:
    """One table of a view, in the file."""

    def __init__(self, table: Table) -> None:
        self.name = schema.VIEW_PREFIX + table.name
        if self.name == schema.REACHED:
            raise ValueError(f"{table.name} is the name of another table")
        self._key = table.key
        self._cells = table.cells
        columns = [pair for column in (*table.key, *table.cells) for pair in _sql_columns(column)]
        key = sum(len(_sql_columns(column)) for column in table.key)
        self._create = schema.create_view(self.name, columns, key)
        self._put = schema.put_view_row(self.name, columns)
        self._find = schema.of_view_row(self.name, columns, key)
        self._remove = schema.of_view_row(self.name, columns, key, gone=True)

    def create(self, db: sqlite3.Connection) -> None:
        """Make it anew, without rows."""
        db.execute(schema.DROP_VIEW.format(self.name))
        db.execute(self._create)

    def look_up(self, db: sqlite3.Connection, key: Key) -> Cells | None:
        """The cells of a row."""
        found = db.execute(self._find, _to_sql(self._key, key)).fetchone()
        return None if found is None else self._row(found).cells

    def read(self, db: sqlite3.Connection) -> Iterator[Row]:
        """All rows, in the order of their keys."""
        for found in db.execute(schema.ROWS_OF_VIEW.format(self.name)):
            yield self._row(found)

    def write(self, db: sqlite3.Connection, changes: dict[Key, Cells | None]) -> None:
        """Put the rows that changed, and remove those that are gone."""
        db.executemany(
            self._remove, (_to_sql(self._key, key) for key, cells in changes.items() if cells is None)
        )
        db.executemany(
            self._put, (self._sealed(key, cells) for key, cells in changes.items() if cells is not None)
        )

    def _sealed(self, key: Key, cells: Cells) -> list[Any]:
        row = [*_to_sql(self._key, key), *_to_sql(self._cells, cells)]
        return [*row, row_checksum(self.name, row)]

    def _row(self, found: tuple[Any, ...]) -> Row:
        *row, crc = found
        try:
            if crc == row_checksum(self.name, row):
                cells = iter(row)
                return Row(_from_sql(self._key, cells), _from_sql(self._cells, cells))
        except UNBELIEVABLE as error:
            raise JournalCorrupt(f"a row of {self.name} is damaged") from error
        raise JournalCorrupt(f"a row of {self.name} is damaged")


def row_checksum(name: str, row: Iterable[Any]) -> int:
    """The checksum of a row as it is read, where text comes as bytes."""
    return small_row_checksum(name, *(cell.encode() if isinstance(cell, str) else cell for cell in row))


def _sql_columns(column: Column) -> list[tuple[str, str]]:
    if column.type == CellType.VALUE:
        return [(name.format(column.name), sort) for name, sort in _VALUE_COLUMNS]
    return [(column.name, _SQL_TYPES[column.type])]


def _to_sql(columns: tuple[Column, ...], cells: tuple[Any, ...]) -> list[Any]:
    row: list[Any] = []
    for column, cell in zip(columns, cells, strict=True):
        if column.type == CellType.VALUE:
            row += form_of(cell)
        elif column.type == CellType.REAL and cell is not None:
            row.append(float(cell) + 0.0)
        else:
            row.append(cell)
    return row


def _from_sql(columns: tuple[Column, ...], row: Iterator[Any]) -> tuple[Any, ...]:
    cells = []
    for column in columns:
        cell = next(row)
        if column.type == CellType.VALUE:
            cell = encoded_of(cell, next(row), next(row))
        elif column.type == CellType.TEXT and cell is not None:
            cell = cell.decode()
        cells.append(cell)
    return tuple(cells)


class Kept(NamedTuple):
    """What the file says of a view."""

    name: str
    version: int
    reached: Reached


def read_kept(db: sqlite3.Connection) -> dict[str, Kept]:
    """The views that are kept, by name; a damaged line is told, and counts for nothing."""
    kept = {}
    for *cells, crc in db.execute(schema.READ_REACHED) if _tables(db) else ():
        raw_name, version, raw_epoch, from_seq, seq = cells
        name = raw_name.decode("utf-8", "replace")
        if crc == row_checksum(schema.REACHED, cells):
            kept[name] = Kept(name, version, Reached(raw_epoch.decode(), from_seq, seq))
        else:
            log.error("what is said of the view %s is damaged; it does not count", name)
    return kept


def reached_of(db: sqlite3.Connection, view: TableView) -> Reached | None:
    """Which entries the kept rows of a view have seen; None if there are none, or only of another version."""
    kept = read_kept(db).get(view.name)
    return kept.reached if kept is not None and kept.version == view.version else None


def write_reached(db: sqlite3.Connection, view: TableView, reached: Reached) -> None:
    """Say which entries the rows of a view have seen."""
    cells = (view.name, view.version, *reached)
    db.execute(schema.CREATE_REACHED)
    db.execute(schema.WRITE_REACHED, (*cells, row_checksum(schema.REACHED, cells)))


def damaged_tables(db: sqlite3.Connection) -> Iterator[str]:
    """Read every row of every view, also of views that this program does not know; name what is damaged."""
    for name in _tables(db):
        if any(crc != row_checksum(name, row) for *row, crc in db.execute(schema.ROWS_OF_VIEW.format(name))):
            yield name


def drop_views(db: sqlite3.Connection) -> None:
    """Remove the rows of all views."""
    with writing(db):
        for name in _tables(db):
            db.execute(schema.DROP_VIEW.format(name))


def _tables(db: sqlite3.Connection) -> list[str]:
    return [raw.decode() for (raw,) in db.execute(schema.TABLES_OF_VIEWS)]
