"""One connection to a router, from HELLO to its end: messages in, messages out.

Laws: messages leave in the order of the calls of `post`, which never waits, so that no cancelled call leaves
half a request behind; every end of the connection is a `ConnectionLost` that says why.

Bounds: `FRAMES_WAITING_MAX` frames wait for `receive`, then the socket is no longer read. Whoever posts
awaits `room` first, which waits while more than `OUTGOING_MAX_BYTES` are not yet taken by the socket.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from ssl import SSLContext, SSLError
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from router.client.errors import ConnectionLost, Refused
from router.wire.codec import decode, encode
from router.wire.codes import WireError
from router.wire.frame import decode_frame, encode_frame
from router.wire.messages import Error, Hello, Message, Welcome

SUBPROTOCOL = Subprotocol("clasp")
OPEN_TIMEOUT_S = 10.0
WELCOME_TIMEOUT_S = 60.0
"""A router that is restoring its state lets HELLO wait."""
CLOSE_TIMEOUT_S = 2.0
KEEPALIVE_S = 20.0
"""Silence after which the router is pinged; as long again without an answer, and the connection is over."""
MESSAGE_MAX_BYTES = 128 * 1024
FRAMES_WAITING_MAX = 64
OUTGOING_MAX_BYTES = 1024 * 1024


class Received(NamedTuple):
    """A message, and the timestamp of its frame, which only the past carries."""

    message: Message
    timestamp: int | None


class Connection:
    """An open connection on which WELCOME has come."""

    def __init__(self, socket: ClientConnection, welcome: Welcome) -> None:
        self.welcome = welcome
        self._socket = socket
        self._outgoing: deque[bytes] = deque()
        self._outgoing_bytes = 0
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._writer = asyncio.create_task(self._write())

    @classmethod
    async def open(cls, url: str, hello: Hello, tls: SSLContext | None = None) -> Connection:
        """Connect and greet; by wss:// whom `tls` trusts, else whom the system does. Raises `Refused` if the
        router does not want us, else `ConnectionLost`."""
        # The library takes `ssl=None` for a contradiction to wss://.
        secured: dict[str, Any] = {} if tls is None else {"ssl": tls}
        try:
            socket = await open_socket(
                url,
                **secured,
                subprotocols=[SUBPROTOCOL],
                compression=None,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                ping_interval=KEEPALIVE_S,
                ping_timeout=KEEPALIVE_S,
                max_size=MESSAGE_MAX_BYTES,
                max_queue=FRAMES_WAITING_MAX,
            )
        except (OSError, TimeoutError, WebSocketException) as fault:
            raise ConnectionLost(f"cannot reach {url}: {_reason(fault)}") from fault
        try:
            return cls(socket, await _greet(socket, hello))
        except BaseException:
            await socket.close()
            raise

    async def room(self) -> None:
        """Wait until the socket keeps up."""
        while self._outgoing_bytes > OUTGOING_MAX_BYTES and not self._writer.done():
            await self._drained.wait()

    def post(self, *messages: Message, qos: int = 0) -> None:
        """Put messages on the way, one frame each, next to each other; all of them or none."""
        if self._writer.done():
            raise ConnectionLost("the connection is closed")
        frames = [encode_frame(encode(message), qos) for message in messages]
        self._outgoing += frames
        self._outgoing_bytes += sum(map(len, frames))
        self._drained.clear()
        self._filled.set()

    async def _write(self) -> None:
        try:
            while True:
                await self._filled.wait()
                while self._outgoing:
                    frame = self._outgoing.popleft()
                    await self._socket.send(frame)
                    self._outgoing_bytes -= len(frame)
                self._filled.clear()
                self._drained.set()
        except ConnectionClosed:
            # Whoever is in `receive` is told why.
            return
        finally:
            self._drained.set()

    async def receive(self) -> Received:
        """The next message. `WireError` for one that cannot be read; the connection lives on."""
        try:
            data = await self._socket.recv()
        except ConnectionClosed as closed:
            raise _lost(closed) from closed
        return _read(data)

    async def close(self) -> None:
        """Send what was posted, and say goodbye."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._drained.wait()
        except TimeoutError:
            # The router does not take it; closing does not wait for that.
            pass
        self._writer.cancel()
        await self._socket.close()


async def _greet(socket: ClientConnection, hello: Hello) -> Welcome:
    try:
        await socket.send(encode_frame(encode(hello)))
        async with asyncio.timeout(WELCOME_TIMEOUT_S):
            message = _read(await socket.recv()).message
    except TimeoutError as fault:
        raise ConnectionLost(f"no WELCOME in {WELCOME_TIMEOUT_S:g} s") from fault
    except ConnectionClosed as closed:
        raise _lost(closed) from closed
    except WireError as fault:
        raise ConnectionLost(f"the other side does not speak CLASP: {fault}") from fault
    if isinstance(message, Error):
        raise Refused.from_error(message)
    if not isinstance(message, Welcome):
        raise ConnectionLost(f"{type(message).__name__} came before WELCOME")
    return message


def _read(data: str | bytes) -> Received:
    if isinstance(data, str):
        raise WireError("a text message")
    frame = decode_frame(data)
    return Received(decode(frame.payload), frame.timestamp)


def _lost(closed: ConnectionClosed) -> ConnectionLost:
    said = closed.rcvd
    if said is None:
        return ConnectionLost("the connection broke")
    reason = f" {said.reason}" if said.reason else ""
    return ConnectionLost(f"closed with {said.code}{reason}")


def _reason(fault: Exception) -> str:
    """Why, in the words of the system where it has some: asyncio's own name numbers and addresses."""
    if isinstance(fault, OSError) and not isinstance(fault, SSLError) and fault.errno is not None:
        return os.strerror(fault.errno) if fault.errno > 0 else fault.strerror or str(fault)
    return str(fault) or type(fault).__name__
