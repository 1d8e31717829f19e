"""The journal's side of the router: commits, snapshots, and answers in their place.

Law: a request sees everything that was submitted before it, unless the journal is in trouble: then it sees
what there is. It does not matter where a clerk runs: beside the router or in a process of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from clasp_journal.entry import JournalEntry, ParamSnapshot
from clasp_journal.errors import JournalError
from clasp_journal.journal import Journal
from clasp_journal.restore import State
from clasp_journal.rules import Rules
from router.recording.committing import Committer, Reports
from router.recording.errands import Asker, Errands
from router.recording.gaps import Gaps
from router.recording.options import RetentionRules
from router.recording.pages import make_history, make_page
from router.recording.requests import WHOLE, HistoryRequest, KeepSnapshot, Page, PageRequest
from router.recording.restoring import restore
from router.recording.retaining import Retention
from router.recording.snapshots import Snapshots, take_snapshot
from router.recording.vitals import LOOK_S, look

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.0002
"""After a commit followers look one after the other: a thousand idle ones at once would stop the next one."""
READERS = 4
"""Requests that read at the same time."""

T = TypeVar("T")


class _Reports:
    """Passes reports on, and tells the part that takes snapshots what was appended."""

    def __init__(self, reports: Reports, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._reports = reports
        self.trouble = reports.trouble
        self.recovered = reports.recovered
        self.vital = reports.vital
        self.working = reports.working

    def committed(self, packet_number: int, first_seq: int, last_seq: int, synced: bool) -> None:
        self._snapshots.note(last_seq - first_seq + 1)
        self._reports.committed(packet_number, first_seq, last_seq, synced)


class Clerk:
    """Owns a journal and does its work, from `start` to `close`."""

    def __init__(
        self,
        journal: Journal,
        reports: Reports,
        *,
        snapshot_every_s: float = 30.0,
        retention: RetentionRules | None = None,
    ) -> None:
        self.journal = journal
        self._reports = reports
        self._snapshots = Snapshots(journal, snapshot_every_s)
        retention = retention or RetentionRules()
        self._rules = Rules(retention.rules)
        self._committer = Committer(journal, _Reports(reports, self._snapshots), self._rules)
        self._retention = Retention(journal, retention, self._committer.wake)
        self._snapshots.on_taken = self._retention.note_snapshot
        self._errands = Errands(self)
        self._gaps = Gaps(journal)
        self._reading = asyncio.Semaphore(READERS)
        self._tasks: list[asyncio.Task[None]] = []
        self._next_look_s = 0.0
        self._begun_after = 0
        """The last entry of the lives before."""

    @property
    def backlog_bytes(self) -> int:
        """The size of the packets that are not yet committed."""
        return self._committer.backlog_bytes

    async def restore(self, tell: Callable[[list[ParamSnapshot]], None]) -> State:
        """The state that the journal remembers; for `tell` see `restoring.restore`."""
        restored = await restore(self.journal, tell)
        self._snapshots.note_restored(restored)
        return restored.state

    async def start(self) -> None:
        """Begin to commit."""
        self._begun_after = await self.journal.latest_seq()
        self._tasks = [
            asyncio.create_task(self._watch()),
            asyncio.create_task(self._committer.run()),
            asyncio.create_task(self._snapshots.run()),
            asyncio.create_task(self._retention.run()),
        ]

    async def _watch(self) -> None:
        """Report the journal's figures whenever they have changed."""
        before = None
        while True:
            try:
                now = await look(self.journal, self._committer.stopwatch, self._snapshots.taken_us)
            except JournalError as error:
                # Whoever commits meets the same and tells it.
                log.debug("the journal does not tell how it is: %s", error)
            else:
                if now != before:
                    before = now
                    self._reports.vital(now)
            await asyncio.sleep(LOOK_S)

    def submit(self, number: int, packet: bytes, *, synced: bool, awaited: bool = True) -> None:
        """Take the next packet."""
        self._committer.submit(number, packet, synced=synced, awaited=awaited)

    async def close(self, *, with_snapshot: bool = True) -> None:
        """Commit what is left, however long that takes, then end everything."""
        await self._committer.drain()
        if with_snapshot:
            await self._snapshots.settle()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if with_snapshot:
            await self._snapshots.take_if_changed()
        await self.journal.close()

    async def page(self, request: PageRequest) -> Page:
        """A page of history; if it is to wait, as soon as there is something to tell."""
        await self._committer.reach_now()
        while True:
            grown = self._committer.next_change()
            page = await self._read(partial(make_page, self.journal, request, self._gaps))
            if page.entries or page.incomplete or not request.wait or request.limit == 0:
                return page
            await grown.wait()
            await asyncio.sleep(self._until_next_look())
            request = request.following(page)._replace(upto_seq=None)

    def _until_next_look(self) -> float:
        """How long a follower has to wait for its turn to see whether there is something for it."""
        now_s = time.monotonic()
        self._next_look_s = max(now_s, self._next_look_s + LOOK_EVERY_S)
        return self._next_look_s - now_s

    async def history(self, request: HistoryRequest) -> Page:
        """The past of a new subscription."""
        await self._committer.reach_now()
        return await self._read(partial(make_history, self.journal, request, self._begun_after))

    async def do(
        self, verb: str, encoded_arguments: bytes, author: str = "", within: tuple[str, ...] = WHOLE
    ) -> tuple[int, bytes]:
        """Carry out a JOURNAL_DO; returns the status and the encoded result."""
        await self._committer.reach_now()
        async with self._reading:
            return await self._errands.do(verb, encoded_arguments, Asker(author, within))

    def keep_snapshot(self, kept: KeepSnapshot) -> asyncio.Future[int]:
        """Keep a state that the router tells itself: the one after everything submitted before this call."""
        params = [param for param in kept.params if self._rules.records(param.address)]
        return self._committer.take_turn(
            lambda: self.journal.snapshot(params, revision_floor=kept.revision_floor)
        )

    # What the verbs need.

    async def append_own(self, entry: JournalEntry) -> int:
        """Append an entry of the journal's own kind in turn."""
        return await self._committer.append_own(entry)

    async def take_snapshot(self) -> int:
        """Take a snapshot now."""
        return await take_snapshot(self.journal)

    async def compact(self, before_seq: int, *, force: bool) -> int:
        """Remove old entries. It works in slices of its own, between commits."""
        return await self.journal.compact(before_seq, force=force)

    async def forget(self, author: str, *, by: str) -> int:
        """Remove what one author wrote. It works in slices of its own, between commits."""
        removed = await self.journal.forget(author, by=by)
        self._committer.wake()
        return removed

    async def _read(self, job: Callable[[], Awaitable[T]]) -> T:
        async with self._reading:
            with self._committer.readers.one_more():
                return await job()
