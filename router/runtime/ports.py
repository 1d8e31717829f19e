"""The core's ports, as the desk has them: each call goes straight to the part that carries it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from router.core.session import Session
from router.runtime.exchange import Exchange
from router.runtime.keeping import Keeping
from router.runtime.replays import Replays
from router.wire.messages import JournalDo, Replay, Subscribe

Close = Callable[[Session, int, str], None]
"""Called with a session whose connection is to end, a WebSocket close code, and the reason."""


class DeskPorts:
    """See `router.core.ports.Ports`. The frequent calls are bound here once, without a step between."""

    def __init__(self, exchange: Exchange, keeping: Keeping, replays: Replays | None, close: Close) -> None:
        self._replays = replays
        self.reply = exchange.reply
        self.stream = exchange.stream
        self.acknowledge = exchange.acknowledge
        self.deliver = exchange.deliver
        self.record = keeping.recording()
        self.record_entry = keeping.record_entry
        self.close = close

    def replay(self, session: Session, request: Replay, qos: int) -> None:
        """Send history to one session."""
        if self._replays is not None:
            self._replays.replay(session, request, qos)

    def backfill(self, session: Session, request: Subscribe, snapshot: Iterator[bytes], now: int) -> None:
        """Send the past of a new subscription, then its snapshot."""
        if self._replays is not None:
            self._replays.backfill(session, request, snapshot, now)

    def cancel_replay(self, session: Session, request_id: int) -> None:
        """End a replay."""
        if self._replays is not None:
            self._replays.cancel(session, request_id)

    def journal_do(self, session: Session, request: JournalDo) -> None:
        """Have the journal do what a tool asks."""
        if self._replays is not None:
            self._replays.journal_do(session, request)
