"""A view whose rows live in the journal's own file.

Laws: what it has seen and what its rows say are committed together, so whatever ends the process leaves both
as they were after some entry; a replay from the start is one transaction, catching up is one for every few
thousand entries, so that appends of the same process get their turn. Who reads sees one or the other, never
half of it. Rows are derived: damaged ones are built anew.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial
from typing import NamedTuple

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import JournalCorrupt
from clasp_journal.journal import Journal
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.extent import Extent, read_extent
from clasp_journal.sqlite.meta import Meta
from clasp_journal.sqlite.rows import entry_of
from clasp_journal.sqlite.storage import Storage
from clasp_journal.sqlite.transactions import reading, writing
from clasp_journal.sqlite.trouble import is_damage
from clasp_journal.sqlite.view_tables import KeptTable, reached_of, write_reached
from clasp_journal.sqlite.writing_end import WritingEnd
from clasp_journal.views.driving import OnProgress, Start, anew_since, following, is_forgetting, start_of
from clasp_journal.views.tables import Key, Row
from clasp_journal.views.view import Reached, TableView

CAUGHT_UP_AT_ONCE = 10_000
"""Entries for which catching up keeps appends waiting."""
READ_AT_ONCE = 1_000
CHANGES_MAX = 20_000
"""Changed rows that are held before they are written, within the transaction."""

log = logging.getLogger("clasp_journal")


class _BeginAnew(Exception):
    """An author was forgotten: what the rows know of him has to go."""


class _Abandoned(Exception):
    """The caller who waited for it was cancelled."""


class Hands(NamedTuple):
    """What a journal lends to its views."""

    journal: Journal
    opened: Callable[[], Awaitable[Storage]]
    upkeep: asyncio.Lock


class StoredView:
    """Made by `SqliteJournal.stored`; `replay` and `catch_up` of `clasp_journal.views` drive it.

    The view itself is told entries on the thread that writes, and is of no use to anybody else meanwhile.
    """

    def __init__(self, view: TableView, hands: Hands) -> None:
        self._view = view
        self._hands = hands
        self._kept = [KeptTable(table) for table in view.tables]
        for table in view.tables:
            if table.name != view.name and not table.name.startswith(f"{view.name}_"):
                raise ValueError(f"the table {table.name} is not named like its view {view.name}")

    async def replay(self, journal: Journal, since: int, *, reset: bool, on_progress: OnProgress) -> int:
        """Tell the view all entries after `since`, in one transaction."""
        self._must_be_at_home(journal)
        async with self._hands.upkeep:
            self._on_progress = on_progress
            storage = await self._hands.opened()
            reached, _ = await self._look(storage)
            if reset or reached is None:
                return await self._begin_anew(storage, since)
            await self._remember(reached)
            return await self._tell(storage, await following(journal, self._view, since), None, anew=False)

    async def catch_up(self, journal: Journal, *, on_progress: OnProgress) -> int:
        """Tell the view the entries that it has not seen; all of them if there is no way to go on."""
        self._must_be_at_home(journal)
        async with self._hands.upkeep:
            self._on_progress = on_progress
            storage = await self._hands.opened()
            while True:
                reached, extent = await self._look(storage)
                if reached is None or not reached.can_go_on(storage.epoch, *extent):
                    return await self._begin_anew(storage, 0)
                if reached.seq == extent.latest_seq:
                    return reached.seq
                upto_seq = min(reached.seq + CAUGHT_UP_AT_ONCE, extent.latest_seq)
                try:
                    await self._remember(reached)
                    await self._tell(storage, Start(reached.seq, reached.from_seq), upto_seq, anew=False)
                except _BeginAnew:
                    return await self._begin_anew(storage, anew_since(reached, extent.oldest_seq))
                except JournalCorrupt as error:
                    log.error("%s; the view %s is built anew", error, self._view.name)
                    return await self._begin_anew(storage, 0)

    async def reached(self) -> Reached | None:
        """Which entries the rows in the file have seen; None if there are none."""
        storage = await self._hands.opened()
        return await storage.reader.run(partial(reached_of, view=self._view), "view")

    async def rows(self, table: str | None = None) -> list[Row]:
        """The rows in the file, of the first table or the named one, in the order of their keys."""
        storage = await self._hands.opened()
        schema_name = schema.VIEW_PREFIX + (table or self._view.tables[0].name)
        [kept] = [one for one in self._kept if one.name == schema_name]

        def job(db: sqlite3.Connection) -> list[Row]:
            with reading(db):
                return list(kept.read(db)) if reached_of(db, self._view) else []

        return await storage.reader.run(job, "view")

    def _must_be_at_home(self, journal: Journal) -> None:
        if journal is not self._hands.journal:
            raise ValueError("a view that is kept in a journal is told the entries of that journal")

    async def _look(self, storage: Storage) -> tuple[Reached | None, Extent]:
        writer = storage.writer

        def job(db: sqlite3.Connection) -> tuple[Reached | None, Extent]:
            return reached_of(db, self._view), read_extent(db, writer.meta)

        return await writer.worker.run(job, "view")

    async def _remember(self, reached: Reached) -> None:
        """See to it that the view carries the params as they were where its rows end."""
        if self._view.carries_params and self._view.reached != reached:
            self._view.begin(await self._hands.journal.state(reached.seq))
            for table in self._view.tables:
                table.let_go()
        self._view.reached = reached

    async def _begin_anew(self, storage: Storage, since: int) -> int:
        start = await start_of(self._hands.journal, self._view, since)
        return await self._tell(storage, start, None, anew=True)

    async def _tell(self, storage: Storage, start: Start, upto_seq: int | None, *, anew: bool) -> int:
        """One transaction; whoever waits for it and is cancelled ends it."""
        abandoned = threading.Event()
        telling = _Telling(self._view, self._kept, storage.writer, abandoned, self._on_progress)
        try:
            return await storage.writer.worker.run(
                partial(telling.run, start=start, upto_seq=upto_seq, anew=anew), "view"
            )
        except asyncio.CancelledError:
            abandoned.set()
            raise


class _Telling:
    """A view being told entries, as a job on the writing connection."""

    def __init__(
        self,
        view: TableView,
        kept: list[KeptTable],
        writer: WritingEnd,
        abandoned: threading.Event,
        on_progress: OnProgress,
    ) -> None:
        self._view = view
        self._tables = list(zip(view.tables, kept, strict=True))
        self._writer = writer
        self._abandoned = abandoned
        self._on_progress = on_progress

    def run(self, db: sqlite3.Connection, start: Start, upto_seq: int | None, *, anew: bool) -> int:
        """Bring the rows from one entry to another, or build them; return the number of the last entry."""
        view, entries = self._view, self._writer.entries
        last = entries.latest_seq if upto_seq is None else upto_seq
        reached = Reached(self._writer.meta.epoch, start.from_seq, max(last, start.after_seq))
        entries.synchronize(db, synced=False)
        view.reached = None
        try:
            with writing(db):
                self._prepare(db, start if anew else None)
                for page in self._pages(db, Span(start.after_seq, last)):
                    if not anew and any(map(is_forgetting, page)):
                        raise _BeginAnew
                    for entry in page:
                        view.apply(entry)
                    self._write(db, at_least=CHANGES_MAX)
                self._write(db)
                write_reached(db, view, reached)
        finally:
            for table in view.tables:
                table.clear()
        view.reached = reached
        return reached.seq

    def _prepare(self, db: sqlite3.Connection, start: Start | None) -> None:
        if start is None:
            self._look_up_in(db)
            return
        start.set_up(self._view)
        for _, kept in self._tables:
            kept.create(db)

    def _look_up_in(self, db: sqlite3.Connection) -> None:
        for table, kept in self._tables:
            table.look_up = partial(kept.look_up, db)

    def _write(self, db: sqlite3.Connection, at_least: int = 0) -> None:
        """Write the rows that changed, if there are enough of them, and hold them no longer."""
        if sum(table.changes for table, _ in self._tables) < at_least:
            return
        for table, kept in self._tables:
            kept.write(db, table.take_changes())
            table.let_go()
        self._look_up_in(db)

    def _pages(self, db: sqlite3.Connection, span: Span) -> Iterator[list[JournalEntry]]:
        catalog = self._writer.entries.catalog
        with closing(db.execute(schema.scan(), span)) as cursor:
            while rows := cursor.fetchmany(READ_AT_ONCE):
                if self._abandoned.is_set():
                    raise _Abandoned
                yield [entry_of(row, catalog) for row in rows]
                self._on_progress(len(rows))


def load_kept(db: sqlite3.Connection, view: TableView, wants: Callable[[Key], bool]) -> None:
    """Fill a view in memory with the wanted rows that the file has of it, if they are still true."""
    with reading(db):
        meta = Meta.read(db)
        reached = reached_of(db, view)
        if reached is None or not reached.can_go_on(meta.epoch, *read_extent(db, meta)):
            return
        try:
            for table in view.tables:
                table.load(row for row in KeptTable(table).read(db) if wants(row.key))
        except JournalCorrupt as error:
            log.error("%s; the view %s is computed from the entries", error, view.name)
            return
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            log.error("%s; the view %s is computed from the entries", error, view.name)
            return
    view.reached = reached
