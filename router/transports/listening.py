"""Listening sockets, and how a socket that was accepted is brought to a protocol that reads plain bytes.

Laws: a name with several addresses has one port; with TLS a socket is counted as half-open before anything is
computed for it, so that handshakes under way are bounded in number and time, and each is shown the
certificate that is current when it comes; a handshake that fails is nobody's business but its own.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

from router.transports.remote import remote_of
from router.transports.roll import Roll
from router.transports.tls import Certificates

BACKLOG = 1_024
"""Connections the kernel holds ready for us; a burst of reconnecting clients should fit."""
PORTS_TRIED = 5
"""How often a port that is free on one address may be taken on another."""
BREATH_S = 1.0
"""After an accept that failed, for want of descriptors as a rule."""

log = logging.getLogger("router.door")


async def bind(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of a host, without one on all there are; port 0 takes one that is free on
    each of them."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    places = list(dict.fromkeys((int(family), address) for family, _, _, _, address in found))
    for attempt in range(PORTS_TRIED):
        try:
            return _bind_all(places, port)
        except OSError:
            if port or len(places) == 1 or attempt == PORTS_TRIED - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def _bind_all(places: list[tuple[int, Any]], port: int) -> list[socket.socket]:
    listening: list[socket.socket] = []
    try:
        for family, (host, _, *scope) in places:
            listening.append(socket.create_server((host, port, *scope), family=family, backlog=BACKLOG))
            listening[-1].setblocking(False)
            port = listening[-1].getsockname()[1]
    except OSError:
        for one in listening:
            one.close()
        raise
    return listening


class Handshake:
    """A guest of whom nothing is known but that TLS is being spoken with it."""

    task: asyncio.Task[None]

    def sweep(self, now_s: float) -> None:
        """Its time is measured by whoever speaks TLS."""

    def close(self, code: int, reason: str) -> None:
        """Nothing can be said yet."""
        self.abort()

    def abort(self) -> None:
        """Drop it."""
        self.task.cancel()


class TlsReception:
    """Accepts sockets, and has TLS spoken with them; then they are a protocol's."""

    def __init__(
        self,
        certificates: Certificates,
        roll: Roll,
        timeout_s: float,
        protocol: Callable[[Handshake], asyncio.Protocol],
    ) -> None:
        self._certificates = certificates
        self._roll = roll
        self._timeout_s = timeout_s
        self._protocol = protocol
        """Given the handshake whose place on the roll it takes."""
        self._loop = asyncio.get_running_loop()
        self._accepting: list[asyncio.Task[None]] = []

    def begin(self, listening: socket.socket) -> None:
        """Accept what comes to this socket."""
        self._accepting.append(self._loop.create_task(self._accept(listening)))

    def end(self) -> None:
        """Accept no more. What is under way is on the roll."""
        for task in self._accepting:
            task.cancel()

    async def _accept(self, listening: socket.socket) -> None:
        with listening:
            while True:
                try:
                    accepted, _ = await self._loop.sock_accept(listening)
                except OSError as error:
                    log.error("no connection can be accepted: %s", error.strerror)
                    await asyncio.sleep(BREATH_S)
                    continue
                self._receive(accepted)
                # Accepting may succeed at once, again and again; others have their turn.
                await asyncio.sleep(0)

    def _receive(self, accepted: socket.socket) -> None:
        handshake = Handshake()
        if self._roll.admit(handshake, remote_of(accepted).counted):
            handshake.task = self._loop.create_task(self._shake_hands(accepted, handshake))
        else:
            accepted.close()

    async def _shake_hands(self, accepted: socket.socket, handshake: Handshake) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._protocol(handshake),
                accepted,
                ssl=self._certificates.context,
                ssl_handshake_timeout=self._timeout_s,
                ssl_shutdown_timeout=self._roll.close_timeout_s,
            )
        except OSError as error:
            log.debug("a TLS handshake failed: %s", error)
        finally:
            self._roll.strike(handshake)
