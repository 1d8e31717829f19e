"""The backends that are held to the contract, and how to open each of them in a test."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from clasp_journal.journal import Journal
from clasp_journal.memory import MemoryJournal
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing import Make, Reopen


@dataclass(frozen=True)
class Backend:
    """How to get a fresh journal, and the same one again where it outlives its process."""

    make: Make
    reopen: Reopen | None = None


def in_memory(folder: Path) -> Backend:
    """The ring; it needs no folder."""

    async def make() -> Journal:
        return MemoryJournal()

    return Backend(make)


def in_a_file(folder: Path) -> Backend:
    """SQLite, each journal in a file of its own."""
    numbers = count(1)

    async def make() -> Journal:
        return await SqliteJournal(folder / f"journal-{next(numbers)}.db").open()

    async def reopen(journal: Journal) -> Journal:
        assert isinstance(journal, SqliteJournal)
        return await SqliteJournal(journal.path).open()

    return Backend(make, reopen)


BACKENDS: dict[str, Callable[[Path], Backend]] = {"memory": in_memory, "sqlite": in_a_file}
"""By name: what gives the backend, in a folder of its own."""
