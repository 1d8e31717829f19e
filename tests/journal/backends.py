"""The backends that are held to the contract, and how to open each of them in a test."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clasp_journal.journal import Journal
from clasp_journal.memory import MemoryJournal
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


BACKENDS: dict[str, Callable[[Path], Backend]] = {"memory": in_memory}
"""By name: what gives the backend, in a folder of its own."""
