"""An open journal file: a connection that reads and, in its one writer, a connection that writes.

Laws: reading never waits for writing; whatever opening fails at, nothing stays open.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from typing import TYPE_CHECKING, TypeAlias

from clasp_journal.errors import JournalUnavailable
from clasp_journal.presence import Presence
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.birth import prepare_reader
from clasp_journal.sqlite.catalog import Catalog
from clasp_journal.sqlite.extent import Extent, read_head
from clasp_journal.sqlite.meta import Meta
from clasp_journal.sqlite.options import Options
from clasp_journal.sqlite.trouble import inspect_before_opening
from clasp_journal.sqlite.worker import Worker

if TYPE_CHECKING:
    from clasp_journal.sqlite.changes import Changes
    from clasp_journal.sqlite.scout import Scout
    from clasp_journal.sqlite.writing_end import WritingEnd

_Prepared: TypeAlias = tuple[Meta, Catalog, Presence]


class Storage:
    """The open file."""

    def __init__(
        self, path: str, reader: Worker, prepared: _Prepared, writer: WritingEnd | None, scout: Scout | None
    ) -> None:
        self.path = path
        self.reader = reader
        meta, self.catalog, self._presence = prepared
        """The catalog belongs to the reading thread; the writing one has its own."""
        self._writer = writer
        self._scout = scout
        self._epoch = meta.epoch

    @classmethod
    async def open(cls, path: str, options: Options) -> Storage:
        """Open it for reading, or for both."""
        path = await asyncio.to_thread(os.path.realpath, path)
        writer = None
        if options.read_only:
            await asyncio.to_thread(inspect_before_opening, path)
        else:
            from clasp_journal.sqlite.writing_end import WritingEnd

            writer = await WritingEnd.open(path, options)
        try:
            reader = await Worker.start(path, "ro")
            try:
                # What was checked for the writing thread a moment ago need not be read again.
                catalog = Catalog() if writer is None else writer.entries.catalog.copy()

                def prepare(db: sqlite3.Connection) -> _Prepared:
                    return prepare_reader(db, catalog), catalog, Presence(path)

                return cls(path, reader, await reader.run(prepare, "open"), writer, options.scout)
            except BaseException:
                await reader.close()
                raise
        except BaseException:
            if writer is not None:
                await writer.close()
            raise

    @property
    def is_writer(self) -> bool:
        """Whether this is the journal's one writer."""
        return self._writer is not None

    @property
    def writer(self) -> WritingEnd:
        """The writing end; `JournalUnavailable` where there is none."""
        if self._writer is None:
            raise JournalUnavailable("it was opened to be read only", path=self.path, operation="write")
        return self._writer

    @property
    def epoch(self) -> str:
        """The name of this life of the journal, as last seen."""
        return self._writer.meta.epoch if self._writer else self._epoch

    async def scouted(self, upto_seq: int) -> Changes | None:
        """The changes up to an entry, if a scout went there."""
        scout = self._scout
        if scout is None or not scout.covers(upto_seq):
            return None
        return await self.reader.run(lambda _: scout.recall(), "fold")

    def demand_presence(self) -> None:
        """Refuse to tell anything of a file that has lost its name."""
        self._presence.demand()

    async def extent(self) -> Extent:
        """Which entries are there."""

        def job(db: sqlite3.Connection) -> tuple[Meta, Extent]:
            self.demand_presence()
            return read_head(db)

        meta, extent = await self.reader.run(job, "read")
        self._epoch = meta.epoch
        return extent

    async def facts(self) -> Meta:
        """What the file says of itself."""
        return await self.reader.run(Meta.read, "read")

    async def version(self) -> int:
        """A number that changes when another connection has committed."""

        def job(db: sqlite3.Connection) -> int:
            self.demand_presence()
            return int(db.execute(schema.DATA_VERSION).fetchone()[0])

        return await self.reader.run(job, "wait")

    async def close(self) -> None:
        """Close everything, whatever fails."""
        try:
            await self.reader.close()
        finally:
            if self._writer is not None:
                await self._writer.close()
