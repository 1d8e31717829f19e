"""Bytes of a WebSocket peer, cut anywhere, taken apart into messages. No socket, no loop, no clock.

Laws: the same bytes give the same messages and calls in the same order however they were cut; a message is
handed over once, whole and unmasked; after a close or a violation nothing more comes out. Messages in a row
are handed over together, as an iterator; it ends early when somebody halts the splitter meanwhile.

What is legal is what the parser of `websockets` takes, with one difference: control frames are bounded by
their own 125 bytes alone, not also by what the message around them may still take. A violation shows as soon
as the header of its frame is there; the payload is not awaited.

Text is legal and dropped. What is incomplete or waits is held, at most the message limit and one read, and
costs time in proportion to its size, not to the number of its pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol, TypeAlias

from websockets.exceptions import ProtocolError
from websockets.frames import Close

from router.wire.packing import (
    BINARY,
    FINAL,
    MEDIUM_MARK,
    OPCODE_BINARY,
    OPCODE_CLOSE,
    OPCODE_PING,
    OPCODE_PONG,
    OPCODE_TEXT,
    SHORT_MAX_BYTES,
)

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

PROTOCOL_ERROR: Final = 1002
INVALID_DATA: Final = 1007
MESSAGE_TOO_BIG: Final = 1009

_MASKED: Final = 0x80
_RESERVED_BITS: Final = 0x70
_OPCODE_BITS: Final = 0x0F
_OPCODE_CONTINUATION: Final = 0x0
_DATA_OPCODES: Final = (OPCODE_TEXT, OPCODE_BINARY, _OPCODE_CONTINUATION)
_CONTROL_OPCODES: Final = (OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG)
_EMPTY_FRAME_BYTES: Final = 6
_MEDIUM: Final = _MASKED | MEDIUM_MARK
_NOTHING: Final = -1

Hearer: TypeAlias = Callable[[Iterator[bytes]], object]
"""Takes messages in a row; it draws them one by one, and deals with each before it draws the next."""


class Listener(Protocol):
    """Who is told about everything that is not a binary message."""

    def on_ping(self, payload: bytes) -> None:
        """The peer has pinged: it wants this back in a pong."""

    def on_pong(self, payload: bytes) -> None:
        """The peer answers a ping, or says unasked that it is there."""

    def on_close(self, payload: bytes) -> None:
        """The peer closes; the payload is legal and can be echoed. Nothing follows."""

    def on_violation(self, code: int, reason: str) -> None:
        """The peer broke the protocol; close with this. Nothing follows."""


class _Nobody:
    """Who listens to a connection that is gone."""

    def on_ping(self, payload: bytes) -> None:
        pass

    def on_pong(self, payload: bytes) -> None:
        pass

    def on_close(self, payload: bytes) -> None:
        pass

    def on_violation(self, code: int, reason: str) -> None:
        pass


_NOBODY: Final = _Nobody()


class Splitter:
    """The reading side of one connection. `feed` and `go_on` are not for use inside one of its own calls."""

    __slots__ = (
        "_ended",
        "_fragments",
        "_halted",
        "_limit_bytes",
        "_listener",
        "_messages",
        "_needed_bytes",
        "_open_bytes",
        "_open_opcode",
        "_partial",
        "_short_max",
        "_unheard",
        "_waiting",
        "_waiting_at",
        "on_messages",
    )

    def __init__(self, on_messages: Hearer, listener: Listener, message_bytes: int) -> None:
        self.on_messages = on_messages
        """May be replaced between its calls."""
        self._listener: Listener = listener
        self._limit_bytes = message_bytes
        self._short_max = _MASKED + min(SHORT_MAX_BYTES, message_bytes)
        self._ended = False
        self._halted = False
        self._messages: Iterator[bytes] = iter(())
        """Those that are being handed over."""
        self._unheard: list[bytes] = []
        """Those that nobody drew before the halt; they come before what waits."""
        self._waiting = b""
        self._waiting_at = 0
        self._partial = bytearray()
        self._needed_bytes = 0
        self._open_opcode = _NOTHING
        self._open_bytes = 0
        self._fragments = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the peer."""
        if self._ended:
            return
        if self._halted:
            self._waiting = self._waiting[self._waiting_at :] + data
            self._waiting_at = 0
            return
        if self._partial:
            self._partial += data
            if len(self._partial) < self._needed_bytes:
                return
            data = bytes(self._partial)
            self._partial = bytearray()
        self._split(data, 0)

    def halt(self) -> None:
        """Hand nothing over until `go_on`, not even what has been fed; also from inside a call."""
        self._halted = True
        self._unheard.extend(self._messages)

    def mute(self) -> None:
        """Hand no message over any more, also from inside a call; all else goes on."""
        self.on_messages = _hear_nothing
        self._unheard.extend(self._messages)
        self._unheard.clear()

    def part(self) -> None:
        """The connection is gone: let go of whoever listened, so that nothing keeps them."""
        self.on_messages = _hear_nothing
        self._listener = _NOBODY

    def go_on(self) -> None:
        """Hand over what has waited, until something halts it again."""
        self._halted = False
        unheard, self._unheard = self._unheard, []
        if unheard:
            self._hand_over(unheard)
        if self._halted:
            return
        data, at = self._waiting, self._waiting_at
        self._waiting, self._waiting_at = b"", 0
        if at:
            self._split(data, at)
        elif data:
            self.feed(data)

    def _split(self, data: bytes, at: int) -> None:
        """Take apart what has come, from a place where a frame begins."""
        size_bytes = len(data)
        while at < size_bytes:
            if self._halted:
                self._waiting, self._waiting_at = data, at
                return
            if self._open_opcode == _NOTHING:
                behind = self._gather(data, at)
                if behind != at:
                    at = behind
                    continue
            end = self._take(data, at)
            if not end:
                if not self._ended:
                    self._partial += data[at:]
                return
            at = end

    def _gather(self, data: bytes, at: int) -> int:
        """Hand over the whole binary messages below 64 KiB that stand next; every other frame takes the long
        way. The place where they end."""
        size_bytes = len(data)
        last_at = size_bytes - _EMPTY_FRAME_BYTES
        short_max = self._short_max
        mask = apply_mask
        frames: list[bytes] = []
        while at <= last_at and data[at] == BINARY:
            length = data[at + 1]
            if _MASKED <= length <= short_max:
                start = at + 6
                end = start + length - _MASKED
            elif length == _MEDIUM and at + 8 <= size_bytes:
                start = at + 8
                end = start + (data[at + 2] << 8 | data[at + 3])
                if end > start + self._limit_bytes:
                    break
            else:
                break
            if end > size_bytes:
                break
            frames.append(mask(data[start:end], data[start - 4 : start]))
            at = end
        if frames:
            self._hand_over(frames)
        return at

    def _hand_over(self, frames: list[bytes]) -> None:
        self._messages = iter(frames)
        self.on_messages(self._messages)

    def _take(self, data: bytes, at: int) -> int:
        """Take one frame of any kind; its end, or 0 if it is incomplete or the last one."""
        held_bytes = len(data) - at
        if held_bytes < 2:
            self._needed_bytes = 2
            return 0
        first, length = data[at], data[at + 1] - _MASKED
        opcode = first & _OPCODE_BITS
        if opcode not in _DATA_OPCODES and opcode not in _CONTROL_OPCODES:
            return self._fail(PROTOCOL_ERROR, "invalid opcode")
        if length < 0:
            return self._fail(PROTOCOL_ERROR, "incorrect masking")
        start = at + _EMPTY_FRAME_BYTES
        if length > SHORT_MAX_BYTES:
            wide_bytes = 2 if length == MEDIUM_MARK else 8
            start += wide_bytes
            if held_bytes < 2 + wide_bytes:
                self._needed_bytes = 2 + wide_bytes
                return 0
            length = int.from_bytes(data[at + 2 : at + 2 + wide_bytes], "big")
        if not self._is_legal(first, opcode, length):
            return 0
        end = start + length
        if end > len(data):
            self._needed_bytes = end - at
            return 0
        payload = apply_mask(data[start:end], data[start - 4 : start])
        if opcode in _DATA_OPCODES:
            self._add(opcode, first, payload)
        else:
            self._control(opcode, payload)
        return 0 if self._ended else end

    def _is_legal(self, first: int, opcode: int, length: int) -> bool:
        """Judge a header; what is wrong with it has been reported."""
        in_fragments = self._open_opcode != _NOTHING
        is_control = opcode in _CONTROL_OPCODES
        if not is_control and length > self._limit_bytes - self._open_bytes:
            self._fail(MESSAGE_TOO_BIG, f"message longer than {self._limit_bytes} bytes")
        elif first & _RESERVED_BITS:
            self._fail(PROTOCOL_ERROR, "reserved bits must be 0")
        elif is_control and length > SHORT_MAX_BYTES:
            self._fail(PROTOCOL_ERROR, "control frame too long")
        elif is_control and not first & FINAL:
            self._fail(PROTOCOL_ERROR, "fragmented control frame")
        elif opcode == _OPCODE_CONTINUATION and not in_fragments:
            self._fail(PROTOCOL_ERROR, "unexpected continuation frame")
        elif opcode in (OPCODE_TEXT, OPCODE_BINARY) and in_fragments:
            self._fail(PROTOCOL_ERROR, "expected a continuation frame")
        return not self._ended

    def _add(self, opcode: int, first: int, payload: bytes) -> None:
        """Put a data frame to its message, and hand the message over if that was all."""
        if opcode == _OPCODE_CONTINUATION:
            opcode = self._open_opcode
        if not first & FINAL:
            self._open_opcode = opcode
            self._open_bytes += len(payload)
            if opcode == OPCODE_BINARY:
                self._fragments += payload
            return
        if self._fragments:
            payload = bytes(self._fragments + payload)
            self._fragments = bytearray()
        self._open_opcode = _NOTHING
        self._open_bytes = 0
        if opcode == OPCODE_BINARY:
            self._hand_over([payload])

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == OPCODE_PING:
            self._listener.on_ping(payload)
        elif opcode == OPCODE_PONG:
            self._listener.on_pong(payload)
        else:
            self._close(payload)

    def _close(self, payload: bytes) -> None:
        try:
            Close.parse(payload)
        except UnicodeDecodeError:
            self._fail(INVALID_DATA, "close reason is not valid UTF-8")
        except ProtocolError as fault:
            self._fail(PROTOCOL_ERROR, str(fault))
        else:
            if self._open_opcode != _NOTHING:
                self._fail(PROTOCOL_ERROR, "incomplete fragmented message")
            else:
                self._ended = True
                self._listener.on_close(payload)

    def _fail(self, code: int, reason: str) -> int:
        self._ended = True
        self._listener.on_violation(code, reason)
        return 0


def _hear_nothing(_: Iterator[bytes]) -> None:
    """Nobody hears the messages of a connection that is being closed."""
