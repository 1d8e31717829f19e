"""Packets become entries: in order, in groups, and again if it fails.

Laws: one packet is never in two appends; a group is all that has arrived, so that one commit serves many,
but it ends where a question stands, which need not wait for the rest; an idle journal commits a single packet
at once, and a busy one whatever somebody waits for: only what nobody waits for rests a moment, so that more
can join it. While somebody reads, small groups step aside for a moment (see `readers`). A packet stays here
until its commit succeeds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, Protocol

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import JournalError
from clasp_journal.journal import Journal
from clasp_journal.rules import Rules
from router.core.limits import KIB
from router.recording.feed import feed_count
from router.recording.feed_reading import FeedEntries
from router.recording.readers import Readers
from router.recording.vitals import Stopwatch, Vitals

GROUP_ENTRIES = 20_000
"""Entries of one commit, about: the packet that reaches it is the last."""
GATHER_S = 0.002
"""After a commit, what nobody waits for is left to gather for so long."""
ASIDE_BYTES = 64 * KIB
"""When so much waits to be committed, it does not step aside any more."""
RETRY_S = 1.0
WORKING_S = 0.25
"""How often a commit that takes longer than this is looked at."""

log = logging.getLogger(__name__)


class Reports(Protocol):
    """What the journal's side reports, to whoever runs it."""

    def committed(self, packet_number: int, first_seq: int, last_seq: int, synced: bool) -> None:
        """All packets up to this one are committed, and the group became the entries first to last."""

    def working(self) -> None:
        """A commit takes long, and has come further."""

    def trouble(self, reason: str) -> None:
        """Appending fails, and is tried again until it works; called once until then."""

    def recovered(self) -> None:
        """Appending works again."""

    def vital(self, vitals: Vitals) -> None:
        """The journal's figures have changed."""


def recorded(entries: Iterable[JournalEntry], rules: Rules) -> Iterator[JournalEntry]:
    """The entries that the rules let be recorded."""
    records = rules.records
    return (entry for entry in entries if records(entry.address))


class _Packet(NamedTuple):
    number: int
    data: bytes
    synced: bool
    entries: int


class _Turn(NamedTuple):
    """Something to be done between two packets."""

    job: Callable[[], Awaitable[int]]
    done: asyncio.Future[int]


