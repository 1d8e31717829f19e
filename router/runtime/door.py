"""What a door and the desk promise each other.

A *door* (a transport) turns bytes of a connection into frames and back; the *desk* is the router without
doors. The door calls the host and the link, the desk calls the pipe; neither knows the other's class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from router.core.limits import Limits


class Peer(NamedTuple):
    """Who is at the other end, as far as the door can tell."""

    address: str
    """For the log: host and port."""
    is_loopback: bool
    origin: str | None = None

    @property
    def host(self) -> str:
        """The address without the port."""
        return self.address.rpartition(":")[0]


class Pipe(Protocol):
    """The writing side of one connection, made by a door.

    No call raises, also when the connection is closing or gone: then it does nothing.
    """

    def write(self, packed: bytes) -> None:
        """Send bytes that consist of whole packed messages. May call `Link.block` before it returns."""

    def pause_reading(self) -> None:
        """Stop taking bytes from the peer, so that it is made to wait."""

    def resume_reading(self) -> None:
        """Take bytes again."""

    def close(self, code: int, reason: str) -> None:
        """Send what was written and then a close frame; the peer has a few seconds to answer."""

    def abort(self) -> None:
        """Drop the connection now, with all that waits in it."""

    def traffic(self) -> tuple[int, int]:
        """How many bytes have come and gone so far."""


class Link(Protocol):
    """The desk's side of one connection."""

    def receive(self, frames: Iterator[bytes]) -> None:
        """Binary messages of the peer, in order; each is dealt with before the next is drawn. The door ends
        them when the pipe is told to pause or to close. Never raises for anything that a peer can send."""

    def stamp(self) -> None:
        """Bytes have arrived: what is received until the next call happened now."""

    def block(self) -> None:
        """The peer does not take what is written; hold it back."""

    def unblock(self) -> None:
        """The peer takes bytes again."""

    def lost(self) -> None:
        """The connection is gone. Called exactly once, last."""


class Request(NamedTuple):
    """A plain HTTP request, as far as it matters."""

    method: str
    path: str
    """Without its query."""
    bearer: str | None = None
    """The token that it shows."""
    host: str = ""
    """Where it comes from."""
    is_loopback: bool = False

    def __repr__(self) -> str:
        """Without what may be a secret: the token, and a path that nobody knows."""
        return f"Request({self.method} from {self.host})"


class Answer(NamedTuple):
    """What a plain HTTP request gets."""

    status: int
    content_type: str
    body: bytes


Page = Callable[[Request], Answer]
"""What answers plain requests for one path."""


class Host(Protocol):
    """The desk as a door sees it."""

    limits: Limits
    refused: Counter[str]
    """The door counts here whom it does not let in, by reason."""

    def connect(self, pipe: Pipe, peer: Peer) -> Link:
        """A connection has finished its handshake. The pipe may be told to pause or close at once."""

    def answer_http(self, request: Request) -> Answer:
        """The answer to a request without upgrade: a probe, health, metrics."""
