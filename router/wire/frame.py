"""The envelope: four or twelve bytes in front of a payload.

    'S' | flags | u16 payload length | u64 timestamp, if flag bit 5 | payload

Laws: one WebSocket message is one frame; bytes behind the declared payload are ignored; version bits,
QoS 3 and the encrypted and compressed bits are carried, never refused.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from clasp_journal.errors import BadInput
from router.wire.codes import ErrorCode, WireError

MAGIC = 0x53
PAYLOAD_MAX_BYTES = 0xFFFF
HEADER_BYTES = 4
HEADER_WITH_TIMESTAMP_BYTES = 12

FLAG_TIMESTAMP = 0x20
FLAG_ENCRYPTED = 0x10
FLAG_COMPRESSED = 0x08
VERSION_MASK = 0x07
VERSION = 1
QOS_SHIFT = 6
CONFIRM: Final = 1
"""The QoS of a message that is to be acknowledged once it is committed."""
COMMIT: Final = 2
"""The QoS of a message that is to be acknowledged once it is on the disk."""

_TIMESTAMP = struct.Struct(">Q")
_HEAD = struct.Struct(">BBH")
_unpack_head = _HEAD.unpack_from
_new_tuple = tuple.__new__
_HEAD_WITH_TIMESTAMP = struct.Struct(">BBHQ")


class Frame(NamedTuple):
    """A frame taken apart. `timestamp` is in microseconds since the Unix epoch."""

    flags: int
    timestamp: int | None
    payload: bytes

    @property
    def raw_qos(self) -> int:
        """The two QoS bits as they came."""
        return self.flags >> QOS_SHIFT

    @property
    def qos(self) -> int:
        """0 (fire), `CONFIRM` or `COMMIT`; the reserved 3 counts as 0."""
        return (self.flags >> QOS_SHIFT) % 3

    @property
    def encrypted(self) -> bool:
        """A bit that nobody uses."""
        return bool(self.flags & FLAG_ENCRYPTED)

    @property
    def compressed(self) -> bool:
        """A bit that nobody uses."""
        return bool(self.flags & FLAG_COMPRESSED)

    @property
    def version(self) -> int:
        """The encoding version bits; they do not choose the decoder."""
        return self.flags & VERSION_MASK


def decode_frame(data: bytes) -> Frame:
    """Take a frame apart; `WireError` 100 where that is impossible, 101 where the payload is empty."""
    size = len(data)
    if size < HEADER_BYTES:
        raise WireError(f"frame of {size} bytes has no header", ErrorCode.INVALID_FRAME)
    magic, flags, length = _unpack_head(data)
    if magic != MAGIC:
        raise WireError(f"frame starts with 0x{magic:02x}", ErrorCode.INVALID_FRAME)
    timestamp = None
    start = HEADER_BYTES
    if flags & FLAG_TIMESTAMP:
        start = HEADER_WITH_TIMESTAMP_BYTES
        if size < start:
            raise WireError("frame timestamp cut off", ErrorCode.INVALID_FRAME)
        timestamp = _TIMESTAMP.unpack_from(data, HEADER_BYTES)[0]
    end = start + length
    if end > size:
        raise WireError("frame shorter than its length says", ErrorCode.INVALID_FRAME)
    if not length:
        raise WireError("payload is empty")
    # The constructor of a NamedTuple is a Python function and costs twice as much.
    return _new_tuple(Frame, (flags, timestamp, data[start:end]))


def encode_frame(
    payload: bytes, qos: int = 0, timestamp: int | None = None, *, flags: int | None = None
) -> bytes:
    """Put a payload into a frame.

    `flags` gives the whole flags byte instead of QoS and version; the timestamp bit always follows
    from `timestamp`.
    """
    if not 0 < len(payload) <= PAYLOAD_MAX_BYTES:
        raise BadInput(f"payload of {len(payload)} bytes; a frame carries 1 to {PAYLOAD_MAX_BYTES}")
    if flags is None:
        flags = qos << QOS_SHIFT | VERSION
    if not 0 <= flags <= 0xFF:
        raise BadInput(f"flags {flags:#x} do not fit into a byte")
    if timestamp is None:
        return _HEAD.pack(MAGIC, flags & ~FLAG_TIMESTAMP, len(payload)) + payload
    if not 0 <= timestamp < 1 << 64:
        raise BadInput(f"timestamp {timestamp} does not fit into 64 bits")
    return _HEAD_WITH_TIMESTAMP.pack(MAGIC, flags | FLAG_TIMESTAMP, len(payload), timestamp) + payload
