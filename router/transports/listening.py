"""Listening sockets, and how a socket that was accepted is brought to a protocol that reads plain bytes.

Laws: a name with several addresses has one port; with TLS a socket is counted as half-open before anything is
computed for it, so that handshakes under way are bounded in number and time, and each is shown the
certificate that is current when it comes; a handshake that fails is nobody's business but its own. Without
descriptors nobody is turned away: newcomers wait in the kernel until there are some, and that is told once.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from router.transports.remote import remote_of
from router.transports.roll import Roll
from router.transports.tls import Certificates

BACKLOG = 1_024
"""Connections the kernel holds ready for us; a burst of reconnecting clients should fit."""
PORTS_TRIED = 5
"""How often a port that is free on one address may be taken on another."""
ACCEPTED_AT_ONCE = 100
"""Connections taken before others have their turn."""
BREATH_S = 1.0
"""How long nothing is accepted after an accept that failed, for want of descriptors as a rule."""

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
        """Nothing to do: whoever speaks TLS measures the time of the handshake."""

    def close(self, code: int, reason: str) -> None:
        """Drop it: nothing can be said yet."""
        self.abort()

    def abort(self) -> None:
        """Drop it."""
        self.task.cancel()


class Reception:
    """Accepts sockets, has TLS spoken with them if there are certificates; then they are a protocol's."""

    def __init__(
        self,
        roll: Roll,
        protocol: Callable[[Handshake | None], asyncio.Protocol],
        *,
        certificates: Certificates | None,
        timeout_s: float,
    ) -> None:
        self._roll = roll
        self._protocol = protocol
        """Given the handshake whose place on the roll it takes, if there was one."""
        self._certificates = certificates
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._listening: list[socket.socket] = []
        self._greeting: set[asyncio.Task[None]] = set()
        self._is_failing = False

    def begin(self, listening: socket.socket) -> None:
        """Accept what comes to this socket."""
        self._listening.append(listening)
        self._loop.add_reader(listening, self._accept, listening)

    def end(self) -> None:
        """Accept no more. What is under way is on the roll, or finds it closed."""
        listening, self._listening = self._listening, []
        for one in listening:
            self._loop.remove_reader(one)
            one.close()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                accepted, _ = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._take_a_breath(listening, error)
                return
            if self._is_failing:
                self._is_failing = False
                log.info("connections are accepted again")
            accepted.setblocking(False)
            self._receive(accepted)

    def _take_a_breath(self, listening: socket.socket, error: OSError) -> None:
        """Who waits goes on waiting in the kernel: asking again at once would find nothing changed."""
        if not self._is_failing:
            self._is_failing = True
            log.error("no connection can be accepted: %s", error.strerror)
        self._loop.remove_reader(listening)
        self._loop.call_later(BREATH_S, self._go_on, listening)

    def _go_on(self, listening: socket.socket) -> None:
        if listening in self._listening:
            self._loop.add_reader(listening, self._accept, listening)

    def _receive(self, accepted: socket.socket) -> None:
        if self._certificates is None:
            self._start(self._greet(accepted))
            return
        handshake = Handshake()
        if self._roll.admit(handshake, remote_of(accepted).counted):
            handshake.task = self._start(self._shake_hands(self._certificates, accepted, handshake))
        else:
            accepted.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task, and hold on to it: the loop itself does not."""
        task = self._loop.create_task(work)
        self._greeting.add(task)
        task.add_done_callback(self._greeting.discard)
        return task

    async def _greet(self, accepted: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: self._protocol(None), accepted)
        except OSError as error:
            log.debug("a connection was gone before it began: %s", error)

    async def _shake_hands(
        self, certificates: Certificates, accepted: socket.socket, handshake: Handshake
    ) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._protocol(handshake),
                accepted,
                ssl=certificates.context,
                ssl_handshake_timeout=self._timeout_s,
                ssl_shutdown_timeout=self._roll.close_timeout_s,
            )
        except OSError as error:
            log.debug("a TLS handshake failed: %s", error)
            # The error knows the frames of those who waited, and they the error: a cycle would keep both.
            error.with_traceback(None)
        finally:
            self._roll.strike(handshake)
