"""What is owed to the journal and for it: entries to be kept, and ACKs that wait until they are.

Laws: a tick is one packet, so that a bundle is whole or not at all; an ACK leaves when everything that was
recorded up to it is committed, in the order of requests; what waits is bounded, because those who write are
not read while it is full. When the journal cannot write, the operator's policy decides; when it does not even
answer, that is told, and everybody waits who has to.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry
from router.core.session import Session
from router.recording.feed import Feed
from router.recording.options import OnJournalError
from router.recording.recorder import Recorder
from router.runtime.outbox import Outbox
from router.runtime.silence import Silence

log = logging.getLogger("router.journal")

Ack = tuple[Outbox, bytes]
Record = Callable[[Session, Sequence[bytes], int], None]
"""Called with who, the packed messages, and when."""


class Keeping:
    """The router's side of the journal."""

    def __init__(self, recorder: Recorder | None, limit_bytes: int, policy: OnJournalError) -> None:
        self.recorder = recorder
        self.policy = policy
        self.trouble: str | None = None
        """Why the journal cannot write; None while it can."""
        self.silence = Silence(lambda: (self._committed, self._steps) if self.owes else None)
        """Whether it leaves everything unanswered, without an error."""
        self._steps = 0
        """How often a commit that takes long has come further."""
        self.is_missing = False
        """Whether writes are applied without being recorded."""
        self.demands_sync = False
        """Whether this tick has to survive the loss of power before it is acknowledged."""
        self.release: Callable[[Iterable[Ack]], None] = _ignore
        """Called with ACKs that may leave now."""
        self.on_change: Callable[[], None] = _nothing
        """Called when trouble begins or ends, and when there is room again."""
        self.on_full: Callable[[Iterable[int]], None] = _ignore_writers
        """Called with the numbers of sessions that wrote although there was no room."""
        self._feed = Feed()
        self._limit_bytes = limit_bytes
        self._owed: deque[tuple[int, list[Ack]]] = deque()
        self._submitted = 0
        self._committed = 0
        self._missed = 0
        self._missed_from = 0
        self._progress: asyncio.Future[None] | None = None
        if recorder is not None:
            recorder.on_committed = self._on_committed
            recorder.on_trouble = self._on_trouble
            recorder.on_recovered = self._on_recovered
            recorder.on_working = self._on_working

    @property
    def unready_reason(self) -> str | None:
        """Why nothing should be entrusted to the journal now; None if it works."""
        return self.silence.reason if self.trouble is None else f"the journal cannot write: {self.trouble}"

    @property
    def is_accepting(self) -> bool:
        """Whether writes may be applied."""
        return self.trouble is None or self.policy is OnJournalError.SERVE

    @property
    def is_full(self) -> bool:
        """Whether those who write have to wait."""
        return self.recorder is not None and self.recorder.backlog_bytes > self._limit_bytes

    @property
    def has_room(self) -> bool:
        """Whether those who waited may go on."""
        return self.recorder is None or self.recorder.backlog_bytes <= self._limit_bytes // 2

    def recording(self) -> Record:
        """What is to be called with every SET and PUBLISH, until the next `on_change`."""
        if self.recorder is None:
            return _keep_nothing
        return self._miss if self.is_missing else self._feed.add

    def record_entry(self, entry: JournalEntry) -> None:
        """Keep an entry of the journal's own kind."""
        if self.is_missing:
            self._count_missed(entry.timestamp, 1)
        elif self.recorder is not None:
            self._feed.add_entry(entry)

    def hand_over(self, acks: list[Ack]) -> list[Ack]:
        """End of the tick: submit its entries. The ACKs that need not wait come back."""
        if self.recorder is None:
            return acks
        packet = self._feed.take()
        if packet is not None:
            self._submitted = self.recorder.submit(packet, synced=self.demands_sync, awaited=bool(acks))
            if self.trouble is None:
                self.silence.watch()
            if self.is_full:
                self.on_full(self._feed.writers)
        self.demands_sync = False
        if self._submitted <= self._committed:
            return acks
        if acks:
            self._owed.append((self._submitted, acks))
        return []

    @property
    def owes(self) -> bool:
        """Whether something submitted is not committed yet."""
        return self._submitted > self._committed

    async def progress(self) -> None:
        """Wait until the journal reports something."""
        if self._progress is None:
            self._progress = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._progress)

    def record_gap(self, now: int) -> None:
        """Say in the journal what is missing from it."""
        details = values.encode({"from": self._missed_from, "to": now, "count": self._missed})
        self._missed = 0
        self._feed.add_entry(JournalEntry(now, "", "", EntryKind.GAP, details=details))

    @property
    def missed(self) -> int:
        """How many entries were applied and not recorded."""
        return self._missed

    def _miss(self, session: Session, messages: Sequence[bytes], now: int) -> None:
        self._count_missed(now, len(messages))

    def _count_missed(self, now: int, count: int) -> None:
        if not self._missed:
            self._missed_from = now
        self._missed += count

    def _on_committed(self, packet_number: int, last_seq: int, synced: bool) -> None:
        self._committed = packet_number
        owed = self._owed
        while owed and owed[0][0] <= packet_number:
            self.release(owed.popleft()[1])
        if self.has_room:
            self.on_change()
        self._report()

    def _on_trouble(self, reason: str) -> None:
        log.error("the journal cannot write: %s", reason)
        self.trouble = reason
        self.silence.stop()
        self.is_missing = self.policy is OnJournalError.SERVE
        self.on_change()
        self._report()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress.set_result(None)
            self._progress = None

    def _on_working(self) -> None:
        self._steps += 1

    def _on_recovered(self) -> None:
        log.info("the journal can write again")
        self.trouble = None
        self.silence.watch()
        self.is_missing = False
        self.on_change()


def _ignore(acks: Iterable[Ack]) -> None:
    pass


def _ignore_writers(numbers: Iterable[int]) -> None:
    pass


def _keep_nothing(session: Session, messages: Sequence[bytes], now: int) -> None:
    pass


def _nothing() -> None:
    pass
