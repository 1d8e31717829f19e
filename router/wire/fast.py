"""The two messages that are nearly all traffic, taken apart by slices alone.

Both forms take a whole frame and leave the value encoded. They answer None for everything that is not
the plain case, whatever is wrong with it included; the caller then takes the full form (`decode_frame`,
`codec.decode`), which decodes the rare and refuses the bad.

Law: where a plain form answers, the full form decodes the frame to exactly that message - with one
exception: that the address is UTF-8 is not checked here. The caller looks the bytes up among the
addresses it knows, and validates only those that are new.
The numbers are written out: a name costs a look-up, and this is the hottest code of the house.
"""

from __future__ import annotations

import struct
from typing import Final

from clasp_journal.errors import BadValue
from clasp_journal.value import FIXED_SIZES, skip

_FIXED: Final = len(FIXED_SIZES)
_head_of: Final = struct.Struct(">BBHBBH").unpack_from
"""Magic, flags, payload length, message type, value type (and the flags of SET above it), address length."""


def plain_set(frame: bytes) -> tuple[bytes, int, bytes] | None:
    """Address, value type and value data of a SET that has nothing but a value.

    None for one with revision, lock, unlock or TTL, or in a frame with a timestamp or with bytes behind
    its payload.
    """
    try:
        magic, flags, length, kind_of_message, kind, address_bytes = _head_of(frame)
        if kind_of_message != 0x21 or magic != 0x53 or flags & 0x20:
            return None
        size = len(frame)
        if length + 4 != size:
            return None
        start = 8 + address_bytes
        if kind < _FIXED:
            end = start + FIXED_SIZES[kind]
        elif kind <= 0x0B:
            end = skip(kind, frame, start)
        else:
            return None
        if end > size:
            return None
    except (struct.error, BadValue):
        return None
    return frame[8:start], kind, frame[start:end]


def plain_publish(frame: bytes) -> tuple[bytes, int] | None:
    """Address and signal code of a PUBLISH that is no gesture; all of its payload is checked.

    None for a gesture, or in a frame with a timestamp or with bytes behind its payload.
    """
    try:
        flags = frame[5]
        if frame[4] != 0x20 or frame[0] != 0x53 or frame[1] & 0x20:
            return None
        signal = flags >> 5
        if signal == 3:
            return None
        size = len(frame)
        if (frame[2] << 8 | frame[3]) + 4 != size:
            return None
        start = 8 + (frame[6] << 8 | frame[7])
        indicator = frame[start]
        end = start + 1
        if indicator == 1:
            kind = frame[end]
            end = end + 1 + FIXED_SIZES[kind] if kind < _FIXED else skip(kind, frame, end + 1)
        elif indicator == 2:
            end += 2 + 8 * (frame[end] << 8 | frame[end + 1])
        if flags & 0x18:
            end += (flags & 0x10) >> 1
            end += (flags & 0x08) >> 1
        if end > size:
            return None
    except (IndexError, BadValue):
        return None
    return frame[8:start], signal if signal < 5 else 1
