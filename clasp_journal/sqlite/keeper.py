"""Snapshots of an open journal: written between appends, found again, thinned out."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterable
from functools import partial

from clasp_journal.entry import ParamSnapshot
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.restore import Snapshot, State
from clasp_journal.sqlite.changes import Changes
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.folding import Folding
from clasp_journal.sqlite.snapshots import (
    Header,
    SnapshotReading,
    SnapshotWriting,
    let_last,
    read_headers,
    remove_slice,
    superfluous,
)
from clasp_journal.sqlite.storage import Storage

log = logging.getLogger("clasp_journal")


class SnapshotKeeper:
    """What a journal does with snapshots. Whoever writes holds the journal's upkeep lock."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def write(
        self, params: Iterable[ParamSnapshot], at_seq: int, revision_floor: int, *, lasting: bool = False
    ) -> None:
        """Write a snapshot of this state."""
        writer = self._storage.writer
        head = Snapshot(at_seq, [], revision_floor, time.time_ns() // 1000)
        writing = SnapshotWriting(writer.entries.catalog, params, head)
        await writer.worker.run(writing.begin, "snapshot")
        while await writer.worker.run(writing.write_slice, "snapshot"):
            pass
        await writer.worker.run(partial(writing.complete, lasting=lasting), "snapshot")
        await writer.worker.run(lambda _: writer.entries.changes.forget_upto(at_seq), "snapshot")

    async def load(self, at_seq: int | None = None) -> Snapshot | None:
        """The newest intact snapshot, of all or at or before an entry."""
        reader = self._storage.reader
        known_damaged: set[int] = set()
        while True:
            header = _newest(await reader.run(read_headers, "load snapshot"), at_seq, known_damaged)
            if header is None:
                return None
            snapshot = SnapshotReading(self._storage.catalog, header)
            while not await reader.run(snapshot.advance, "load snapshot"):
                pass
            if snapshot.is_gone:
                continue
            if not snapshot.is_damaged:
                return snapshot.snapshot()
            known_damaged.add(header.snapshot_id)
            log.error(
                "the snapshot at entry %s of %s is damaged; the one before is used",
                header.at_seq,
                self._storage.path,
            )

    async def take(self) -> int:
        """Write a snapshot of the end of the log, computed from the log itself; return that number."""
        writer = self._storage.writer

        def end_of_log(_: sqlite3.Connection) -> tuple[int, Changes]:
            return writer.entries.latest_seq, writer.entries.changes.copy()

        latest_seq, changes = await writer.worker.run(end_of_log, "snapshot")
        base = await self.load(latest_seq)
        if base is not None and base.at_seq == latest_seq:
            return latest_seq
        state = await self._fold(base, latest_seq, changes)
        await self.write(state.params(), latest_seq, state.revision_floor)
        await self.thin()
        return latest_seq

    async def take_at(self, at_seq: int, *, lasting: bool = False) -> None:
        """Write a snapshot of the state after an entry in the middle of the log, unless there is one."""
        base = await self.load(at_seq)
        if base is None or base.at_seq != at_seq:
            state = await self._fold(base, at_seq, None, rests=True)
            await self.write(state.params(), at_seq, state.revision_floor, lasting=lasting)
        elif lasting:
            await self._storage.writer.worker.run(partial(let_last, at_seq=at_seq), "snapshot")

    async def carries_beyond(self, seq: int) -> bool:
        """Whether a state behind an entry is carried by a snapshot, as no entries can tell it."""
        headers = await self._storage.reader.run(read_headers, "snapshot")
        return any(header.is_lasting and header.at_seq > seq for header in headers)

    async def remove_between(self, first_seq: int, end_seq: int) -> None:
        """Remove the snapshots from one number on up to right before another."""
        headers = await self._storage.writer.worker.run(read_headers, "snapshot")
        await self._remove(h.snapshot_id for h in headers if first_seq <= h.at_seq < end_seq)

    async def thin(self) -> None:
        """Remove those that nobody needs: torn, written again, too many, or before entries that are gone.

        So the base is always the oldest that the entries still there can be added to.
        """
        oldest_seq = (await self._storage.extent()).oldest_seq
        headers = await self._storage.writer.worker.run(read_headers, "snapshot")
        stale = [header for header in headers if header.at_seq < oldest_seq - 1]
        await self._remove(header.snapshot_id for header in stale)
        await self._remove(superfluous([header for header in headers if header not in stale]))

    async def _remove(self, snapshot_ids: Iterable[int]) -> None:
        for snapshot_id in snapshot_ids:
            removal = partial(remove_slice, snapshot_id=snapshot_id)
            while await self._storage.writer.worker.run(removal, "remove snapshot"):
                pass

    async def _fold(
        self, base: Snapshot | None, at_seq: int, changes: Changes | None, *, rests: bool = False
    ) -> State:
        base_seq = base.at_seq if base else 0
        oldest_seq = (await self._storage.extent()).oldest_seq
        if base_seq < at_seq and base_seq + 1 < oldest_seq:
            raise HistoryIncomplete(
                f"entries {base_seq + 1} to {oldest_seq - 1} are gone",
                path=self._storage.path,
                operation="snapshot",
            )
        state = State(base.params, base.revision_floor) if base else State()
        folding = Folding(self._storage.reader, self._storage.catalog, state, rests=rests)
        span = Span(base_seq, at_seq)
        await folding.apply(span, changes)
        if state.forgotten_seq:
            raise HistoryIncomplete(
                f"entry {state.forgotten_seq} was forgotten", path=self._storage.path, operation="snapshot"
            )
        return state


def _newest(headers: list[Header], at_seq: int | None, damaged: set[int]) -> Header | None:
    for header in headers:
        is_early_enough = at_seq is None or header.at_seq <= at_seq
        if header.complete and is_early_enough and header.snapshot_id not in damaged:
            return header
    return None
