"""The WebSocket door: a port, its connections, and one timer that looks after all of them.

Plain HTTP on the port (GET, HEAD, POST, OPTIONS) is answered by the host, from the moment the port is bound.
What becomes of a peer that

| does this | meets this fate |
|---|---|
| connects and says nothing, or stops inside the request head | dropped after `hello_timeout_s` |
| is one more of those than `handshakes` allows | dropped at once |
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
"""

from __future__ import annotations

import asyncio
from ssl import SSLContext

from router.core.limits import Limits
from router.runtime.door import Host
from router.transports.connection import Connection
from router.transports.roll import Guest, Roll

GOING_AWAY = 1001
CLOSE_TIMEOUT_S = 2.0
"""For a peer to answer a close, or to take the last bytes."""
BACKLOG = 1_024
"""Connections the kernel holds ready for us; a burst of reconnecting clients should fit."""
BEATS_PER_LIMIT = 4
SWEEP_SLICE = 500
"""Connections looked at in one turn of the loop, so that ten thousand of them delay nobody's message."""


class WebSocketDoor:
    """One listening port.

    With TLS a connection is seen here only after the TLS handshake, which has the same time limit.
    """

    def __init__(self, close_timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        self._close_timeout_s = close_timeout_s
        self._server: asyncio.Server | None = None
        self._beat: asyncio.TimerHandle | None = None

    async def open(self, host: Host, listen_host: str, port: int, ssl: SSLContext | None = None) -> int:
        """Bind and serve; returns the real port. `OSError` if the address is not to be had."""
        loop = asyncio.get_running_loop()
        roll = Roll(host.limits.handshakes, self._close_timeout_s)
        self._server = await loop.create_server(
            lambda: Connection(host, roll),
            listen_host,
            port,
            ssl=ssl,
            backlog=BACKLOG,
            ssl_handshake_timeout=host.limits.hello_timeout_s if ssl else None,
            ssl_shutdown_timeout=self._close_timeout_s if ssl else None,
        )
        self._roll = roll
        self._sweep(loop, self._beat_s(host.limits))
        real_port: int = self._server.sockets[0].getsockname()[1]
        return real_port

    async def close(
        self,
        code: int = GOING_AWAY,
        reason: str = "router is shutting down",
        timeout_s: float = CLOSE_TIMEOUT_S,
    ) -> None:
        """Stop listening, close every connection and wait until all are gone; stragglers are dropped."""
        if self._server is None or self._beat is None:
            return
        self._server.close()
        self._server = None
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

    def _sweep(self, loop: asyncio.AbstractEventLoop, beat_s: float) -> None:
        self._beat = loop.call_later(beat_s, self._sweep, loop, beat_s)
        self._sweep_from(0, (*self._roll.half_open, *self._roll.linked), loop)

    def _sweep_from(self, start: int, guests: tuple[Guest, ...], loop: asyncio.AbstractEventLoop) -> None:
        end = start + SWEEP_SLICE
        now_s = loop.time()
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
