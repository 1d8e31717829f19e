"""The desk's side of one connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Protocol

from router.core.answers import packed_error
from router.core.limits import Limits
from router.core.router import Core
from router.core.session import Session
from router.runtime.door import Peer, Pipe
from router.runtime.exchange import Exchange
from router.runtime.outbox import Outbox
from router.wire.codes import ErrorCode

log = logging.getLogger("router.desk")


class Owner(Protocol):
    """What a link needs of its desk."""

    core: Core
    exchange: Exchange
    limits: Limits
    now_us: int
    """The time at which what is being handled happened."""

    def clock(self) -> int:
        """What time it is."""

    def begin_tick(self) -> int:
        """Something is about to happen, at the time that is returned."""

    def give_up_soon(self, link: Link) -> None:
        """A session cannot take its events: tell it and close, when this turn of the loop is over."""

    def lost(self, link: Link) -> None:
        """A connection is gone."""


class Link:
    """What a door holds of the desk for one connection; see `router.runtime.door.Link`."""

    __slots__ = (
        "_core",
        "_desk",
        "_is_hopeless",
        "outbox",
        "patience",
        "peer",
        "session",
        "since_us",
        "traffic",
    )

    session: Session

    def __init__(self, desk: Owner, pipe: Pipe, peer: Peer) -> None:
        self.peer = peer
        self.traffic = pipe.traffic
        self.since_us = desk.clock()
        self._desk = desk
        self._core = desk.core
        self._is_hopeless = False
        self.patience: asyncio.TimerHandle | None = None
        """What ends the wait for its HELLO."""
        self.outbox = Outbox(pipe, desk.limits.outbox_bytes, self._give_up)

    def receive(self, frames: Iterator[bytes]) -> None:
        """Binary messages of the peer. One that cannot be handled costs none of the others."""
        try:
            self._core.receive(self.session, frames, self._desk.now_us)
        except Exception:
            self._answer_failure()
            for frame in frames:
                self._receive_alone(frame)

    def _receive_alone(self, frame: bytes) -> None:
        try:
            self._core.receive(self.session, iter((frame,)), self._desk.now_us)
        except Exception:
            self._answer_failure()

    def _answer_failure(self) -> None:
        log.exception("a message of session %s could not be handled", self.session.id)
        answer = packed_error(ErrorCode.INTERNAL, "the router failed to handle this message")
        self._desk.exchange.reply(self.session, answer)

    def stamp(self) -> None:
        """Bytes have arrived now."""
        self._desk.begin_tick()

    def block(self) -> None:
        """The peer does not take what is written."""
        self.outbox.block()

    def unblock(self) -> None:
        """The peer takes bytes again."""
        self.outbox.unblock()
        self._desk.exchange.pull(self.outbox)

    def lost(self) -> None:
        """The connection is gone."""
        self._desk.lost(self)

    def part(self) -> None:
        """Let go of everything that knows this link."""
        if self.patience is not None:
            self.patience.cancel()
        self.outbox.lose()

    def _give_up(self) -> None:
        """Too much waits that must not be dropped."""
        if not self._is_hopeless:
            self._is_hopeless = True
            self._desk.give_up_soon(self)
