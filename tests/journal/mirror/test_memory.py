"""Verifying, comparing and rebuilding take as much memory for many entries as for few."""

import tracemalloc
from pathlib import Path

import pytest

from clasp_journal.mirror import parity, rebuild, verify_chain
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.samples import a_series

FEW, MANY = 12_000, 48_000
BATCH_ENTRIES = 1_000
MORE_MAX = 1.25


async def peak_bytes(folder: Path, count: int) -> int:
    """The most that Python held at any moment of all three."""
    db, mirror = folder / f"{count}.db", folder / f"{count}.jsonl"
    async with SqliteJournal(db, mirror=mirror) as journal:
        for first in range(0, count, BATCH_ENTRIES):
            await journal.append(a_series(BATCH_ENTRIES, first=first))
    tracemalloc.start()
    try:
        assert verify_chain(mirror).entries == count
        async with SqliteJournal(db, read_only=True) as journal:
            assert (await parity(journal, mirror)).is_consistent
        async with SqliteJournal(folder / f"fresh-{count}.db") as journal:
            assert (await rebuild(journal, mirror)).inserted == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.soak
async def test_memory_stays_flat(tmp_path: Path) -> None:
    """Four times as many entries, hardly more memory."""
    await peak_bytes(tmp_path, BATCH_ENTRIES)
    few = await peak_bytes(tmp_path, FEW)
    many = await peak_bytes(tmp_path, MANY)
    assert many < few * MORE_MAX, (few, many)
