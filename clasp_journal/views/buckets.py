"""The numbers of each address by the minute: how many, the least, the greatest, the mean. For plots.

Every finite number counts that a SET or PUBLISH carries as its value or among its samples, in the minute of
the entry. Integers count as floats. The total is added up in the order of the log, so it is the same to
the bit wherever the log was cut.
"""

from __future__ import annotations

import math
import struct
from typing import Any

from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import BadValue
from clasp_journal.value import ValueType
from clasp_journal.views.tables import CellType, Column, Table
from clasp_journal.views.view import TableView

MINUTE_US = 60_000_000
_SAMPLE_BYTES = 8
_NUMBERS = frozenset(range(ValueType.I8, ValueType.F64 + 1))
_MESSAGES = (EntryKind.SET, EntryKind.PUBLISH)


class Buckets(TableView):
    """The numbers of each address in each minute."""

    name = "buckets"
    about = "the numbers of each address by the minute: count, min, max, mean"

    def __init__(self) -> None:
        super().__init__()
        self.table = Table(
            "buckets",
            (Column("address", CellType.TEXT), Column("minute_us", CellType.INTEGER)),
            (
                Column("count", CellType.INTEGER),
                Column("min", CellType.REAL),
                Column("max", CellType.REAL),
                Column("total", CellType.REAL),
                Column("mean", CellType.REAL),
            ),
        )
        self.tables = (self.table,)

    def apply(self, entry: JournalEntry) -> None:
        """Count the numbers of a message."""
        if entry.kind not in _MESSAGES:
            return
        numbers = numbers_of(entry)
        if not numbers:
            return
        key = (entry.address, entry.timestamp // MINUTE_US * MINUTE_US)
        known: Any = self.table.get(key)
        count, least, greatest, total, _ = known or (0, numbers[0], numbers[0], 0.0, 0.0)
        for number in numbers:
            count += 1
            least, greatest, total = min(least, number), max(greatest, number), total + number
        self.table.put(key, (count, least, greatest, total, total / count))


def numbers_of(entry: JournalEntry) -> list[float]:
    """The finite numbers that an entry carries; none of them is a negative zero."""
    found: list[float] = []
    if entry.encoded and entry.encoded[0] in _NUMBERS:
        try:
            value = entry.value
        except BadValue:
            value = None
        if isinstance(value, int | float):
            found.append(float(value))
    if entry.samples:
        count = len(entry.samples) // _SAMPLE_BYTES
        found += struct.unpack_from(f">{count}d", entry.samples)
    return [number + 0.0 for number in found if math.isfinite(number)]
