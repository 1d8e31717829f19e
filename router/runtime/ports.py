"""The core's ports, as the desk has them: each call goes straight to the part that carries it out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from router.core.session import Session
from router.wire.messages import JournalDo, Replay, Subscribe

if TYPE_CHECKING:
    from router.runtime.desk import Desk


class DeskPorts:
    """See `router.core.ports.Ports`. The frequent calls are bound here once, without a step between."""

    def __init__(self, desk: Desk) -> None:
        exchange = desk.exchange
        self._desk = desk
        self.reply = exchange.reply
        self.stream = exchange.stream
        self.acknowledge = exchange.acknowledge
        self.deliver = exchange.deliver
        self.record = desk.keeping.recording()
        self.record_entry = desk.keeping.record_entry
        self.close = desk.close

    def replay(self, session: Session, request: Replay, qos: int) -> None:
        """History for one session."""
        if self._desk.replays is not None:
            self._desk.replays.replay(session, request, qos)

    def backfill(self, session: Session, request: Subscribe, snapshot: Iterator[bytes]) -> None:
        """The past of a new subscription."""
        if self._desk.replays is not None:
            self._desk.replays.backfill(session, request, snapshot)

    def cancel_replay(self, session: Session, request_id: int) -> None:
        """End a replay."""
        if self._desk.replays is not None:
            self._desk.replays.cancel(session, request_id)

    def journal_do(self, session: Session, request: JournalDo) -> None:
        """A tool's request."""
        if self._desk.replays is not None:
            self._desk.replays.journal_do(session, request)
