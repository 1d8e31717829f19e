"""A door without sockets, for tests and for programs that carry a router inside.

Laws: the desk cannot tell it from a real door. Messages are whole and in order, the link hears `block`,
`unblock` and `lost` when a socket would, and `lost` never from inside one of the calls of the desk; what
was sent before a close is still delivered. What the desk writes is there for the peer at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count

from router.runtime.door import Host, Link, Peer
from router.wire.codec import decode, encode
from router.wire.frame import decode_frame, encode_frame
from router.wire.messages import Message
from router.wire.packing import unpack

BUFFER_HIGH_BYTES = 64 * 1024
"""With more than this waiting for a peer that does not read, its link is blocked."""
PATIENCE_S = 5.0

CLOSE_NORMAL = 1000
CLOSE_ABNORMAL = 1006
CLOSE_TOO_BIG = 1009

_numbers = count(1)


class MemoryDoor:
    """Connects peers of the same program to a desk."""

    def __init__(self, host: Host, high_bytes: int = BUFFER_HIGH_BYTES) -> None:
        self._host = host
        self._high_bytes = high_bytes

    def connect(self) -> MemoryPeer:
        """A new connection, as if its handshake were done."""
        return MemoryPeer(self._host, Peer(f"memory:{next(_numbers)}", is_loopback=True), self._high_bytes)


class MemoryPeer:
    """The far end of one connection: it sends, and keeps all it gets."""

    def __init__(self, host: Host, name: Peer, high_bytes: int = BUFFER_HIGH_BYTES) -> None:
        self.received: list[Message] = []
        """Every message so far, decoded."""
        self.frames: list[bytes] = []
        """The same as they came."""
        self.closed: tuple[int, str] | None = None
        """Code and reason, from whichever side."""
        self._next = 0
        self._arrived = asyncio.Event()
        self._pipe = _MemoryPipe(self, host.limits.message_bytes, high_bytes)
        self._pipe.link = host.connect(self._pipe, name)

    def send(self, message: Message | bytes, qos: int = 0) -> None:
        """Send a message, or a frame as it is. `ConnectionResetError` when closed."""
        if self.closed is not None:
            raise ConnectionResetError(f"closed with {self.closed[0]}: {self.closed[1]}")
        self._pipe.carry(message if isinstance(message, bytes) else encode_frame(encode(message), qos))

    async def next(self) -> Message:
        """The first message that no call has returned or passed over yet."""
        return await self.until(lambda _: True)

    async def until(self, predicate: Callable[[Message], bool], timeout_s: float = PATIENCE_S) -> Message:
        """The next message of which it is true, passing over others; `ConnectionResetError` at the end."""
        async with asyncio.timeout(timeout_s):
            while True:
                while self._next < len(self.received):
                    self._next += 1
                    if predicate(self.received[self._next - 1]):
                        return self.received[self._next - 1]
                if self.closed is not None:
                    raise ConnectionResetError(f"closed with {self.closed[0]}: {self.closed[1]}")
                self._arrived.clear()
                await self._arrived.wait()

    def stop_reading(self) -> None:
        """Let what comes pile up."""
        self._pipe.is_read = False

    def resume(self) -> None:
        """Take what has piled up, and read on."""
        self._pipe.is_read = True
        self._pipe.drain()

    def close(self, code: int = CLOSE_NORMAL, reason: str = "") -> None:
        """Leave; what was sent before still reaches the desk."""
        if self.closed is None:
            self.hear_close(code, reason)
            self._pipe.leave()

    def take(self, packed: bytes) -> None:
        """Keep what the desk wrote."""
        for frame in unpack(packed):
            self.frames.append(frame)
            self.received.append(decode(decode_frame(frame).payload))
        self._arrived.set()

    def hear_close(self, code: int, reason: str) -> None:
        """Keep how it ended."""
        self.closed = (code, reason)
        self._arrived.set()


class _MemoryPipe:
    """What the desk holds of a peer: the promises of `Pipe`, kept in memory."""

    link: Link

    def __init__(self, peer: MemoryPeer, message_bytes: int, high_bytes: int) -> None:
        self.is_read = True
        self._peer = peer
        self._message_bytes = message_bytes
        self._high_bytes = high_bytes
        self._loop = asyncio.get_running_loop()
        self._to_desk: deque[bytes] = deque()
        self._to_peer: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_paused = False
        self._is_blocked = False
        self._is_open = True
        self._is_left = False

    def carry(self, frame: bytes) -> None:
        """Take one message of the peer to the desk."""
        if len(frame) > self._message_bytes:
            self.close(CLOSE_TOO_BIG, f"message longer than {self._message_bytes} bytes")
            return
        self._to_desk.append(frame)
        self._deliver()

    def _deliver(self) -> None:
        if self._to_desk and not self._is_paused and self._is_open:
            self.link.stamp()
            self.link.receive(self._arriving())
        if self._is_left and not self._to_desk:
            self._end()

    def _arriving(self) -> Iterator[bytes]:
        while self._to_desk and not self._is_paused and self._is_open:
            yield self._to_desk.popleft()

    def leave(self) -> None:
        """The peer closes, after all that it has sent."""
        self._is_left = True
        self._to_peer.clear()
        self._deliver()

    def write(self, packed: bytes) -> None:
        """Hand over to the peer, or keep for it while it does not read."""
        if not self._is_open or self._is_left:
            return
        if self.is_read:
            self._peer.take(packed)
            return
        self._to_peer.append(packed)
        self._waiting_bytes += len(packed)
        if self._waiting_bytes > self._high_bytes and not self._is_blocked:
            self._is_blocked = True
            self.link.block()

    def drain(self) -> None:
        """The peer takes all that waits for it."""
        while self._to_peer:
            self._peer.take(self._to_peer.popleft())
        self._waiting_bytes = 0
        if self._is_blocked:
            self._is_blocked = False
            if self._is_open:
                self.link.unblock()

    def pause_reading(self) -> None:
        """Keep what the peer sends."""
        self._is_paused = True

    def resume_reading(self) -> None:
        """Deliver again, from the next turn of the loop on."""
        self._is_paused = False
        self._loop.call_soon(self._deliver)

    def close(self, code: int, reason: str) -> None:
        """End it; what was written is still there for the peer."""
        if self._is_open and not self._is_left:
            self._peer.hear_close(code, reason)
        self._end()

    def abort(self) -> None:
        """End it, with all that waits."""
        self._to_peer.clear()
        self.close(CLOSE_ABNORMAL, "")

    def traffic(self) -> tuple[int, int]:
        """Nobody counts what never becomes bytes on a wire."""
        return 0, 0

    def _end(self) -> None:
        if self._is_open:
            self._is_open = False
            self._loop.call_soon(self._lose)

    def _lose(self) -> None:
        self.link.lost()