class _Watch:
    """Looks now and then how far entries have been read, until it ends. Then nothing of it knows itself: what
    has been read is let go of at once."""

    def __init__(self, reports: Reports, read: FeedEntries) -> None:
        self._reports = reports
        self._read = read
        self._runs_before: int | None = None
        self._next = self._note()

    def end(self) -> None:
        """Look no more."""
        self._next.cancel()

    def _note(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(WORKING_S, self._look)

    def _look(self) -> None:
        if self._runs_before is not None and self._read.runs_read > self._runs_before:
            self._reports.working()
        self._runs_before = self._read.runs_read
        self._next = self._note()


class Committer:
    """Appends packets to a journal, and runs what has its place between two of them. It works while
    `run` runs."""

    def __init__(self, journal: Journal, reports: Reports, rules: Rules | None = None) -> None:
        """What a rule says is never to be recorded is not appended."""
        self.backlog_bytes = 0
        self.in_trouble = False
        self.stopwatch = Stopwatch()
        self.readers = Readers()
        self._journal = journal
        self._reports = reports
        self._rules = rules or Rules()
        self._waiting: deque[_Packet | _Turn] = deque()
        self._arrived = asyncio.Event()
        self._submitted = 0
        self._committed = 0
        self._asked_for = 0
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()
        self._last_commit_s = 0.0

    def submit(self, number: int, packet: bytes, *, synced: bool, awaited: bool) -> None:
        """Take the next packet."""
        if awaited:
            self._hurry.set()
        self._submitted = number
        self.backlog_bytes += len(packet)
        self._waiting.append(_Packet(number, packet, synced, feed_count(packet)))
        self._arrived.set()

    async def append_own(self, entry: JournalEntry) -> int:
        """Append an entry that no packet brings, behind everything that was submitted before."""
        return await self.take_turn(lambda: self._journal.append(entry))

    def take_turn(self, job: Callable[[], Awaitable[int]]) -> asyncio.Future[int]:
        """Run a job between the packets submitted before and those after; its errors are the caller's."""
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Turn(job, done))
        self._arrived.set()
        self._hurry.set()
        return done

    async def reach_now(self) -> None:
        """Return when everything submitted until now is committed, or as soon as there is trouble."""
        number = self._asked_for = self._submitted
        self._hurry.set()
        if self._committed < number:
            self.readers.hurry()
        while self._committed < number and not self.in_trouble:
            await self._changed.wait()

    async def drain(self) -> None:
        """Return when everything is committed, however long that takes."""
        self._hurry.set()
        while self._committed < self._submitted or self._waiting:
            await self._changed.wait()

    def next_change(self) -> asyncio.Event:
        """What is set at the next commit, or when trouble begins."""
        return self._changed

    async def run(self) -> None:
        """Commit what comes, again and again."""
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            if isinstance(self._waiting[0], _Turn):
                await self._give_turn(self._waiting[0])
                self._waiting.popleft()
            else:
                await self._gather()
                if self.backlog_bytes < ASIDE_BYTES and self._committed >= self._asked_for:
                    await self.readers.let_pass()
                await self._commit(self._next_group())
            self.wake()
            if self._committed == self._asked_for:
                # Let whoever asked for this begin to read before the next commit begins.
                await asyncio.sleep(0)

    async def _give_turn(self, turn: _Turn) -> None:
        try:
            result = await turn.job()
        except Exception as error:
            if not turn.done.cancelled():
                turn.done.set_exception(error)
            return
        if not turn.done.cancelled():
            turn.done.set_result(result)

    async def _gather(self) -> None:
        """Shortly after a commit, let more arrive, unless somebody waits for what is there."""
        rest_s = self._last_commit_s + GATHER_S - time.monotonic()
        if rest_s > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(rest_s):
                    await self._hurry.wait()

    def _next_group(self) -> list[_Packet]:
        group: list[_Packet] = []
        entries = 0
        while self._waiting and entries < GROUP_ENTRIES:
            packet = self._waiting[0]
            if isinstance(packet, _Turn):
                break
            self._waiting.popleft()
            entries += packet.entries
            group.append(packet)
            if packet.number == self._asked_for:
                break
        if not self._waiting:
            self._hurry.clear()
        return group

    async def _commit(self, group: list[_Packet]) -> None:
        synced = any(packet.synced for packet in group)
        first_seq, last_seq = await self._append_at_last(group, synced)
        self._last_commit_s = time.monotonic()
        self._committed = group[-1].number
        self.backlog_bytes -= sum(len(packet.data) for packet in group)
        self._reports.committed(self._committed, first_seq, last_seq, synced)

    async def _append_at_last(self, group: list[_Packet], synced: bool) -> tuple[int, int]:
        """Append, and if that fails, try the same again until it works."""
        while True:
            read = FeedEntries([packet.data for packet in group])
            try:
                began_s = time.perf_counter()
                first_seq = await self._journal.latest_seq() + 1
                entries = recorded(read, self._rules) if self._rules.leave_out else read
                with self._watched(read):
                    last_seq = await self._journal.append(entries, synced=synced)
            except Exception as error:
                self._note_trouble(error)
                await asyncio.sleep(RETRY_S)
            else:
                self.stopwatch.note(time.perf_counter() - began_s, synced=synced)
                if self.in_trouble:
                    self.in_trouble = False
                    self._reports.recovered()
                return first_seq, last_seq

    @contextmanager
    def _watched(self, read: FeedEntries) -> Iterator[None]:
        """Report now and then that what is being appended has come further."""
        watch = _Watch(self._reports, read)
        try:
            yield
        finally:
            watch.end()

    def _note_trouble(self, error: Exception) -> None:
        if self.in_trouble:
            return
        self.in_trouble = True
        if not isinstance(error, JournalError):
            log.error("the journal failed in a way that nobody foresaw", exc_info=error)
        self._reports.trouble(str(error) or type(error).__name__)
        self.wake()

    def wake(self) -> None:
        """Wake everybody who waits for a change, to look again."""
        self._changed.set()
        self._changed = asyncio.Event()
