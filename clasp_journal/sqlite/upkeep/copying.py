"""Copies of a journal: all of it, or all of it up to one entry.

Laws: the copy appears under its name when it is whole and on the disk, never before, and never in place of
another file; the journal that is copied is read in short slices, so that a router that writes it meanwhile
is not held up; what is copied is what was committed when the copy began. A copy that will be written to
begins a new epoch then: readers of the first journal may have seen entries that the copy does not have.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from urllib.parse import quote

from clasp_journal.errors import HistoryIncomplete
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.birth import migrate
from clasp_journal.sqlite.extent import Extent, read_head
from clasp_journal.sqlite.fresh import fresh_file
from clasp_journal.sqlite.meta import Meta, new_epoch
from clasp_journal.sqlite.snapshots import Header, read_headers
from clasp_journal.sqlite.transactions import writing
from clasp_journal.sqlite.worker import Worker

COPIED_AT_ONCE = 10_000
"""Rows per slice."""
_ELSEWHERE = "another machine"
"""Where the last writer of a backup was: so the next one begins a new epoch."""

OnProgress = Callable[[int, int], None]
"""Told how many entries of how many are there."""


class Copied(NamedTuple):
    """What is in the copy."""

    oldest_seq: int
    latest_seq: int
    snapshots: int
    size_bytes: int


class Copying:
    """One copy of a journal, up to an entry."""

    def __init__(self, source: Worker, upto_seq: int, on_progress: OnProgress | None) -> None:
        self._source = source
        self._upto_seq = upto_seq
        self._on_progress = on_progress
        self._oldest_seq = 0
        self._snapshots: set[int] = set()

    async def run(self, source_path: str, target: str, *, same_epoch: bool) -> Copied:
        """Make the copy under its name."""
        with fresh_file(target) as unfinished:
            worker = await Worker.start(unfinished, "rwc")
            try:
                await worker.run(partial(self._begin, source_path=source_path), "copy")
                meta = await self._fill(worker)
                await worker.run(partial(self._finish, meta=meta, same_epoch=same_epoch), "copy")
            finally:
                await worker.close()
            size_bytes = (await asyncio.to_thread(os.stat, unfinished)).st_size
        return Copied(self._oldest_seq, self._upto_seq, len(self._snapshots), size_bytes)

    async def _fill(self, worker: Worker) -> Meta:
        """Copy everything; again from where the journal then begins if it is compacted meanwhile."""
        meta, extent = await self._extent()
        self._oldest_seq = extent.oldest_seq
        await self._copy_entries(worker)
        while True:
            await self._copy_snapshots(worker)
            meta, extent = await self._extent()
            has_base = self._oldest_seq == 1 or self._oldest_seq - 1 in self._snapshots
            if has_base or extent.oldest_seq == self._oldest_seq:
                return meta
            await worker.run(partial(_trim, oldest_seq=extent.oldest_seq), "copy")
            self._oldest_seq = extent.oldest_seq

    async def _extent(self) -> tuple[Meta, Extent]:
        meta, extent = await self._source.run(read_head, "copy")
        if extent.oldest_seq > self._upto_seq + 1:
            reason = f"the entries up to {self._upto_seq} are gone; it begins with {extent.oldest_seq}"
            raise HistoryIncomplete(reason, operation="copy")
        return meta, extent

    async def _copy_entries(self, worker: Worker) -> None:
        after_seq = self._oldest_seq - 1
        while after_seq < self._upto_seq:
            upto_seq = min(after_seq + COPIED_AT_ONCE, self._upto_seq)
            copied = await worker.run(partial(_copy_slice, after_seq=after_seq, upto_seq=upto_seq), "copy")
            if copied == upto_seq - after_seq:
                after_seq = upto_seq
            else:
                _, extent = await self._extent()
                await worker.run(partial(_trim, oldest_seq=upto_seq + 1), "copy")
                self._oldest_seq = max(extent.oldest_seq, self._oldest_seq)
                after_seq = self._oldest_seq - 1
            if self._on_progress is not None:
                self._on_progress(after_seq - self._oldest_seq + 1, self._upto_seq - self._oldest_seq + 1)

    async def _copy_snapshots(self, worker: Worker) -> None:
        for header in await self._source.run(read_headers, "copy"):
            fits = self._oldest_seq - 1 <= header.at_seq <= self._upto_seq
            if header.complete and fits and header.at_seq not in self._snapshots:
                position = 0
                while position < header.params:
                    slice_ = partial(_copy_params, header=header, position=position)
                    position += await worker.run(slice_, "copy") or header.params
                if await worker.run(partial(_complete, header=header), "copy"):
                    self._snapshots.add(header.at_seq)

    def _begin(self, db: sqlite3.Connection, source_path: str) -> None:
        """An empty journal, beside the one that is copied. Nothing of it counts before all of it is there."""
        db.execute(schema.AUTO_VACUUM)
        for setting in schema.COPY_SETTINGS:
            db.execute(setting)
        migrate(db, 0)
        db.execute(schema.ATTACH_SOURCE, (f"file:{quote(source_path)}?mode=ro",))
        # Compaction may drop those that entries copied before it still need.
        db.execute(schema.COPY_CLOCK_STEPS, (self._upto_seq + 1,))

    def _finish(self, db: sqlite3.Connection, meta: Meta, same_epoch: bool) -> None:
        finished = meta._replace(latest_seq=self._upto_seq, oldest_seq=self._oldest_seq)
        if same_epoch:
            finished = finished._replace(clean=0, boot_id=_ELSEWHERE)
        else:
            finished = finished._replace(epoch=new_epoch(), clean=1, lineage="")
        with writing(db):
            for statement in schema.COPY_NAMES:
                db.execute(statement)
            db.execute(schema.COPY_CLOCK_STEPS, (self._upto_seq + 1,))
            finished.write(db)
        db.execute(schema.DETACH_SOURCE)


def _copy_slice(db: sqlite3.Connection, after_seq: int, upto_seq: int) -> int:
    """Copy the entries in a span; return how many there were."""
    with writing(db):
        return db.execute(schema.COPY_ENTRIES, (after_seq, upto_seq)).rowcount


def _trim(db: sqlite3.Connection, oldest_seq: int) -> None:
    with writing(db):
        db.execute(schema.DELETE_ENTRIES, (oldest_seq,))


def _copy_params(db: sqlite3.Connection, header: Header, position: int) -> int:
    """Copy some params of a snapshot; 0 if it was thinned out."""
    with writing(db):
        bounds = (header.snapshot_id, position, position + COPIED_AT_ONCE)
        return db.execute(schema.COPY_PARAMS, bounds).rowcount


def _complete(db: sqlite3.Connection, header: Header) -> bool:
    """Let a copied snapshot count, or leave no trace of one that was thinned out meanwhile."""
    with writing(db):
        if db.execute(schema.COPY_SNAPSHOT, (header.snapshot_id,)).rowcount:
            return True
        db.execute(schema.DELETE_ALL_PARAMS, (header.snapshot_id,))
    return False
