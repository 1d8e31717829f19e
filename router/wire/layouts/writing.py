"""What writers share: counted texts, counted lists, numbers that must fit."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from clasp_journal.errors import BadInput

FAULTS = (struct.error, UnicodeEncodeError)
"""What writing a message that does not fit can raise, apart from `BadInput` itself."""

COUNT_MAX = 0xFFFF

u16 = struct.Struct(">H").pack
u32 = struct.Struct(">I").pack
u64 = struct.Struct(">Q").pack


def text(words: str) -> bytes:
    """A counted text."""
    raw = words.encode()
    if len(raw) > COUNT_MAX:
        raise BadInput(f"text of {len(raw)} bytes; the wire carries {COUNT_MAX}")
    return u16(len(raw)) + raw


def counted(items: Sequence[bytes]) -> bytes:
    """A count, and the items, which are bytes already."""
    if len(items) > COUNT_MAX:
        raise BadInput(f"{len(items)} items; the wire counts to {COUNT_MAX}")
    return u16(len(items)) + b"".join(items)


def samples(block: bytes) -> bytes:
    """A counted block of 64-bit floats."""
    count, rest = divmod(len(block), 8)
    if rest:
        raise BadInput(f"samples of {len(block)} bytes are not whole 64-bit floats")
    if count > COUNT_MAX:
        raise BadInput(f"{count} samples; the wire counts to {COUNT_MAX}")
    return u16(count) + block
