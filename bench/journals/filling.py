"""Journals that are full before something is measured."""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from bench.journals.scene import a_show, instant_us
from clasp_journal.entry import JournalEntry
from clasp_journal.journal import Journal
from clasp_journal.opening import open_journal

BATCH_ENTRIES = 1_000
FILLING_ENTRIES = 20_000
"""Per batch where a journal is only to be full soon."""


async def append_all(
    journal: Journal, entries: Iterable[JournalEntry], batch_entries: int = BATCH_ENTRIES
) -> None:
    """Append in batches, each one committed before the next."""
    left = iter(entries)
    while batch := list(islice(left, batch_entries)):
        await journal.append(batch)


async def snapshot(journal: Journal) -> None:
    """Keep the present state."""
    state = await journal.state()
    await journal.snapshot(state.params(), revision_floor=state.revision_floor)


def many_params(count: int) -> Iterator[JournalEntry]:
    """A SET of each of so many addresses."""
    for n in range(count):
        address = f"/param/{n // 100}/{n % 100}"
        yield JournalEntry.from_set(address, n / 7, author="desk", timestamp=instant_us(n))


def fill(path: Path, *, params: int, before: int, after: int) -> None:
    """A file with so many params and entries of a show before its only snapshot, and some after it."""

    async def write() -> None:
        async with await open_journal(f"sqlite:{path}") as journal:
            await append_all(journal, many_params(params), FILLING_ENTRIES)
            await append_all(journal, a_show(before), FILLING_ENTRIES)
            await snapshot(journal)
            await append_all(journal, a_show(after, before), FILLING_ENTRIES)

    asyncio.run(write())
