"""What of a selection can be told from the ids and numbers in a row, without building the entry.

Law: `Narrowing.passes` agrees with `Selection.matches` on every row whose address was matched already.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from clasp_journal.selection import Selection
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.rows import Row

_TIMESTAMP, _KIND, _SIGNAL, _AUTHOR_ID = 1, 2, 3, 5
_TIME_MAX_US = 2**63 - 1


class Narrowing:
    """A selection without its pattern, in ids."""

    def __init__(self, selection: Selection, catalog: Catalog) -> None:
        self._selection = selection
        self._author_ids = None
        if selection.author is not None:
            self._author_ids = frozenset(catalog.match_authors(selection.author))

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything through."""
        return all(cell is None for cell in self.parameters())

    @property
    def is_hopeless(self) -> bool:
        """Whether nothing can pass."""
        return self._author_ids is not None and not self._author_ids

    def parameters(self) -> tuple[object, ...]:
        """The same for SQL: authors, kinds, signals, first and last time."""
        asked = self._selection
        return (
            _as_json(self._author_ids),
            _as_json(asked.kinds),
            _as_json(asked.types),
            _within_sql(asked.from_us),
            _within_sql(asked.to_us),
        )

    def passes(self, row: Row) -> bool:
        """Whether an entry with these cells is asked for, if its address is."""
        asked = self._selection
        return (
            (asked.from_us is None or row[_TIMESTAMP] >= asked.from_us)
            and (asked.to_us is None or row[_TIMESTAMP] <= asked.to_us)
            and (asked.kinds is None or row[_KIND] in asked.kinds)
            and (asked.types is None or row[_SIGNAL] in asked.types)
            and (self._author_ids is None or row[_AUTHOR_ID] in self._author_ids)
        )


def _as_json(ids: Collection[int] | None) -> str | None:
    return None if ids is None else json.dumps([int(number) for number in ids])


def _within_sql(at_us: int | None) -> int | None:
    """A time that SQLite knows: no entry is from before the first of these, or from behind the last."""
    return None if at_us is None else min(max(at_us, -_TIME_MAX_US - 1), _TIME_MAX_US)
