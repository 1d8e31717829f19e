"""A desk that only takes notes, and raw peers to send it what no library would."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from router.core.limits import Limits
from router.runtime.door import Answer, Peer, Pipe, Request
from tests.router.transports.peer_bytes import raw_frame

PATIENCE_S = 60.0
UPGRADE = (
    b"GET /clasp HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@dataclass(eq=False)
class RecordingLink:
    """One connection, as the desk would see it."""

    pipe: Pipe
    peer: Peer
    note: Callable[[], None]
    on_frame: Callable[["RecordingLink", bytes], None] = lambda _link, _frame: None
    frames: list[bytes] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def receive(self, frames: Iterator[bytes]) -> None:
        """Keep messages."""
        for frame in frames:
            self.frames.append(frame)
            self.on_frame(self, frame)
            self.note()

    def stamp(self) -> None:
        """Keep only whether time has been told before the first message."""
        if "stamp" not in self.calls:
            assert not self.frames
            self.calls.append("stamp")

    def block(self) -> None:
        """Keep the call."""
        self.calls.append("block")
        self.note()

    def unblock(self) -> None:
        """Keep the call."""
        self.calls.append("unblock")
        self.note()

    def lost(self) -> None:
        """Keep the call."""
        self.calls.append("lost")
        self.note()

    @property
    def is_lost(self) -> bool:
        """Whether the connection is gone; it must not be gone twice."""
        assert self.calls.count("lost") <= 1
        return "lost" in self.calls


@dataclass(eq=False)
class RecordingHost:
    """The desk; `on_connect` and `on_frame` say what it does with a link."""

    limits: Limits
    on_connect: Callable[[RecordingLink], None] = lambda _link: None
    on_frame: Callable[[RecordingLink, bytes], None] = lambda _link, _frame: None
    links: list[RecordingLink] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def connect(self, pipe: Pipe, peer: Peer) -> RecordingLink:
        """A new connection."""
        link = RecordingLink(pipe, peer, self.changed.set, self.on_frame)
        self.links.append(link)
        self.on_connect(link)
        self.changed.set()
        return link

    def answer_http(self, request: Request) -> Answer:
        """Only one path is known."""
        if request.path == "/healthz":
            return Answer(200, "application/json", b"{}")
        return Answer(404, "text/plain", f"{request.method} {request.path}?\n".encode())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something that was noted makes it true."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def first_link(self) -> RecordingLink:
        """The connection that comes first."""
        await self.until(lambda: bool(self.links))
        return self.links[0]


Serve = Callable[..., Awaitable[tuple[RecordingHost, int]]]


class RawPeer:
    """A socket that says exactly what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def dial(cls, port: int) -> "RawPeer":
        """Connect, and say nothing yet."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    @classmethod
    async def upgraded(cls, port: int) -> "RawPeer":
        """Connect and do the WebSocket handshake."""
        peer = await cls.dial(port)
        peer.send(UPGRADE)
        head = await peer.read_until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        return peer

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    def send_frame(self, first: int, payload: bytes) -> None:
        """Send a frame with any first byte."""
        self.send(raw_frame(first, payload))

    async def read_until(self, end: bytes) -> bytes:
        """Read up to and with these bytes."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readuntil(end)

    async def read(self, size_bytes: int) -> bytes:
        """Read exactly so many."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readexactly(size_bytes)

    async def rest(self) -> bytes:
        """Everything up to the end of the connection, however it ends."""
        received = bytearray()
        async with asyncio.timeout(PATIENCE_S):
            try:
                while data := await self.reader.read(65_536):
                    received += data
            except ConnectionResetError:
                pass
        return bytes(received)

    def hang_up(self) -> None:
        """Close the socket."""
        self.writer.close()
