"""Rows by key: what the state of a view is made of.

Laws: a table knows which of its rows have changed since somebody last took the changes; what it does not have
it looks up, where there is somebody to ask, so that it never has to hold more than was touched. Cells are
plain values; a REAL is a finite number or an infinity, and has no negative zero, so that every database
gives it back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

Cell: TypeAlias = int | float | str | bytes | None
Key: TypeAlias = tuple[Cell, ...]
Cells: TypeAlias = tuple[Cell, ...]
LookUp: TypeAlias = Callable[[Key], Cells | None]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")


class CellType(StrEnum):
    """What a column holds; apart from the key, each may be None as well."""

    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"
    VALUE = "value"
    """A CLASP value in its bytes, which people see as what it says."""


class Column(NamedTuple):
    """A name, and what kind of cells stand below it."""

    name: str
    type: CellType


class Row(NamedTuple):
    """One row."""

    key: Key
    cells: Cells


class Table:
    """Some rows, by key."""

    def __init__(self, name: str, key: Sequence[Column], cells: Sequence[Column]) -> None:
        for given in (name, *(column.name for column in (*key, *cells))):
            if not _NAME.fullmatch(given):
                raise ValueError(f"{given!r} names no table and no column: a-z, then also 0-9 and _")
        self.name = name
        self.key = tuple(key)
        self.cells = tuple(cells)
        self.look_up: LookUp | None = None
        """Asked for a row that is not here."""
        self._rows: dict[Key, Cells | None] = {}
        self._changed: dict[Key, None] = {}

    def __len__(self) -> int:
        return sum(cells is not None for cells in self._rows.values())

    def get(self, key: Key) -> Cells | None:
        """The cells of a row; None if there is none."""
        try:
            return self._rows[key]
        except KeyError:
            if self.look_up is None:
                return None
            found = self._rows[key] = self.look_up(key)
            return found

    def put(self, key: Key, cells: Cells) -> None:
        """Set the cells of a row."""
        self._rows[key] = cells
        self._changed[key] = None

    def drop(self, key: Key) -> None:
        """Remove a row, if it is there."""
        self._rows[key] = None
        self._changed[key] = None

    def clear(self) -> None:
        """Remove all rows."""
        self.look_up = None
        self.let_go()

    def load(self, rows: Iterable[Row]) -> None:
        """Add rows that were kept before; they do not count as changed."""
        self._rows.update(rows)

    def rows(self) -> list[Row]:
        """All rows that are here, in the order of their keys."""
        there = [Row(key, cells) for key, cells in self._rows.items() if cells is not None]
        return sorted(there, key=lambda row: row.key)

    @property
    def changes(self) -> int:
        """How many rows have changed."""
        return len(self._changed)

    def take_changes(self) -> dict[Key, Cells | None]:
        """The rows that have changed, None where one is gone; from now on they count as unchanged."""
        taken = {key: self._rows[key] for key in self._changed}
        self._changed.clear()
        return taken

    def let_go(self) -> None:
        """Forget all rows; changes that were not taken are lost."""
        self._rows.clear()
        self._changed.clear()
