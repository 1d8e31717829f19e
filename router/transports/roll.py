"""Who is connected at a door, and since how far."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Guest(Protocol):
    """What a door does with a connection, whatever its state."""

    def sweep(self, now_s: float) -> None:
        """Look after deadlines."""

    def close(self, code: int, reason: str) -> None:
        """Say goodbye."""

    def abort(self) -> None:
        """Drop it."""


class Roll:
    """Who is connected at a door. Half-open is who has no link yet."""

    def __init__(self, half_open_max: int, close_timeout_s: float) -> None:
        self.close_timeout_s = close_timeout_s
        self.half_open: set[Guest] = set()
        self.linked: set[Guest] = set()
        self.is_closed = False
        self._half_open_max = half_open_max
        self._emptied = asyncio.Event()
        self._emptied.set()

    def admit(self, guest: Guest) -> bool:
        """Take a newcomer in, if there is room."""
        if self.is_closed or len(self.half_open) >= self._half_open_max:
            return False
        self.half_open.add(guest)
        self._emptied.clear()
        return True

    def link(self, guest: Guest) -> None:
        """Its handshake is done."""
        self.half_open.discard(guest)
        self.linked.add(guest)

    def strike(self, guest: Guest) -> None:
        """It is gone."""
        self.half_open.discard(guest)
        self.linked.discard(guest)
        if not self.half_open and not self.linked:
            self._emptied.set()

    async def until_empty(self, timeout_s: float) -> bool:
        """Wait for everybody to go; whether they did."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._emptied.wait()
        except TimeoutError:
            return False
        return True
