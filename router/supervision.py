"""What the daemon tells the program that started it, in systemd's notify protocol: ready, alive, ending.

Laws: without a supervisor nothing happens; one that has gone or does not listen never harms the router. The
sign of life is given by the loop itself, so a router that no longer turns gives none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping

_US_PER_S = 1_000_000


class Supervisor:
    """Whoever wants to know how the daemon is. Made from the environment that it was started in."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._path = environment.get("NOTIFY_SOCKET", "")
        self._every_s = _watchdog_s(environment) / 2
        self._next: asyncio.TimerHandle | None = None

    def ready(self, status: str) -> None:
        """Clients are let in. From now on signs of life follow, if they were asked for."""
        self._tell("READY=1", f"STATUS={status}")
        if self._every_s:
            self._live()

    def ending(self) -> None:
        """It was told to end, and is about to write what is left."""
        if self._next is not None:
            self._next.cancel()
        self._tell("STOPPING=1", "STATUS=writing what was accepted")

    def _live(self) -> None:
        self._tell("WATCHDOG=1")
        self._next = asyncio.get_running_loop().call_later(self._every_s, self._live)

    def _tell(self, *lines: str) -> None:
        if not self._path:
            return
        # An abstract socket has a zero byte where its written name has an @.
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.setblocking(False)
            door.sendto("\n".join(lines).encode(), address)


def _watchdog_s(environment: Mapping[str, str]) -> float:
    """How long it may be silent; 0 when nobody listens for it, or for another process."""
    meant_for = environment.get("WATCHDOG_PID", "")
    span_us = environment.get("WATCHDOG_USEC", "")
    if not span_us.isdecimal() or (meant_for and meant_for != str(os.getpid())):
        return 0.0
    return int(span_us) / _US_PER_S
