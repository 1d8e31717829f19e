"""What the tests of the mirror share: journals with a mirror, and what a crash or a hand does to its file."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from clasp_journal.entry import JournalEntry
from clasp_journal.mirror import MirrorOptions
from clasp_journal.sqlite.journal import SqliteJournal
from tests.crash.model import entry_at

BATCHES = (1, 3, 1, 8, 2, 5)


class Files(NamedTuple):
    """A journal and its mirror, in one folder."""

    folder: Path

    @property
    def db(self) -> Path:
        """The SQLite file."""
        return self.folder / "show.db"

    @property
    def mirror(self) -> Path:
        """The newest file of the mirror."""
        return self.folder / "show.jsonl"

    def journal(self, **options: object) -> SqliteJournal:
        """The journal, to be opened with its mirror."""
        return SqliteJournal(self.db, mirror=MirrorOptions(str(self.mirror), **options))

    def alone(self) -> SqliteJournal:
        """The journal, to be opened without its mirror."""
        return SqliteJournal(self.db)

    def copied(self, folder: Path) -> Files:
        """Both, as a process that is killed now would leave them."""
        folder.mkdir()
        for path in self.folder.iterdir():
            # The index of the write-ahead log is made anew, and the locks are nobody's.
            if path.is_file() and path.suffix != ".lock" and not path.name.endswith("-shm"):
                shutil.copy(path, folder / path.name)
        return Files(folder)

    def lines(self) -> list[bytes]:
        """The lines of the newest file."""
        return self.mirror.read_bytes().splitlines(keepends=True)


def entries_from(first: int, count: int) -> list[JournalEntry]:
    """The entries with these numbers."""
    return [entry_at(seq) for seq in range(first, first + count)]


async def recorded(files: Files, batches: Iterable[int] = BATCHES, **options: object) -> list[JournalEntry]:
    """Append to the journal, with its mirror, in these batches, and close both; returns all that it has."""
    async with files.journal(**options) as journal:
        for count in batches:
            await journal.append(entries_from(await journal.latest_seq() + 1, count))
        return await journal.since(0)
