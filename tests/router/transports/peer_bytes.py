"""What a WebSocket peer may put on the wire, legal or not, and who listens to the splitter."""

import struct
from collections.abc import Iterator
from itertools import pairwise

from websockets.frames import Opcode

from router.transports.splitter import Splitter

FIN = 0x80
MASK = b"\x37\xfa\x21\x3d"


def masked(payload: bytes, mask: bytes = MASK) -> bytes:
    """The slow and obvious way to mask."""
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def length_field(size_bytes: int, width: int, mask_bit: int) -> bytes:
    """The length in 0, 2 or 8 extra bytes, or in the fewest that do."""
    if size_bytes > 0xFFFF or width == 8:
        return struct.pack("!BQ", mask_bit | 127, size_bytes)
    if size_bytes > 125 or width == 2:
        return struct.pack("!BH", mask_bit | 126, size_bytes)
    return bytes((mask_bit | size_bytes,))


def raw_frame(first: int, payload: bytes, *, width: int = 0, is_masked: bool = True) -> bytes:
    """A frame with any first byte, complete as far as its length says."""
    if is_masked:
        return bytes((first,)) + length_field(len(payload), width, 0x80) + MASK + masked(payload)
    return bytes((first,)) + length_field(len(payload), width, 0) + payload


def binary(payload: bytes) -> bytes:
    """A whole binary message."""
    return raw_frame(FIN | Opcode.BINARY, payload)


def fragmented(payload: bytes, cuts: list[int], opcode: int = Opcode.BINARY) -> list[bytes]:
    """The frames of one message, cut at the given points."""
    bounds = [0, *sorted(min(cut, len(payload)) for cut in cuts), len(payload)]
    pieces = [payload[start:end] for start, end in pairwise(bounds)]
    frames = []
    for at, piece in enumerate(pieces):
        final = FIN if at == len(pieces) - 1 else 0
        frames.append(raw_frame(final | (Opcode.CONT if at else opcode), piece))
    return frames


def control(opcode: int, payload: bytes = b"") -> bytes:
    """A whole control frame."""
    return raw_frame(FIN | opcode, payload)


def close(code: int, reason: bytes = b"") -> bytes:
    """A close frame, whether its code is legal or not."""
    return control(Opcode.CLOSE, struct.pack("!H", code) + reason)


def cut_up(data: bytes, cuts: list[int]) -> list[bytes]:
    """The same bytes in pieces."""
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


class Heard:
    """Everything a splitter said, in order."""

    def __init__(self, message_bytes: int = 65_600) -> None:
        self.calls: list[tuple[str, bytes | int]] = []
        self.splitter = Splitter(self.on_messages, self, message_bytes)

    def feed(self, *pieces: bytes) -> "Heard":
        """Give the pieces one by one."""
        for piece in pieces:
            self.splitter.feed(piece)
        return self

    def on_messages(self, frames: Iterator[bytes]) -> None:
        """Take messages one by one."""
        for frame in frames:
            self.on_message(frame)

    def on_message(self, frame: bytes) -> None:
        """Note a message."""
        self.calls.append(("message", frame))

    def on_ping(self, payload: bytes) -> None:
        """Note a ping."""
        self.calls.append(("ping", payload))

    def on_pong(self, payload: bytes) -> None:
        """Note a pong."""
        self.calls.append(("pong", payload))

    def on_close(self, payload: bytes) -> None:
        """Note a close."""
        self.calls.append(("close", payload))

    def on_violation(self, code: int, reason: str) -> None:
        """Note the code; the reason must be there, its words are free."""
        assert reason
        self.calls.append(("violation", code))
