"""The journal in memory: a ring that remembers the newest entries of this process.

Laws: it never holds more than `capacity` entries nor more than `size_bytes`; whatever is too much goes,
oldest first, and `oldest_seq` tells; its numbers are never given again; it dies with the process, so each
one is an epoch of its own. An append happens in one step of the event loop: nobody sees half of it.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress

from clasp_journal.entry import JournalEntry, ParamSnapshot
from clasp_journal.errors import HistoryIncomplete, JournalClosed
from clasp_journal.forgetting import SETTLING, Forgotten, act_of, blank_of, check_author, is_by
from clasp_journal.journal import Journal, Results
from clasp_journal.restore import KeptSnapshot, Snapshot
from clasp_journal.ring import STEP_ENTRIES, Ring
from clasp_journal.selection import Selection
from clasp_journal.snapshot_thinning import NEWEST_KEPT, Taken, surplus

CAPACITY = 10_000
"""Entries kept when nobody says otherwise."""
SIZE_MAX_BYTES = 64 * 1024 * 1024
"""Bytes kept when nobody says otherwise: long values fill this before they fill the capacity."""

log = logging.getLogger(__name__)


class MemoryJournal(Journal):
    """The newest entries, in memory. See `Journal` for the promises; this one forgets the oldest."""

    def __init__(self, capacity: int = CAPACITY, size_bytes: int = SIZE_MAX_BYTES) -> None:
        if capacity < 1 or size_bytes < 1:
            raise ValueError("a ring holds at least one entry and one byte")
        self._ring = Ring(capacity, size_bytes)
        self._snapshots: dict[int, Snapshot] = {}
        self._lasting: set[int] = set()
        self._forgetting = asyncio.Lock()
        self._epoch = uuid.uuid4().hex
        self._grown = asyncio.Event()
        self._closed = False

    @property
    def epoch(self) -> str:
        return self._epoch

    async def append(self, entries: JournalEntry | Iterable[JournalEntry], *, synced: bool = False) -> int:
        """See `Journal.append`. Memory cannot outlive the process: `synced` changes nothing."""
        self._check_open("append")
        if isinstance(entries, JournalEntry):
            entries = (entries,)
        before = self._ring.latest
        self._ring.extend(entries)
        if self._ring.latest > before:
            self._wake()
        return self._ring.latest

    async def latest_seq(self) -> int:
        self._check_open("latest_seq")
        return self._ring.latest

    async def oldest_seq(self) -> int:
        self._check_open("oldest_seq")
        return self._ring.oldest

    async def gone_upto_us(self) -> int | None:
        """See `Journal.gone_upto_us`."""
        self._check_open("gone_upto_us")
        return self._ring.gone_upto_us

    async def len(self) -> int:
        self._check_open("len")
        return self._ring.latest + 1 - self._ring.oldest

    async def snapshot(
        self,
        params: Iterable[ParamSnapshot],
        at_seq: int | None = None,
        *,
        revision_floor: int = 0,
        lasting: bool = False,
    ) -> int:
        """See `Journal.snapshot`. Those from which eviction has cut off their tail are dropped, too."""
        self._check_open("snapshot")
        at = self._ring.latest if at_seq is None else at_seq
        if not 0 <= at <= self._ring.latest:
            raise ValueError(f"no state after entry {at}: the latest is {self._ring.latest}")
        if lasting:
            self._lasting.add(at)
        self._keep_snapshot(Snapshot(at, list(params), revision_floor, _now_us()))
        return at

    async def load_snapshot(self, at_seq: int | None = None) -> Snapshot | None:
        self._check_open("load_snapshot")
        known = [at for at in self._snapshots if at_seq is None or at <= at_seq]
        if not known:
            return None
        snapshot = self._snapshots[max(known)]
        return snapshot._replace(params=list(snapshot.params))

    async def compact(self, before_seq: int, *, force: bool = False) -> int:
        self._check_open("compact")
        before = min(before_seq, self._ring.latest + 1)
        if before <= self._ring.oldest:
            return 0
        base: Snapshot | None = None
        if force:
            log.warning("compacting before entry %d by force: no earlier state can be told", before)
            self._epoch = uuid.uuid4().hex
        else:
            base = await self._base_of(before)
        self._snapshots = {at: kept for at, kept in self._snapshots.items() if at >= before - 1}
        if base:
            self._keep_snapshot(base)
        removed = 0
        while (oldest := self._ring.oldest) < before:
            self._ring.drop_before(min(before, oldest + STEP_ENTRIES))
            removed += self._ring.oldest - oldest
            await asyncio.sleep(0)
        return removed

    async def _base_of(self, before_seq: int) -> Snapshot | None:
        """The state right before an entry; None where it was forgotten, and a later one is carried."""
        try:
            state = await self.state(before_seq - 1)
        except HistoryIncomplete:
            if any(at >= before_seq for at in self._lasting):
                return None
            raise
        return Snapshot(before_seq - 1, state.params(), state.revision_floor, _now_us())

    async def forget(self, author: str, *, by: str = "") -> int:
        """See `Journal.forget`. A state that eviction has made unknown stays unknown."""
        self._check_open("forget")
        check_author(author)
        async with self._forgetting:
            mine = Results(self, Selection(author=author))
            doomed = [entry async for entry in mine if is_by(entry, author)]
            if not doomed:
                return 0
            told = Forgotten(author, doomed[0].seq, doomed[-1].seq, len(doomed))
            before_act = await self.append(act_of(told, at_us=_now_us(), by=by)) - 1
            changes = [entry.seq for entry in doomed if entry.kind in SETTLING]
            if changes:
                await self._carry_state(changes[0], before_act)
            self._ring.replace({entry.seq: blank_of(entry) for entry in doomed})
        return len(doomed)

    async def _carry_state(self, first_change_seq: int, at_seq: int) -> None:
        """Keep a state that entries will no longer tell, and none of those before it."""
        with suppress(HistoryIncomplete):
            state = await self.state(at_seq)
            await self.snapshot(state.params(), at_seq, revision_floor=state.revision_floor, lasting=True)
        for at in [at for at in self._snapshots if first_change_seq <= at < at_seq]:
            del self._snapshots[at]

    async def close(self) -> None:
        self._closed = True
        self._ring.drop_before(self._ring.latest + 1)
        self._snapshots.clear()
        self._wake()

    async def page(
        self, selection: Selection, after_seq: int, upto_seq: int, limit: int
    ) -> list[JournalEntry]:
        found: list[JournalEntry] = []
        at = after_seq
        while at < upto_seq and len(found) < limit:
            self._check_open("query")
            more, at = self._ring.step(selection, at, upto_seq, limit - len(found))
            found += more
            await asyncio.sleep(0)
        return found

    async def nth_newest(self, selection: Selection, n: int, *, after_seq: int, upto_seq: int) -> int:
        at = upto_seq + 1
        while n > 0 and at > after_seq + 1:
            self._check_open("query")
            found, at = self._ring.step(selection, after_seq, at - 1, n, newest_first=True)
            n -= len(found)
            await asyncio.sleep(0)
        return at if n <= 0 else after_seq + 1

    async def wait_beyond(self, seq: int) -> int:
        self._check_open("wait_beyond")
        while self._ring.latest <= seq:
            await self._grown.wait()
            self._check_open("wait_beyond")
        return self._ring.latest

    async def snapshots(self) -> list[KeptSnapshot]:
        self._check_open("snapshots")
        kept = sorted(self._snapshots.items())
        return [KeptSnapshot(at, snapshot.taken, len(snapshot.params)) for at, snapshot in kept]

    def _keep_snapshot(self, snapshot: Snapshot) -> None:
        snapshots = self._snapshots
        snapshots[snapshot.at_seq] = snapshot
        for at in [at for at in sorted(snapshots)[:-NEWEST_KEPT] if at < self._ring.oldest - 1]:
            del snapshots[at]
        for at in surplus(Taken(at, kept.taken) for at, kept in snapshots.items()):
            if at not in self._lasting:
                del snapshots[at]
        self._lasting &= snapshots.keys()

    def _wake(self) -> None:
        """Let everyone who waits look again; whoever waits from now on waits for the next append."""
        self._grown.set()
        self._grown = asyncio.Event()

    def _check_open(self, operation: str) -> None:
        if self._closed:
            raise JournalClosed("the journal in memory was closed", operation=operation)


def _now_us() -> int:
    return time.time_ns() // 1_000
