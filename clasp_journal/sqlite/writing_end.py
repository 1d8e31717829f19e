"""What only the one writer of a journal file has; who only reads does not even import it.

Laws: the lock is taken before the file is looked at and given back after it is closed; a writer that closes
says so in the file; whatever opening fails at, nothing stays open.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import JournalCorrupt
from clasp_journal.mirror.options import MirrorOptions
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.birth import prepare_writer, read_version
from clasp_journal.sqlite.extent import read_extent
from clasp_journal.sqlite.locking import WriterLock
from clasp_journal.sqlite.meta import NOTHING_TO_FORGET, Meta
from clasp_journal.sqlite.options import Options
from clasp_journal.sqlite.transactions import writing
from clasp_journal.sqlite.trouble import has_wal, inspect_before_opening, set_aside
from clasp_journal.sqlite.worker import Worker
from clasp_journal.sqlite.writer import EntryWriter

if TYPE_CHECKING:
    from clasp_journal.mirror.rebuilding import Inserted, Origin
    from clasp_journal.sqlite.scout import Scout

log = logging.getLogger("clasp_journal")


class Growth:
    """Lets any number of tasks wait until the log has grown."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def announce(self) -> None:
        """Wake everybody who waits."""
        self._event.set()
        self._event = asyncio.Event()

    def event(self) -> asyncio.Event:
        """What the next announcement sets."""
        return self._event


@asynccontextmanager
async def _untouched_if_refused(path: str) -> AsyncIterator[None]:
    """Watch a file that is there while a writer looks at it.

    The last connection to close empties the write-ahead log into the database, which whoever only refuses
    a file must not do. One that may only read cannot; and while it watches, it is not the writer who is last.
    Without a log there is nothing to keep, and a creation that was cut short may have left a rollback
    journal, over which nobody can read who may not write.
    """
    if not await asyncio.to_thread(has_wal, path):
        yield
        return
    watcher = await Worker.start(path, "ro")
    try:
        await watcher.run(read_version, "open")
        yield
    finally:
        await watcher.close()


class WritingEnd:
    """What only the one writer has: the lock, the connection, what memory knows of the log."""

    def __init__(self, lock: WriterLock, worker: Worker, prepared: tuple[EntryWriter, Meta]) -> None:
        self.worker = worker
        self.entries, self.meta = prepared
        self.growth = Growth()
        self._lock = lock
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(cls, path: str, options: Options) -> WritingEnd:
        """Lock the journal, and create, migrate or set aside its file as need be."""
        lock = await WriterLock.acquire(path, options.url, options.lock_wait_s)
        try:
            try:
                opened = await cls._open_locked(path, lock, options.scout)
            except JournalCorrupt as error:
                if options.on_corrupt != "set_aside":
                    raise
                if options.scout is not None:
                    options.scout.dismiss()
                name = await asyncio.to_thread(set_aside, path)
                log.error("%s; it was set aside as %s, and a new journal begins", error, name)
                opened = await cls._open_locked(path, lock, None)
        except BaseException:
            lock.release()
            raise
        if options.mirror is not None:
            try:
                await opened.attach(options.mirror)
            except BaseException:
                await opened.close()
                raise
        return opened

    @classmethod
    async def _open_locked(cls, path: str, lock: WriterLock, scout: Scout | None) -> WritingEnd:
        await asyncio.to_thread(inspect_before_opening, path)
        async with _untouched_if_refused(path):
            worker = await Worker.start(path, "rwc")
            try:
                prepared = await worker.run(lambda db: prepare_writer(db, path, scout), "open")
                return cls(lock, worker, prepared)
            except BaseException:
                await worker.close()
                raise

    async def append(self, entries: Iterable[JournalEntry], *, synced: bool) -> int:
        """Commit entries and tell those who wait, even if the caller does not any more."""

        def job(db: sqlite3.Connection) -> int:
            last_seq = self.entries.append(db, entries, synced=synced)
            self._loop.call_soon_threadsafe(self.growth.announce)
            return last_seq

        return await self.worker.run(job, "append")

    async def change_meta(self, **facts: object) -> None:
        """Store other facts about the journal, on the disk."""

        def job(db: sqlite3.Connection) -> None:
            self._write_meta(db, self.meta._replace(**facts))  # type: ignore[arg-type]

        await self.worker.run(job, "write")

    async def begin_epoch(self, latest_seq: int) -> None:
        """Let a new epoch begin behind the last entry, on the disk."""

        def job(db: sqlite3.Connection) -> None:
            self._write_meta(db, self.meta.renewed()._replace(latest_seq=latest_seq))
            if self.entries.mirror is not None:
                self.entries.mirror.note_epoch(self.meta.epoch)

        await self.worker.run(job, "write")

    def _write_meta(self, db: sqlite3.Connection, changed: Meta) -> None:
        self.entries.synchronize(db, synced=True)
        with writing(db):
            changed.write(db)
        self.meta = changed

    async def insert_missing(self, bodies: Iterable[tuple[int, bytes]], origin: Origin) -> Inserted:
        """Put entries back under their numbers, in one transaction, and tell those who wait."""

        from clasp_journal.sqlite.insertion import Insertion

        def job(db: sqlite3.Connection) -> Inserted:
            inserted, self.meta = Insertion(self.entries, self.meta, origin).run(db, bodies)
            self._loop.call_soon_threadsafe(self.growth.announce)
            return inserted

        return await self.worker.run(job, "rebuild")

    async def attach(self, options: MirrorOptions) -> None:
        """Open the mirror, and bring both to the same end. It may have acts of forgetting that come back."""
        from clasp_journal.sqlite.mirroring import attach

        if self.meta.forgetting_after == NOTHING_TO_FORGET:
            await self.change_meta(forgetting_after=self.entries.latest_seq)
        await self.worker.run(lambda db: attach(db, self.entries, self.meta, options), "mirror")

    async def note_removed(self, before_seq: int) -> None:
        """Let the mirror know which entries are removed on purpose, before they are."""

        def job(_: sqlite3.Connection) -> None:
            if self.entries.mirror is not None:
                self.entries.mirror.note_removed(before_seq)

        await self.worker.run(job, "mirror")

    async def close(self) -> None:
        """Say that it ended well, empty the write-ahead log, and let others write."""
        try:
            mirror, self.entries.mirror = self.entries.mirror, None
            if mirror is not None:
                await self.worker.run(lambda _: mirror.close(), "close")
            oldest_seq, latest_seq = await self.worker.run(lambda db: read_extent(db, self.meta), "close")
            await self.change_meta(clean=1, oldest_seq=oldest_seq, latest_seq=latest_seq)
            await self.worker.run(lambda db: db.execute(schema.CHECKPOINT).fetchall(), "close")
        finally:
            try:
                await self.worker.close()
            finally:
                self._lock.release()
                self.growth.announce()
