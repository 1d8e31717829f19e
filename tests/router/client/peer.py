"""A router that says what a test tells it to: a real socket, with a script behind it.

What a healthy router does is tested against the real one. This is for what a real one does only in trouble,
or never.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from router.wire.codec import decode, encode
from router.wire.frame import decode_frame, encode_frame
from router.wire.masks import FEATURES_OF_ROUTERS, Feature
from router.wire.messages import Hello, Message, Ping, Pong, Snapshot, Welcome

Asked = TypeVar("Asked", bound=Message)

FEATURES = int(FEATURES_OF_ROUTERS | Feature.JOURNAL)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something has become true."""
    while not condition():  # noqa: ASYNC110 the condition is the program's own, it has no event
        await asyncio.sleep(0)


class Line:
    """The router's end of one connection."""

    def __init__(self, socket: ServerConnection, number: int) -> None:
        self._socket = socket
        self.number = number
        self.qos = 0
        """Of the message heard last."""

    async def hear(self, kind: type[Asked]) -> Asked:
        """The next message, which has to be of this kind."""
        frame = decode_frame(await self._socket.recv())
        self.qos = frame.qos
        message = decode(frame.payload)
        assert isinstance(message, kind), f"{message} instead of {kind.__name__}"
        return message

    async def say(self, *messages: Message, timestamp: int | None = None) -> None:
        """Send messages."""
        for message in messages:
            await self._socket.send(encode_frame(encode(message), timestamp=timestamp))

    async def say_bytes(self, data: bytes | str) -> None:
        """Send what may be no message at all."""
        await self._socket.send(data)

    async def welcome(self, *params) -> Hello:
        """The usual beginning of a session, up to the client's first fence."""
        hello = await self.hear(Hello)
        await self.say(Welcome(1_000_000, f"session-{self.number}", "stand-in", features=FEATURES))
        await self.say(Snapshot(list(params)))
        return hello

    async def pass_fence(self) -> None:
        """Answer the PING that comes next."""
        await self.hear(Ping)
        await self.say(Pong())

    async def begin(self, *params) -> None:
        """The whole beginning of a session without subscriptions."""
        await self.welcome(*params)
        await self.pass_fence()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection."""
        await self._socket.close(code, reason)

    async def stay(self) -> None:
        """Say nothing more until the client goes."""
        await self._socket.wait_closed()


Script = Callable[[Line], Awaitable[None]]


@asynccontextmanager
async def scripted_router(*scripts: Script) -> AsyncIterator[str]:
    """Serve one script per connection, the last one again and again; gives the URL.

    What fails in a script fails the test.
    """
    faults: list[BaseException] = []
    count = 0

    async def serve_one(socket: ServerConnection) -> None:
        nonlocal count
        count += 1
        line = Line(socket, count)
        try:
            await scripts[min(count, len(scripts)) - 1](line)
        except ConnectionClosed:
            pass
        except BaseException as fault:
            faults.append(fault)
            raise

    async with serve(serve_one, "127.0.0.1", 0, subprotocols=["clasp"], compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(20):
            yield f"ws://127.0.0.1:{port}"
    if faults:
        raise faults[0]
