"""The two one-way pipes between the router and the journal's process, on which messages go.

    u32 size of the body | u8 kind | body

Law: what was written before the writer died is read, and then the end: that is why the two directions do not
share a socket (an answer to a dead router would break the socket it still can be read from).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import cast

from router.recording.messages import Kind

READ_BYTES = 256 * 1024
_HEAD = struct.Struct(">IB")


def packed(kind: Kind, *parts: bytes) -> bytes:
    """A message as it goes through the pipe."""
    return b"".join((_HEAD.pack(sum(map(len, parts)), kind), *parts))


class Receiver(asyncio.Protocol):
    """The reading end of a pipe. What is not asked for stays in the pipe, but for one read."""

    def __init__(self) -> None:
        self._came = bytearray()
        self._need_bytes = _HEAD.size
        self._news = asyncio.Event()
        self._is_paused = False
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def start(cls, end: socket.socket) -> Receiver:
        """Take over a socket."""
        loop = asyncio.get_running_loop()
        _, receiver = await loop.create_unix_connection(cls, sock=end)
        return receiver

    async def messages(self) -> AsyncIterator[tuple[Kind, bytes]]:
        """Everything that comes, until the pipe ends."""
        while await self._has_enough():
            data, self._came = bytes(self._came), bytearray()
            at, self._need_bytes = 0, _HEAD.size
            while len(data) - at >= _HEAD.size:
                size_bytes, kind = _HEAD.unpack_from(data, at)
                begin, end = at + _HEAD.size, at + _HEAD.size + size_bytes
                if end > len(data):
                    self._need_bytes = end - at
                    break
                at = end
                yield Kind(kind), data[begin:end]
            self._came[:0] = data[at:]

    def close(self) -> None:
        """Read no more."""
        if self._transport is not None:
            self._transport.close()

    async def _has_enough(self) -> bool:
        """Wait for what the next message lacks; False if it will never come."""
        while len(self._came) < self._need_bytes:
            if self._transport is None:
                return False
            if self._is_paused:
                self._is_paused = False
                self._transport.resume_reading()
            self._news.clear()
            await self._news.wait()
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._came += data
        self._news.set()
        if self._transport is not None and len(self._came) >= max(READ_BYTES, self._need_bytes):
            self._is_paused = True
            self._transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._news.set()


class Sender(asyncio.Protocol):
    """The writing end of a pipe. Sending never fails: where nobody reads any more it does nothing."""

    def __init__(self) -> None:
        self.has_room = False
        """Whether a message would not have to wait here."""
        self.on_room: Callable[[], None] | None = None
        """Called when there is room again."""
        self._room = asyncio.Event()
        self._ended = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def start(cls, end: socket.socket) -> Sender:
        """Take over a socket."""
        loop = asyncio.get_running_loop()
        _, sender = await loop.create_unix_connection(cls, sock=end)
        return sender

    @property
    def is_open(self) -> bool:
        """Whether somebody may still read."""
        return self._transport is not None

    def send(self, kind: Kind, *parts: bytes) -> None:
        """Send a message, whatever waits already."""
        self.write(packed(kind, *parts))

    def write(self, messages: bytes) -> None:
        """Send packed messages, whatever waits already."""
        if self._transport is not None:
            self._transport.write(messages)

    async def room(self) -> None:
        """Return when there is room, or nobody reads any more."""
        await self._room.wait()

    def close(self) -> None:
        """Send what waits, then end the pipe."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def finish(self, timeout_s: float) -> None:
        """Close, and return when everything is sent, or after some time."""
        self.close()
        try:
            async with asyncio.timeout(timeout_s):
                await self._ended.wait()
        except TimeoutError:
            pass  # Whoever should read does not; there is nobody left to tell.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.has_room = False
        self._room.set()
        self._ended.set()

    def pause_writing(self) -> None:
        self.has_room = False
        self._room.clear()

    def resume_writing(self) -> None:
        self.has_room = True
        self._room.set()
        if self.on_room is not None:
            self.on_room()
