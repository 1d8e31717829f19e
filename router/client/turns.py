"""One request at a time for every text that an answer can name.

ACK and ERROR say which address they are about, not which request. With two requests about one address on
their way, an ERROR could be about either; so the second waits until the first is answered. Requests about
different addresses do not wait for each other.

Law: turns are given in the order in which they were asked for, and a cancelled wait costs nobody a turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable


class Turns:
    """Who may ask about which text now. Bounded by whoever bounds the requests."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}

    async def take(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Wait for the turn of all these keys, and return them once each."""
        ordered = tuple(sorted({*keys}))
        taken: list[str] = []
        try:
            for key in ordered:
                await self._take_one(key)
                taken.append(key)
        except asyncio.CancelledError:
            self.give_back(taken)
            raise
        return ordered

    async def _take_one(self, key: str) -> None:
        queue = self._queues.get(key)
        if queue is None:
            self._queues[key] = deque()
            return
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give_back((key,))
            raise

    def give_back(self, keys: Iterable[str]) -> None:
        """Let the next in line have these keys."""
        for key in keys:
            queue = self._queues[key]
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    break
            else:
                del self._queues[key]
