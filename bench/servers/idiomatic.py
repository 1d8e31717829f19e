"""The relay that anyone would write first: `websockets`, `async for`, `await send`, `broadcast`.

It takes SETs and PUBLISHes apart by slices, speaks as much CLASP besides as the load generator needs, counts
revisions, and remembers nothing else. Prints its port.
"""

import asyncio
import logging

from websockets.asyncio.server import ServerConnection, broadcast, serve

from router.wire.codec import encode
from router.wire.frame import encode_frame
from router.wire.messages import MessageType, Pong, Snapshot, Welcome

WELCOME = encode_frame(encode(Welcome(0, "relay", "relay")))
SNAPSHOT = encode_frame(encode(Snapshot()))
PONG = encode_frame(encode(Pong()))

readers: dict[ServerConnection, bytes] = {}
"""Who has subscribed, and to what: what an address begins with."""
revisions: dict[bytes, int] = {}


def those_who_want(named: bytes) -> set[ServerConnection]:
    """The readers of an address, which comes with its length in front."""
    return {peer for peer, prefix in readers.items() if named.startswith(prefix, 2)}


async def relay(peer: ServerConnection) -> None:
    """Serve one connection."""
    try:
        async for data in peer:
            assert isinstance(data, bytes)
            kind = data[4]
            if kind == MessageType.SET:
                named = data[6 : 8 + int.from_bytes(data[6:8])]
                number = revisions[named] = revisions.get(named, 0) + 1
                revision = number.to_bytes(8)
                size = (len(data) + 4).to_bytes(2)
                broadcast(
                    those_who_want(named),
                    b"S\x41" + size + b"\x21" + bytes((data[5] | 0x80,)) + data[6:] + revision,
                )
                size = (len(named) + 10).to_bytes(2)
                await peer.send(b"S\x01" + size + b"\x50\x03" + named + revision)
            elif kind == MessageType.PUBLISH:
                named = data[6 : 8 + int.from_bytes(data[6:8])]
                broadcast(those_who_want(named) - {peer}, data)
            elif kind == MessageType.HELLO:
                await peer.send(WELCOME)
                await peer.send(SNAPSHOT)
            elif kind == MessageType.SUBSCRIBE:
                pattern = data[9 : 11 + int.from_bytes(data[9:11])]
                readers[peer] = pattern[2:].removesuffix(b"**")
            elif kind == MessageType.PING:
                await peer.send(PONG)
    finally:
        readers.pop(peer, None)


async def main() -> None:
    """Listen on any free port until killed."""
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    async with serve(relay, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        uvloop.run(main())
