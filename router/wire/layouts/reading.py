"""Checked reads: each takes the bytes and an offset, and returns what it read and the offset behind it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TypeVar

from clasp_journal.entry import Phase, SignalType
from clasp_journal.errors import BadValue
from clasp_journal.value import skip
from router.wire.codes import WireError

FAULTS = (struct.error, IndexError, UnicodeDecodeError, BadValue)
"""What reading bad bytes can raise, apart from `WireError` itself."""

_U16 = struct.Struct(">H").unpack_from
_U32 = struct.Struct(">I").unpack_from
_U64 = struct.Struct(">Q").unpack_from

_SIGNALS = tuple(SignalType(code) if code < len(SignalType) else SignalType.EVENT for code in range(256))
_PHASES = tuple(Phase)

_Item = TypeVar("_Item")


def read_u16(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned number of two bytes."""
    return _U16(data, at)[0], at + 2


def read_u32(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned number of four bytes."""
    return _U32(data, at)[0], at + 4


def read_u64(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned number of eight bytes."""
    return _U64(data, at)[0], at + 8


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """A counted text."""
    start = at + 2
    end = start + (data[at] << 8 | data[at + 1])
    if end > len(data):
        raise WireError("text cut off")
    return data[start:end].decode(), end


def read_optional_text(data: bytes, at: int) -> tuple[str | None, int]:
    """A counted text whose emptiness means that there is none."""
    text, at = read_text(data, at)
    return text or None, at


def read_encoded(data: bytes, at: int) -> tuple[bytes, int]:
    """An encoded value, checked and left as it is."""
    end = skip(data[at], data, at + 1)
    return data[at:end], end


def read_samples(data: bytes, at: int) -> tuple[bytes, int]:
    """A counted block of 64-bit floats, left as it is."""
    start = at + 2
    end = start + 8 * _U16(data, at)[0]
    if end > len(data):
        raise WireError("samples cut off")
    return data[start:end], end


def read_list(
    read_item: Callable[[bytes, int], tuple[_Item, int]], data: bytes, at: int
) -> tuple[list[_Item], int]:
    """A counted list of anything."""
    count, at = read_u16(data, at)
    items = []
    for _ in range(count):
        item, at = read_item(data, at)
        items.append(item)
    return items, at


def signal_of(code: int) -> SignalType:
    """The signal type of a code; an unassigned one is an event, as everywhere."""
    return _SIGNALS[code]


def phase_of(code: int) -> Phase:
    """The phase of a code; an unassigned one is a start, as everywhere."""
    return _PHASES[code] if code < len(_PHASES) else Phase.START
