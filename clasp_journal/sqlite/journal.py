"""SqliteJournal: the contract of `Journal`, kept by one SQLite file.

One writer, which the kernel's lock on `PATH.lock` decides, and any number of readers, in its process and
others. Appends, slices of snapshots and of compaction are jobs that take turns on the writing connection;
reading has a connection of its own and never waits for them.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Literal, Self, TypedDict, Unpack

from clasp_journal.entry import JournalEntry, ParamSnapshot
from clasp_journal.errors import JournalClosed, JournalUnavailable
from clasp_journal.journal import Journal
from clasp_journal.mirror.options import MirrorOptions
from clasp_journal.restore import KeptSnapshot, Snapshot, State
from clasp_journal.selection import EVERYTHING, FORGOTTEN, Selection
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.finder import Aim, Search
from clasp_journal.sqlite.folding import Folding
from clasp_journal.sqlite.keeper import SnapshotKeeper
from clasp_journal.sqlite.meta import NOTHING_GONE_US, NOTHING_TO_FORGET
from clasp_journal.sqlite.options import Options
from clasp_journal.sqlite.snapshots import read_headers
from clasp_journal.sqlite.storage import Storage
from clasp_journal.sqlite.transactions import reading

if TYPE_CHECKING:
    from clasp_journal.mirror.rebuilding import Inserted, Origin
    from clasp_journal.rules import Rules
    from clasp_journal.sqlite.scout import Scout
    from clasp_journal.sqlite.upkeep.copying import Copied, OnProgress
    from clasp_journal.sqlite.upkeep.upkeep import Upkeep
    from clasp_journal.sqlite.upkeep.verification import Verification
    from clasp_journal.sqlite.view_tables import Kept
    from clasp_journal.sqlite.viewing import StoredView
    from clasp_journal.views.tables import Key
    from clasp_journal.views.view import TableView

POLL_S = 0.025
"""How often a reader looks whether the writer in another process has committed."""


class Opening(TypedDict, total=False):
    """How the file is opened, where the defaults do not do."""

    url: str | None
    """Where the writer can be reached; told to whoever finds the journal locked."""
    lock_wait_s: float
    """How long to wait for a writer to leave."""
    on_corrupt: Literal["refuse", "set_aside"]
    """With `set_aside` a damaged file is renamed and a new journal begun."""
    scout: Scout | None
    """A process that may read ahead, for the first `advance`; whoever forked it dismisses it."""


class SqliteJournal(Journal):
    """A journal in a file. It opens itself when it is first used."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        read_only: bool = False,
        mirror: str | os.PathLike[str] | MirrorOptions | None = None,
        **opening: Unpack[Opening],
    ) -> None:
        """`mirror` is a file of JSON lines that gets everything, too: see `clasp_journal.mirror`."""
        self.path = os.fspath(path)
        if mirror is not None and not isinstance(mirror, MirrorOptions):
            mirror = MirrorOptions(os.fspath(mirror))
        self._options = Options(read_only, mirror=None if read_only else mirror, **opening)
        self._opening = asyncio.Lock()
        self._upkeep = asyncio.Lock()
        self._storage: Storage | None = None
        self._closed = False

    async def open(self) -> Self:
        """Open the file, if that has not been done."""
        await self._opened()
        return self

    async def _opened(self) -> Storage:
        if self._closed:
            raise JournalClosed("the journal is closed", path=self.path)
        if self._storage is None:
            async with self._opening:
                if self._storage is None:
                    self._storage = await self._open_storage()
        return self._storage

    async def _open_storage(self) -> Storage:
        """Open the file; its writer finishes what an interruption has left of a forgetting."""
        storage = await Storage.open(self.path, self._options)
        try:
            if storage.is_writer and storage.writer.meta.forgetting_after != NOTHING_TO_FORGET:
                await self._keeping(storage).resume()
        except BaseException:
            await storage.close()
            raise
        return storage

    def _keeping(self, storage: Storage) -> Upkeep:
        """Who does to the file what is neither appending nor reading."""
        from clasp_journal.sqlite.upkeep.upkeep import Upkeep

        return Upkeep(storage, self._upkeep)

    @property
    def epoch(self) -> str:
        """The name of this life of the journal; known once it is open."""
        if self._storage is None:
            raise JournalUnavailable("it is not open yet", path=self.path, operation="epoch")
        return self._storage.epoch

    async def append(self, entries: JournalEntry | Iterable[JournalEntry], *, synced: bool = False) -> int:
        """Number and commit entries, as one job on the writing thread; an iterable is consumed there."""
        storage = await self._opened()
        batch = (entries,) if isinstance(entries, JournalEntry) else entries
        return await storage.writer.append(batch, synced=synced)

    async def latest_seq(self) -> int:
        """The highest number ever given out."""
        storage = await self._opened()
        if storage.is_writer:
            return storage.writer.entries.latest_seq
        return (await storage.extent()).latest_seq

    async def oldest_seq(self) -> int:
        """The first number that is still there, or the next one to be given."""
        storage = await self._opened()
        if storage.is_writer:
            storage.demand_presence()
            return storage.writer.entries.oldest_seq
        return (await storage.extent()).oldest_seq

    async def gone_upto_us(self) -> int | None:
        """A time that no entry removed from the beginning is beyond."""
        noted_us = (await (await self._opened()).facts()).gone_upto_us
        return await super().gone_upto_us() if noted_us == NOTHING_GONE_US else noted_us

    async def len(self) -> int:
        """How many entries are there."""
        extent = await (await self._opened()).extent()
        return extent.latest_seq - extent.oldest_seq + 1

    async def snapshot(
        self,
        params: Iterable[ParamSnapshot],
        at_seq: int | None = None,
        *,
        revision_floor: int = 0,
        lasting: bool = False,
    ) -> int:
        """Keep this state as the one right after entry `at_seq`; `params` is consumed slice by slice."""
        storage = await self._opened()
        latest_seq = storage.writer.entries.latest_seq
        at = latest_seq if at_seq is None else at_seq
        if not 0 <= at <= latest_seq:
            raise ValueError(f"a snapshot at {at}: the journal ends at {latest_seq}")
        async with self._upkeep:
            keeper = SnapshotKeeper(storage)
            await keeper.write(params, at, revision_floor, lasting=lasting)
            await keeper.thin()
        return at

    async def snapshot_by_fold(self) -> int:
        """Write a snapshot of the end of the log, computed from the log; return that number.

        It costs what has changed since the last one, not what was appended.
        """
        storage = await self._opened()
        async with self._upkeep:
            return await SnapshotKeeper(storage).take()

    async def load_snapshot(self, at_seq: int | None = None) -> Snapshot | None:
        """The newest intact snapshot at or before `at_seq`."""
        return await SnapshotKeeper(await self._opened()).load(at_seq)

    async def advance(self, state: State, after_seq: int, upto_seq: int) -> None:
        """Bring a state to right after a later entry. Only the last change of each address is applied."""
        storage = await self._opened()
        noted = await storage.scouted(upto_seq)
        await Folding(storage.reader, storage.catalog, state).apply(Span(after_seq, upto_seq), noted)

    async def insert_missing(self, bodies: Iterable[tuple[int, bytes]], origin: Origin) -> Inserted:
        """Insert entries, as the text of a mirror's lines, in one transaction; see `Insertion`."""
        return await self._keeping(await self._opened()).insert_missing(bodies, origin)

    async def compact(
        self, before_seq: int, *, force: bool = False, on_progress: Callable[[int], None] | None = None
    ) -> int:
        """Remove the entries numbered below `before_seq`; return how many."""
        keeping = self._keeping(await self._opened())
        return await keeping.compact(before_seq, force=force, on_progress=on_progress)

    async def forget(
        self, author: str, *, by: str = "", on_progress: Callable[[int], None] | None = None
    ) -> int:
        """Remove what one author wrote up to now; return how many entries that were."""
        return await self._keeping(await self._opened()).forget(author, by, on_progress)

    async def retain(
        self,
        *,
        age_us: int | None = None,
        size_bytes: int | None = None,
        count: int | None = None,
        now_us: int | None = None,
    ) -> int:
        """Remove the oldest entries until these rules are kept; return how many.

        A run that removes something is recorded as a REMOVED entry first.
        """
        keeping = self._keeping(await self._opened())
        return await keeping.retain(age_us=age_us, size_bytes=size_bytes, count=count, now_us=now_us)

    async def thin(self, rules: Rules, *, before_us: int, now_us: int | None = None) -> int:
        """Let what is older than an instant go as far as the rules say; return how many entries that were.

        A run that lets something go is recorded as REMOVED entries first, one for each rule.
        """
        return await self._keeping(await self._opened()).thin(rules, before_us, now_us)

    def stored(self, view: TableView) -> StoredView:
        """A view whose rows are tables of this file; `clasp_journal.views` says how to drive it."""
        from clasp_journal.sqlite.viewing import Hands, StoredView

        return StoredView(view, Hands(self, self._opened, self._upkeep))

    async def load_view(self, view: TableView, wants: Callable[[Key], bool]) -> None:
        """Fill a view in memory with the wanted rows that the file has of it, if they are still true."""
        from clasp_journal.sqlite.viewing import load_kept

        storage = await self._opened()
        await storage.reader.run(partial(load_kept, view=view, wants=wants), "view")

    async def kept_views(self) -> dict[str, Kept]:
        """The views that have rows in this file, by name."""
        from clasp_journal.sqlite.view_tables import read_kept

        return await (await self._opened()).reader.run(read_kept, "views")

    async def verify(self, *, full: bool = True, on_progress: OnProgress | None = None) -> Verification:
        """Say what is not as it was written. Not `full`: of the entries, only the newest are read."""
        return await self._keeping(await self._opened()).verify(full=full, on_progress=on_progress)

    async def snapshots(self) -> list[KeptSnapshot]:
        """The snapshots that count, oldest first."""
        storage = await self._opened()
        headers = await storage.reader.run(read_headers, "snapshots")
        return [KeptSnapshot(h.at_seq, h.taken, h.params) for h in reversed(headers) if h.complete]

    async def backup(self, target: str, *, on_progress: OnProgress | None = None) -> Copied:
        """Copy all that is there now into a fresh file, beside whoever writes."""
        keeping, upto_seq = self._keeping(await self._opened()), await self.latest_seq()
        return await keeping.copy(target, upto_seq, same_epoch=True, on_progress=on_progress)

    async def restore(self, target: str, at_seq: int, *, on_progress: OnProgress | None = None) -> Copied:
        """Write the journal as it was right after entry `at_seq` into a fresh file, as a new epoch."""
        keeping = self._keeping(await self._opened())
        if at_seq > await self.latest_seq():
            raise ValueError(f"a journal as it was at {at_seq}: it ends at {await self.latest_seq()}")
        if await self.page(FORGOTTEN, 0, at_seq, 1):
            # The state at that entry may not be known any more; then this raises.
            await self.state(at_seq)
        return await keeping.copy(target, at_seq, same_epoch=False, on_progress=on_progress)

    async def page(
        self, selection: Selection, after_seq: int, upto_seq: int, limit: int
    ) -> list[JournalEntry]:
        """Up to `limit` matching entries with `after_seq < seq <= upto_seq`, oldest first."""
        search = await self._search(selection, Span(after_seq, upto_seq), limit, Aim.OLDEST)
        return search.found

    async def newest(
        self, selection: Selection, limit: int, *, after_seq: int, upto_seq: int
    ) -> list[JournalEntry]:
        """The newest `limit` matching entries with `after_seq < seq <= upto_seq`, oldest first."""
        search = await self._search(selection, Span(after_seq, upto_seq), limit, Aim.NEWEST)
        return search.found[::-1]

    async def _search(self, selection: Selection, span: Span, limit: int, aim: Aim) -> Search:
        storage = await self._opened()
        search = Search(storage.catalog, selection, span, limit, aim)
        if storage.is_writer and storage.writer.entries.has_none(selection.pattern, span):
            return search
        while not await storage.reader.run(search.run, "query"):
            pass
        return search

    async def bodies(self, after_seq: int, upto_seq: int, limit: int) -> list[tuple[int, bytes]]:
        """Up to `limit` entries as the text of a mirror's lines; those that are missing are left out."""
        from clasp_journal.sqlite.bodies import read_bodies

        storage = await self._opened()
        job = partial(read_bodies, catalog=storage.catalog, span=Span(after_seq, upto_seq), limit=limit)
        return await storage.reader.run(job, "read")

    async def nth_newest(self, selection: Selection, n: int, *, after_seq: int, upto_seq: int) -> int:
        """The number of the n-th newest matching entry in a span; `after_seq + 1` if there are fewer."""
        storage = await self._opened()
        if selection == Selection(EVERYTHING):
            extent = await storage.extent()
            seq = min(upto_seq, extent.latest_seq) - n + 1
            return seq if seq >= max(extent.oldest_seq, after_seq + 1) else after_seq + 1
        search = await self._search(selection, Span(after_seq, upto_seq), n, Aim.NUMBERS)
        return search.last_found_seq if search.found_count == n else after_seq + 1

    async def count(self, selection: Selection, *, after_seq: int, upto_seq: int) -> int:
        """How many matching entries a span has, without building one of them."""
        search = await self._search(selection, Span(after_seq, upto_seq), sys.maxsize, Aim.NUMBERS)
        return search.found_count

    async def wait_beyond(self, seq: int) -> int:
        """The latest number, as soon as it is higher than `seq`, whichever process appends."""
        storage = await self._opened()
        if not storage.is_writer:
            return await self._poll_beyond(storage, seq)
        while True:
            event = storage.writer.growth.event()
            latest_seq = await self.latest_seq()
            if latest_seq > seq:
                return latest_seq
            await event.wait()

    async def _poll_beyond(self, storage: Storage, seq: int) -> int:
        seen_version = None
        while True:
            version = await storage.version()
            if version != seen_version:
                seen_version = version
                latest_seq = await self.latest_seq()
                if latest_seq > seq:
                    return latest_seq
            await asyncio.sleep(POLL_S)

    async def addresses(self) -> list[str]:
        """Every address that ever had an entry."""
        storage = await self._opened()

        def read(db: sqlite3.Connection) -> list[str]:
            with reading(db):
                storage.catalog.refresh(db)
            return sorted(text for text in storage.catalog.addresses.values() if text)

        return await storage.reader.run(read, "addresses")

    async def close(self) -> None:
        """Finish what was begun, and release the file."""
        self._closed = True
        async with self._opening, self._upkeep:
            storage, self._storage = self._storage, None
            if storage is not None:
                await storage.close()

    async def __aenter__(self) -> Self:
        return await self.open()
