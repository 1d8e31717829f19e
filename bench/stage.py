"""A stage for one scenario: servers that are started for it, doors into them, and a generator to send with.

Law: everything that was started is stopped at the end, whatever happened.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from bench.load.generator import Generator
from bench.measure import Options
from bench.servers.ours import clasp_router, idiomatic_relay
from bench.servers.peers import PEERS, Peer
from bench.servers.server import Server


@dataclass(frozen=True, slots=True)
class Door:
    """One way into a server."""

    label: str
    port: int
    speech: str = ""
    """What is spoken there; empty: CLASP, in the form that a case asks for."""
    server: Server | None = None
    """None: it was started by somebody else, and nothing is known of its process."""
    host: str = "127.0.0.1"


PLAIN_PORT = 80


class Stage:
    """A context manager that starts servers when they are asked for."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.generator = self._stack.enter_context(Generator())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def start(self, server: Server) -> Door:
        """Start one server with one door where CLASP is spoken."""
        self._stack.enter_context(server)
        return Door(server.name, server.port, server=server)

    def relay(self) -> Door:
        """The idiomatic relay."""
        return self.start(idiomatic_relay())

    def routers(self, *journals: str) -> list[Door]:
        """Our router with each of these journals; with a URL, the one that is there."""
        if self.options.url:
            return [elsewhere(self.options.url)]
        return [self.start(clasp_router(journal)) for journal in journals]

    def peers(self, *, keeping: bool = False) -> list[Door]:
        """The doors of every peer that is installed, if peers are wanted."""
        doors: list[Door] = []
        for peer in PEERS if self.options.peers else ():
            choice = peer.keeping_doors if keeping else peer.doors
            if choice:
                doors += self._doors_of(peer, choice)
        return doors

    def _doors_of(self, peer: Peer, choice: tuple[tuple[str, int, str], ...]) -> list[Door]:
        program = peer.found()
        if program is None:
            return []
        server = self._stack.enter_context(peer.server(program))
        return [Door(label, server.ports[port], speech, server) for label, port, speech in choice]


def elsewhere(url: str) -> Door:
    """The door of a router that somebody else started."""
    parts = urlsplit(url)
    if parts.scheme != "ws" or not parts.hostname:
        raise ValueError(f"{url!r} is no ws://HOST:PORT")
    return Door(url, parts.port or PLAIN_PORT, host=parts.hostname)
