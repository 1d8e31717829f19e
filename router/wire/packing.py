"""A frame as it goes down to a peer: one unmasked binary WebSocket message, header and all.

Packed messages are plain bytes that can be joined, shared between connections and written as they are.
The few numbers of RFC 6455 that both directions need live here, too.

Laws: `unpack` takes back what `pack` made, in any number; bytes that are no whole packed messages are
a `ValueError`, since only our own side makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

FINAL: Final = 0x80
"""Bit of the first byte: the message ends with this frame."""
OPCODE_TEXT: Final = 0x1
OPCODE_BINARY: Final = 0x2
OPCODE_CLOSE: Final = 0x8
OPCODE_PING: Final = 0x9
OPCODE_PONG: Final = 0xA

BINARY: Final = FINAL | OPCODE_BINARY
"""First byte of a whole binary message."""

CLOSE_REASON_MAX_BYTES: Final = 123
SHORT_MAX_BYTES: Final = 125
MEDIUM_MAX_BYTES: Final = 0xFFFF
MEDIUM_MARK: Final = 126
LONG_MARK: Final = 127

_HEADS: Final = tuple(bytes((BINARY, size_bytes)) for size_bytes in range(SHORT_MAX_BYTES + 1))
_MEDIUM_HEAD: Final = bytes((BINARY, MEDIUM_MARK))
_LONG_HEAD: Final = bytes((BINARY, LONG_MARK))


def pack(frame: bytes) -> bytes:
    """The frame with its WebSocket header in front."""
    size_bytes = len(frame)
    if size_bytes <= SHORT_MAX_BYTES:
        return _HEADS[size_bytes] + frame
    return pack_head(size_bytes) + frame


def pack_head(size_bytes: int) -> bytes:
    """The header of a frame of that size."""
    if size_bytes <= SHORT_MAX_BYTES:
        return _HEADS[size_bytes]
    if size_bytes <= MEDIUM_MAX_BYTES:
        return _MEDIUM_HEAD + size_bytes.to_bytes(2, "big")
    return _LONG_HEAD + size_bytes.to_bytes(8, "big")


def pack_control(opcode: int, payload: bytes) -> bytes:
    """A ping, pong or close; its payload has at most `SHORT_MAX_BYTES`."""
    return bytes((FINAL | opcode, len(payload))) + payload


def pack_close(code: int, reason: str) -> bytes:
    """A close with its reason, which is cut to what fits, never inside a character."""
    text = reason.encode("utf-8", errors="replace")[:CLOSE_REASON_MAX_BYTES]
    whole = text.decode("utf-8", errors="ignore").encode()
    return pack_control(OPCODE_CLOSE, code.to_bytes(2, "big") + whole)


def unpack(data: bytes) -> Iterator[bytes]:
    """Every frame of packed messages, in order."""
    at = 0
    while at < len(data):
        head = data[at : at + 2]
        if len(head) < 2 or head[0] != BINARY or head[1] > LONG_MARK:
            raise ValueError(f"no packed message at byte {at}")
        start, size_bytes = at + 2, head[1]
        if size_bytes > SHORT_MAX_BYTES:
            wide_bytes = 2 if size_bytes == MEDIUM_MARK else 8
            size_bytes = int.from_bytes(data[start : start + wide_bytes], "big")
            start += wide_bytes
        at = start + size_bytes
        if at > len(data):
            raise ValueError("packed message cut off")
        yield data[start:at]
