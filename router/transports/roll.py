"""Who is connected at a door, how far their handshakes are, and how many come from which address."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Protocol

from router.core.limits import Limits
from router.transports.patience import PatientClock


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

    def __init__(
        self, limits: Limits, close_timeout_s: float, refused: Counter[str], clock: PatientClock
    ) -> None:
        """Who finds no room is counted in `refused`, by the limit that was reached."""
        self.close_timeout_s = close_timeout_s
        self.clock = clock
        """By which deadlines are set and swept."""
        self._refused = refused
        self.half_open: set[Guest] = set()
        self.linked: set[Guest] = set()
        self.is_closed = False
        self._limits = limits
        self._addresses: dict[Guest, str] = {}
        self._counts: Counter[str] = Counter()
        self._emptied = asyncio.Event()
        self._emptied.set()

    def admit(self, guest: Guest, address: str | None) -> bool:
        """Take a newcomer in, if there is room for one more, and from this address (None is not counted)."""
        if self.is_closed:
            return False
        if len(self.half_open) >= self._limits.handshakes:
            self._refused["handshakes"] += 1
            return False
        allowed = self._limits.connections_per_address
        if address is not None and allowed:
            if self._counts[address] >= allowed:
                self._refused["connections_per_address"] += 1
                return False
            self._counts[address] += 1
            self._addresses[guest] = address
        self.half_open.add(guest)
        self._emptied.clear()
        return True

    def link(self, guest: Guest) -> None:
        """A guest's handshake is done: it is half-open no longer."""
        self.half_open.discard(guest)
        self.linked.add(guest)

    def strike(self, guest: Guest) -> None:
        """A guest is gone: strike it from the roll."""
        self.half_open.discard(guest)
        self.linked.discard(guest)
        address = self._addresses.pop(guest, None)
        if address is not None:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]
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
