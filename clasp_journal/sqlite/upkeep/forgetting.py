"""Forgetting an author in a file: first the act is written, then all that it says is carried out.

Laws: a marker says, on the disk and before the act is there, that acts may have to be carried out; whoever
opens the file to write does that. So an interruption leaves everything as it was, or is made up for. The
state that entries will no longer tell is kept before the first of them becomes a blank. Blanks are written in
slices, between which there is room for appends; what they replace is overwritten in the file. Views that were
kept go as a whole, since their sums cannot be taken apart; they are built anew when they are asked for.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from clasp_journal.entry import EntryKind
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.forgetting import HARMLESS, SETTLING, Forgotten, act_of, blank, check_author, told_by
from clasp_journal.selection import FORGOTTEN
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.finder import Search
from clasp_journal.sqlite.keeper import SnapshotKeeper
from clasp_journal.sqlite.meta import NOTHING_TO_FORGET
from clasp_journal.sqlite.new_names import NewNames
from clasp_journal.sqlite.rows import Row, extra_of
from clasp_journal.sqlite.slicing import Slices
from clasp_journal.sqlite.storage import Storage
from clasp_journal.sqlite.transactions import reading, writing
from clasp_journal.sqlite.upkeep.blanks import blank_cells, overwriting, write_blanks
from clasp_journal.sqlite.view_tables import drop_views

COUNTED_AT_ONCE = 200_000
READ_AT_ONCE = 1_000

log = logging.getLogger("clasp_journal")


class Share(NamedTuple):
    """What one author wrote in a part of the log."""

    entries: int = 0
    first_seq: int = 0
    last_seq: int = 0
    first_change_seq: int = 0
    """The first SET or EXPIRE; 0 if there is none."""


class Forgetting:
    """The forgetting of authors in an open journal. Whoever uses it holds the journal's upkeep lock."""

    def __init__(self, storage: Storage, keeper: SnapshotKeeper) -> None:
        self._storage = storage
        self._writer = storage.writer
        self._keeper = keeper

    async def run(self, author: str, by: str, on_progress: Callable[[int], None] | None = None) -> int:
        """Forget an author; return how many entries there were. `on_progress` is told what was looked at."""
        check_author(author)
        oldest_seq, latest_seq = await self._storage.extent()
        share = await self._share_of(author, Span(oldest_seq - 1, latest_seq))
        if not share.entries:
            return 0
        told = Forgotten(author, share.first_seq, share.last_seq, share.entries)
        act = act_of(told, at_us=time.time_ns() // 1_000, by=by)
        await self._writer.change_meta(forgetting_after=latest_seq)
        await self._writer.append([act], synced=True)
        await self.resume(on_progress)
        return share.entries

    async def resume(self, on_progress: Callable[[int], None] | None = None) -> None:
        """Carry out every act that may not have been, and take the marker away."""
        after_seq = self._writer.meta.forgetting_after
        if after_seq == NOTHING_TO_FORGET:
            return
        for act_seq, told in await self._acts_after(after_seq):
            await self._carry_out(told, act_seq, on_progress)
        await self._writer.change_meta(forgetting_after=NOTHING_TO_FORGET)

    async def _acts_after(self, seq: int) -> list[tuple[int, Forgotten]]:
        acts: list[tuple[int, Forgotten]] = []
        upto_seq = self._writer.entries.latest_seq
        while seq < upto_seq:
            search = Search(self._storage.catalog, FORGOTTEN, Span(seq, upto_seq), READ_AT_ONCE)
            while not await self._storage.reader.run(search.advance, "forget"):
                pass
            acts += [(entry.seq, told) for entry in search.found if (told := told_by(entry))]
            seq = search.last_found_seq if len(search.found) == READ_AT_ONCE else upto_seq
        return acts

    async def _carry_out(
        self, told: Forgotten, act_seq: int, on_progress: Callable[[int], None] | None
    ) -> None:
        oldest_seq = (await self._storage.extent()).oldest_seq
        span = Span(max(told.first_seq, oldest_seq) - 1, min(told.last_seq, act_seq - 1))
        share = await self._share_of(told.author, span)
        async with overwriting(self._writer.worker):
            if share.first_change_seq:
                await self._carry_state(share.first_change_seq, act_seq - 1)
            await self._write_blanks(told.author, span, on_progress)
            await self._writer.worker.run(drop_views, "forget")
        await self._writer.worker.run(lambda db: db.execute(schema.CHECKPOINT).fetchall(), "forget")

    async def _carry_state(self, first_change_seq: int, at_seq: int) -> None:
        """Keep a state that entries will no longer tell, and none of those before it."""
        try:
            await self._keeper.take_at(at_seq, lasting=True)
        except HistoryIncomplete as gone:
            log.warning("%s: the state before forgetting cannot be told: %s", self._storage.path, gone.reason)
        entries = self._writer.entries
        await self._writer.worker.run(lambda _: entries.changes.forget_upto(at_seq), "forget")
        await self._keeper.remove_between(first_change_seq, at_seq)

    async def _write_blanks(self, author: str, span: Span, on_progress: Callable[[int], None] | None) -> None:
        slices, after_seq = Slices(), span.after_seq
        while after_seq < span.upto_seq:
            part = Span(after_seq, min(after_seq + slices.entries, span.upto_seq))
            slices.begin()
            catalog = self._writer.entries.catalog
            await self._writer.worker.run(
                partial(_blank_slice, catalog=catalog, author=author, span=part), "forget"
            )
            slices.end()
            after_seq = part.upto_seq
            if on_progress is not None:
                on_progress(part.upto_seq - part.after_seq)

    async def _share_of(self, author: str, span: Span) -> Share:
        share = Share()
        for after_seq in range(span.after_seq, span.upto_seq, COUNTED_AT_ONCE):
            part = Span(after_seq, min(after_seq + COUNTED_AT_ONCE, span.upto_seq))
            job = partial(share_of, catalog=self._storage.catalog, author=author, span=part)
            share = _together(share, await self._storage.reader.run(job, "forget"))
        return share


def share_of(db: sqlite3.Connection, catalog: Catalog, author: str, span: Span) -> Share:
    """What an author has, and is not forgotten, in a span."""
    with reading(db):
        catalog.refresh(db)
        ids = json.dumps(catalog.match_authors(author))
        row = db.execute(schema.COUNT_OF_AUTHORS, (*span, ids)).fetchone()
    return Share(*(number or 0 for number in row))


def _together(before: Share, after: Share) -> Share:
    return Share(
        before.entries + after.entries,
        before.first_seq or after.first_seq,
        after.last_seq or before.last_seq,
        before.first_change_seq or after.first_change_seq,
    )


def _blank_slice(db: sqlite3.Connection, catalog: Catalog, author: str, span: Span) -> None:
    """Replace the author's entries in a span; each is checked before it is believed to be one."""
    ids = json.dumps(catalog.match_authors(author))
    names = NewNames(catalog)
    nobody = names.address_id(""), names.author_id("", None)
    with writing(db):
        narrowed = (*span, None, ids, None, None, None, None)
        rows = db.execute(schema.scan(rest=True), narrowed).fetchall()
        write_blanks(db, [_blank_cells(row, nobody) for row in rows if row[2] != EntryKind.FORGET])
        names.insert(db)
        if catalog.recency is not None:
            catalog.recency.loosen(nobody[0])
    names.adopt()


def _blank_cells(row: Row, nobody: tuple[int, int]) -> Row:
    seq, timestamp, kind = row[:3]
    stands = blank(seq, timestamp)
    extra = extra_of(stands if kind in SETTLING else stands._replace(details=HARMLESS))
    return blank_cells(row, EntryKind.FORGET, nobody, extra)
