"""The WebSocket door: a port, its connections, and one timer that looks after all of them.

Plain HTTP on the port (GET, HEAD, POST, OPTIONS) is answered by the host, from the moment the port is bound.
What becomes of a peer that

| does this | meets this fate |
|---|---|
| connects and says nothing, or stops inside the request head | dropped after `hello_timeout_s` |
| is one more of those than `handshakes` allows | dropped at once |
| is one more from its address than `connections_per_address` | dropped at once |
| names a Host or an Origin that the guard does not know | 403 with the reason, then closed |
| fails in its TLS handshake, or does not end it in `hello_timeout_s` | dropped |
| sends no HTTP or a bad head · another method · a head above 8 KiB | 400 · 405 · 431, then closed |
| offers compression | declined; a compressed frame all the same: close 1002 |
| sends text | ignored |
| sends a message in fragments | taken as one message |
| sends a message longer than `message_bytes`, in whatever pieces | close 1009 |
| breaks RFC 6455 | close 1002, or 1007 for a close reason that is no UTF-8 |
| sends nothing for `ping_after_s` | a ping; as long again without a byte: close 1011 |
| exchanges no message in either direction for `session_timeout_s` | close 1001 |
| does not read | beyond 64 KiB its link is blocked, then it is silent as above; pongs owed: one |
| is not read by us | excused from proving life while it takes what it gets |
| vanishes | its link is lost, at once if the socket says so, else as the silent one |
| closes | the close is echoed |
| does not answer our close, or does not take the last bytes | dropped after 2 s |

Time in which the router itself stood still is not counted.
"""

from __future__ import annotations

import asyncio

from router.core.limits import Limits
from router.runtime.door import Host
from router.transports.connection import Connection
from router.transports.guard import Guard
from router.transports.listening import Reception, bind
from router.transports.patience import PatientClock
from router.transports.roll import Guest, Roll
from router.transports.tls import Certificates

GOING_AWAY = 1001
CLOSE_TIMEOUT_S = 2.0
"""For a peer to answer a close, or to take the last bytes."""
BEATS_PER_LIMIT = 4
BEATS_AT_ONCE = 2
"""However late a sweep is, no more time has passed for those who are swept."""
SWEEP_SLICE = 500
"""Connections looked at in one turn of the loop, so that ten thousand of them delay nobody's message."""


class WebSocketDoor:
    """One listening port, on every address that the name it listens on has."""

    def __init__(
        self,
        close_timeout_s: float = CLOSE_TIMEOUT_S,
        *,
        guard: Guard | None = None,
        certificates: Certificates | None = None,
    ) -> None:
        self._close_timeout_s = close_timeout_s
        self._guard = guard or Guard()
        self._certificates = certificates
        self.listens_on: list[tuple[str, int]] = []
        """Every address, with its port."""
        self._reception: Reception | None = None
        self._beat: asyncio.TimerHandle | None = None

    async def open(self, host: Host, listen_host: str, port: int) -> int:
        """Bind and serve; returns the real port. `OSError` if the address is not to be had."""
        loop = asyncio.get_running_loop()
        self._host = host
        beat_s = self._beat_s(host.limits)
        clock = PatientClock(loop.time, BEATS_AT_ONCE * beat_s)
        self._roll = Roll(host.limits, self._close_timeout_s, host.refused, clock)
        listening = await bind(listen_host, port)
        self.listens_on = [one.getsockname()[:2] for one in listening]
        self._reception = Reception(
            self._roll,
            self._connection,
            certificates=self._certificates,
            timeout_s=host.limits.hello_timeout_s,
        )
        for one in listening:
            self._reception.begin(one)
        self._sweep(loop, beat_s)
        return self.listens_on[0][1]

    def _connection(self, handshake: Guest | None = None) -> Connection:
        return Connection(self._host, self._roll, self._guard, handshake)

    async def close(
        self,
        code: int = GOING_AWAY,
        reason: str = "router is shutting down",
        timeout_s: float = CLOSE_TIMEOUT_S,
    ) -> None:
        """Stop listening, close every connection and wait until all are gone; stragglers are dropped."""
        if self._beat is None:
            return
        if self._reception is not None:
            self._reception.end()
        self._roll.is_closed = True
        for connection in tuple(self._roll.half_open):
            connection.abort()
        for connection in tuple(self._roll.linked):
            connection.close(code, reason)
        if not await self._roll.until_empty(timeout_s):
            for connection in tuple(self._roll.linked):
                connection.abort()
            await self._roll.until_empty(timeout_s)
        self._beat.cancel()
        self._beat = None

    def _sweep(self, loop: asyncio.AbstractEventLoop, beat_s: float) -> None:
        self._beat = loop.call_later(beat_s, self._sweep, loop, beat_s)
        self._sweep_from(0, (*self._roll.half_open, *self._roll.linked), loop)

    def _sweep_from(self, start: int, guests: tuple[Guest, ...], loop: asyncio.AbstractEventLoop) -> None:
        end = start + SWEEP_SLICE
        now_s = self._roll.clock.read()
        for guest in guests[start:end]:
            guest.sweep(now_s)
        if end < len(guests):
            loop.call_soon(self._sweep_from, end, guests, loop)

    def _beat_s(self, limits: Limits) -> float:
        """How often to sweep, so that no limit is overrun by much."""
        limits_s = (
            self._close_timeout_s,
            limits.hello_timeout_s,
            limits.ping_after_s,
            limits.session_timeout_s,
        )
        return min(limit_s / BEATS_PER_LIMIT for limit_s in limits_s if limit_s)
