"""An arena for one scenario: servers that are started for it, doors into them, and a generator to send with.

Law: everything that was started is stopped at the end, whatever happened.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import click

from bench.load.generator import Generator
from bench.measure import Options
from bench.servers.cores import JOURNAL_CORE, SERVER_CORE
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


class Arena:
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

    def peers(self) -> list[Door]:
        """The doors of every peer that is installed, if peers are wanted."""
        return [door for peer in self._installed() for door in self._enter(peer.doors, peer.server())]

    def quick_peers(self) -> list[Door]:
        """The same, for loads that slow ones would not come back from; publishers at QoS 0 only."""
        quick = (peer for peer in self._installed() if not peer.slow)
        doors = [door for peer in quick for door in self._enter(peer.doors, peer.server())]
        return [door for door in doors if "qos 1" not in door.speech]

    def keeping_peers(self) -> list[Door]:
        """The doors where messages are kept; like our router, these servers get the journal's core, too."""
        doors = []
        for peer in self._installed():
            if peer.keeping_doors:
                server = replace(peer.server(), cores=(SERVER_CORE, JOURNAL_CORE))
                doors += self._enter(peer.keeping_doors, server)
        return doors

    def _installed(self) -> list[Peer]:
        return [peer for peer in PEERS if peer.found()] if self.options.peers else []

    def _enter(self, doors: tuple[tuple[str, int, str], ...], server: Server) -> list[Door]:
        self._stack.enter_context(server)
        return [Door(label, server.ports[port], speech, server) for label, port, speech in doors]


def elsewhere(url: str) -> Door:
    """The door of a router that somebody else started."""
    parts = urlsplit(url)
    if parts.scheme != "ws" or not parts.hostname:
        raise click.UsageError(f"{url!r} is no ws://HOST:PORT")
    return Door(url, parts.port or PLAIN_PORT, host=parts.hostname)
