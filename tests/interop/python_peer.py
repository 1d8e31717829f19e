"""The published Python client, watched: what it hears is noted, and whether it still listens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from clasp.client import Clasp

PATIENCE_S = 60


class Watched(Clasp):
    """The client with a memory. Nothing that it sends or does is changed."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self.messages: list[dict[str, Any]] = []
        self.heard: list[tuple[str, Any]] = []
        self.faults: list[Exception] = []
        self._changed = asyncio.Event()
        self.on_error(self.faults.append)

    def _handle_message(self, message: dict[str, Any]) -> None:
        super()._handle_message(message)
        self.messages.append(message)
        self._changed.set()

    def listen(self, pattern: str, **options: Any) -> Callable[[], None]:
        """Subscribe, and note what is heard."""
        return self.subscribe(pattern, lambda value, address: self.heard.append((address, value)), **options)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is true that depends on what was heard."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def flush(self) -> None:
        """Wait until the router has handled all that was sent: a PING comes after it.

        SUBSCRIBE is sent by a task that it starts, which has its turn first.
        """
        await asyncio.sleep(0)
        pongs = self.count("PONG")
        await self._send({"type": "PING"})
        await self.until(lambda: self.count("PONG") > pongs)

    def count(self, kind: str) -> int:
        """How many messages of a type have come."""
        return sum(message["type"] == kind for message in self.messages)

    @property
    def is_listening(self) -> bool:
        """Its receive loop ends for ever on anything that it does not know."""
        return self._receive_task is not None and not self._receive_task.done()


@asynccontextmanager
async def python_client(url: str, **options: Any) -> AsyncIterator[Watched]:
    """Connect it; at the end it must still be listening, and have found nothing wrong."""
    client = Watched(url, **{"reconnect": False, **options})
    await client.connect()
    try:
        yield client
        assert client.is_listening
        assert client.faults == []
    finally:
        await client.close()
