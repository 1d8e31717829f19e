"""A session on asyncio's streams, for peers of which many live in one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.speech.clasp import FENCE, UPGRADE, framed
from router.wire.messages import Hello, Message

READ_BYTES = 1 << 16

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Streams]:
    """A connection without a word; in the end it is broken off, not closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


@asynccontextmanager
async def joined(port: int, *wishes: Message) -> AsyncIterator[Streams]:
    """A session that has said these messages."""
    async with connected(port) as (reader, writer):
        writer.write(UPGRADE.say)
        await hear(reader, UPGRADE.hear)
        await say(reader, writer, *map(framed, (Hello("a peer of many"), *wishes)))
        yield reader, writer


async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *frames: bytes) -> None:
    """Send frames, and wait until they were handled."""
    writer.write(b"".join(frames) + FENCE.say)
    await asyncio.gather(writer.drain(), hear(reader, FENCE.hear))


async def hear(reader: asyncio.StreamReader, wanted: bytes) -> None:
    """Read up to these bytes, which are the last that are to come."""
    seen = b""
    while wanted not in seen:
        data = await reader.read(READ_BYTES)
        if not data:
            raise EOFError("the router hung up")
        seen = seen[-len(wanted) :] + data
