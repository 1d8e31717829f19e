"""Over which bytes a row's checksum goes.

Law: every row of every table has one, it covers the row's number as well as its content, and whoever reads
the row checks it. So a flipped bit, or a row that moved, is found before it is believed.

An entry: seq, timestamp, address_id, author_id, kind, signal (255 for none) and revision (-1 for none),
packed big-endian as 8, 8, 4, 4, 1, 1 and 8 bytes, then the encoded value. If it has no value, or a ttl,
samples or extra, there follows a byte of flags (1 value, 2 ttl, 4 samples, 8 extra), the ttl in 8 bytes,
the lengths of samples and extra in 4 each, and these two. Other rows: the UTF-8 text of Python's `repr` of
the tuple; rows of views begin it with the name of their table, and have text as its bytes.
"""

from __future__ import annotations

import struct
from zlib import crc32

ENTRY_HEAD = struct.Struct(">qqIIBBq")
_REST = struct.Struct(">BqII")

BIAS = 0x8000_0000
"""Subtracted, so that every checksum fits into four bytes of an SQL integer."""


def small_row_checksum(*cells: object) -> int:
    """The checksum of a row of any table but `entry`."""
    return crc32(repr(cells).encode("utf-8", "surrogatepass")) - BIAS


def rest_of_entry(
    encoded: bytes | None, ttl: int | None, samples: bytes | None, extra: bytes | None
) -> bytes:
    """What follows the head of an entry that is more than a plain value."""
    flags = (
        (encoded is not None) | (ttl is not None) << 1 | (samples is not None) << 2 | (extra is not None) << 3
    )
    samples, extra = samples or b"", extra or b""
    rest = _REST.pack(flags, ttl or 0, len(samples), len(extra))
    return b"".join((encoded or b"", rest, samples, extra))
