"""A peer that speaks the bytes of the wire and nothing more clever: it sees everything, in order.

It is not our client: what the router says is not hidden behind calls. It reads only when it is told to, so it
can also be the peer that does not read.
"""

import asyncio
import base64
import os
import socket
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import ClassVar, NamedTuple, Self, TypeVar

from clasp_journal import value as values
from router.wire.codec import decode, encode
from router.wire.frame import decode_frame, encode_frame
from router.wire.messages import Ack, Get, Hello, Message, Ping, Pong, Publish, Set, Snapshot, Welcome
from tests.e2e.router_process import PATIENCE_S

Asked = TypeVar("Asked", bound=Message)

BINARY, CLOSE, PING, PONG = 0x82, 0x88, 0x89, 0x8A
NO_MASK = bytes(4)
"""A mask of zeros is a mask: the bytes stay as they are."""
LENGTH_BYTES = {126: 2, 127: 8}
"""What follows a length that says that it stands behind itself."""
READ_BYTES = 256 * 1024


class Heard(NamedTuple):
    """One frame of the router."""

    message: Message
    timestamp: int | None
    qos: int


class Closed(Exception):
    """The router has ended the connection, with a code or, if it just broke off, without."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Peer:
    """One connection."""

    connected: ClassVar[list[Self]] = []
    """Those that somebody has to hang up."""

    def __init__(self, sock: socket.socket) -> None:
        self.connected.append(self)
        self._socket = sock
        self._buffer = bytearray()
        self._frames: deque[bytes] = deque()
        self._closed: tuple[int | None, str] | None = None
        """How it ended, for a `Closed`: one that is kept would keep whoever it was raised to."""
        self.welcome = Welcome(0, "", "")
        self.params: dict[str, object] = {}
        """The params of the first SNAPSHOT, by address."""

    @classmethod
    async def dial(cls, port: int, *, buffer_bytes: int | None = None) -> Self:
        """A WebSocket on which nothing has been said yet."""
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if buffer_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        peer = cls(sock)
        with peer._closed_if_it_fails():
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            await peer._upgrade(port)
        return peer

    @classmethod
    async def connect(cls, port: int, name: str = "peer", *, buffer_bytes: int | None = None) -> Self:
        """A session: greeted, and told the state."""
        peer = await cls.dial(port, buffer_bytes=buffer_bytes)
        with peer._closed_if_it_fails():
            await peer._greet(name)
        return peer

    @contextmanager
    def _closed_if_it_fails(self) -> Iterator[None]:
        """A peer that is not connected is given to nobody who could close it: its router may be killed."""
        try:
            yield
        except BaseException:
            self.hang_up()
            raise

    async def _upgrade(self, port: int) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: clasp\r\n\r\n"
        )
        await self.say_bytes(head.encode())
        while b"\r\n\r\n" not in self._buffer:
            await self._read()
        answer, _, rest = self._buffer.partition(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        self._buffer = bytearray(rest)

    async def _greet(self, name: str) -> None:
        await self.say(Hello(name))
        self.welcome = await self.hear(Welcome)
        first = await self.hear(Snapshot)
        rest = [heard.message for heard in await self.fence()]
        for snapshot in (first, *rest):
            assert isinstance(snapshot, Snapshot), snapshot
            self.params.update({param.address: param for param in snapshot.params})

    @property
    def session(self) -> str:
        """The id that the router gave it."""
        return self.welcome.session

    async def say(self, *messages: Message, qos: int = 0) -> None:
        """Send messages, one frame each."""
        await self.say_bytes(b"".join(packed(message, qos) for message in messages))

    async def say_frame(self, frame: bytes) -> None:
        """Send one frame, good or bad."""
        await self.say_bytes(enveloped(frame))

    async def say_bytes(self, data: bytes) -> None:
        """Send bytes that are packed already."""
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def hear_frame(self) -> bytes:
        """The next frame. `Closed` if there is none any more."""
        while not self._frames:
            if self._closed is not None:
                raise Closed(*self._closed)
            await self._read()
            await self._split()
        return self._frames.popleft()

    async def hear_any(self) -> Heard:
        """The next message, whatever it is."""
        frame = decode_frame(await self.hear_frame())
        return Heard(decode(frame.payload), frame.timestamp, frame.qos)

    async def hear(self, kind: type[Asked]) -> Asked:
        """The next message, which has to be of this kind."""
        message = (await self.hear_any()).message
        assert isinstance(message, kind), f"{message} instead of {kind.__name__}"
        return message

    async def hear_many(self, kind: type[Asked], count: int) -> list[Asked]:
        """The next messages, all of one kind."""
        return [await self.hear(kind) for _ in range(count)]

    async def fence(self) -> list[Heard]:
        """Everything that the router says before it has dealt with all that was said to it until now."""
        await self.say(Ping())
        before = []
        while not isinstance((heard := await self.hear_any()).message, Pong):
            before.append(heard)
        return before

    async def hears_nothing(self) -> None:
        """The router has dealt with everything and has nothing to say."""
        before = await self.fence()
        assert not before, before

    async def set(self, address: str, value: object, qos: int = 1, **flags: object) -> Ack:
        """A SET and its ACK, which is the next thing to be heard."""
        await self.say(make_set(address, value, **flags), qos=qos)
        return await self.hear(Ack)

    async def get(self, address: str) -> object | None:
        """A param, or None if there is none; nothing else may be heard meanwhile."""
        await self.say(Get(address))
        answers = await self.fence()
        return answers[0].message.params[0] if answers else None

    async def ends(self) -> Closed:
        """Read until the router ends the connection, and say how it did."""
        try:
            while True:
                await self.hear_frame()
        except Closed as closed:
            return closed

    def hang_up(self) -> None:
        """Vanish."""
        self._socket.close()

    async def _read(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            try:
                data = await asyncio.get_running_loop().sock_recv(self._socket, READ_BYTES)
            except ConnectionError:
                data = b""
        if not data:
            raise Closed(None)
        self._buffer += data

    async def _split(self) -> None:
        """Take the whole frames out of the buffer. The router never masks and never fragments."""
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2:
            kind, size, start = buffer[at], buffer[at + 1], at + 2
            if width := LENGTH_BYTES.get(size):
                start += width
                if len(buffer) < start:
                    break
                size = int.from_bytes(buffer[start - width : start])
            if len(buffer) < start + size:
                break
            await self._take(kind, bytes(buffer[start : start + size]))
            at = start + size
        del buffer[:at]

    async def _take(self, kind: int, payload: bytes) -> None:
        if kind == BINARY:
            self._frames.append(payload)
        elif kind == PING:
            await self.say_bytes(enveloped(payload, PONG))
        elif kind == CLOSE:
            self._closed = struct.unpack_from("!H", payload)[0], payload[2:].decode()
            await self._answer_close(payload)
        else:
            assert kind == PONG, f"a frame that begins with {kind:#x}"

    async def _answer_close(self, payload: bytes) -> None:
        try:
            await self.say_bytes(enveloped(payload, CLOSE))
        except ConnectionError:
            # The router did not wait for an answer.
            return


def enveloped(frame: bytes, kind: int = BINARY) -> bytes:
    """A WebSocket message of a client."""
    size = len(frame)
    if size < 126:
        return bytes((kind, 0x80 | size)) + NO_MASK + frame
    if size < 65_536:
        return struct.pack("!BBH", kind, 0x80 | 126, size) + NO_MASK + frame
    return struct.pack("!BBQ", kind, 0x80 | 127, size) + NO_MASK + frame


def packed(message: Message, qos: int = 0) -> bytes:
    """A message as it travels."""
    return enveloped(encode_frame(encode(message), qos))


def packed_all(messages: Iterable[Message], qos: int = 0) -> bytes:
    """Messages one after another, as they travel."""
    return b"".join(packed(message, qos) for message in messages)


def make_set(address: str, value: object, **flags: object) -> Set:
    """A SET of a Python value."""
    return Set(address, values.encode(value), **flags)


def make_event(address: str, value: object) -> Publish:
    """An event with a Python value."""
    return Publish(address, encoded=values.encode(value))
