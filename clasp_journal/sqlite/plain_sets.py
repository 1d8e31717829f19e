"""Plain SETs, checked by the thousand: SQLite joins them, packed, and no row of them is ever made.

A row that is followed by its checksum takes a CRC-32 from any state to one that depends on that state and
on the length alone, provided that the row is what was written. So right rows, joined, have a CRC that
depends on nothing but their number. Law: one row that checking each would find is always found, and so are
two with the same harm; several of different harm escape in one of four billion cases.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from functools import lru_cache
from zlib import crc32

from clasp_journal.sqlite import schema
from clasp_journal.sqlite.checksum import BIAS
from clasp_journal.sqlite.clock import Span
from clasp_journal.value import ValueType

# As `checksum.py` says it, with a gap for the type of the value; and the checksum.
_ROW = struct.Struct(">qqIIBBqxdi")
_SEQ_AND_ADDRESS = struct.Struct(">q8xI27x")
_CRC_AT = _ROW.size - 4
_TYPE_AT = _CRC_AT - 9


def prepare(db: sqlite3.Connection) -> None:
    """Let a connection know the function that `PlainSets` needs."""
    db.create_function(schema.PACK, schema.PACK_ARGUMENTS, _ROW.pack, deterministic=True)


class PlainSets:
    """The plain SETs in a span, oldest first; none if they are not all what was written."""

    def __init__(self, db: sqlite3.Connection, span: Span) -> None:
        try:
            (joined,) = db.execute(schema.PLAIN_SETS_BETWEEN, span).fetchone()
        except sqlite3.OperationalError:
            # A cell does not fit into its place. If it is the file itself, whoever reads on meets it, too.
            joined = None
        self._joined = bytearray(joined or b"")
        self.count, rest = divmod(len(self._joined), _ROW.size)
        if rest or not self._are_right():
            self._joined.clear()
            self.count = 0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The number and the address id of each."""
        return _SEQ_AND_ADDRESS.iter_unpack(self._joined)

    def _are_right(self) -> bool:
        joined = self._joined
        joined[_TYPE_AT :: _ROW.size] = bytes((ValueType.F64,)) * self.count
        # The last byte of a checksum belongs next to the row.
        first, second, third, fourth = (slice(_CRC_AT + at, None, _ROW.size) for at in range(4))
        joined[first], joined[fourth] = joined[fourth], joined[first]
        joined[second], joined[third] = joined[third], joined[second]
        return crc32(joined) == _crc_of_right(self.count)


@lru_cache(maxsize=64)
def _crc_of_right(count: int) -> int:
    row = bytes(_CRC_AT)
    return crc32((row + (crc32(row) - BIAS).to_bytes(4, "little", signed=True)) * count)
