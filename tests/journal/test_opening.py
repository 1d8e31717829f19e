"""A text names a journal."""

import subprocess
import sys
from pathlib import Path

import pytest

import clasp_journal
from clasp_journal import JournalEntry, JournalUnavailable, MemoryJournal, SqliteJournal, open_journal


@pytest.mark.parametrize("prefix", ["sqlite:", ""])
async def test_a_path_names_a_file(prefix: str, tmp_path: Path) -> None:
    """With its scheme or without."""
    async with await open_journal(f"{prefix}{tmp_path / 'show.db'}") as journal:
        assert isinstance(journal, SqliteJournal)
    assert (tmp_path / "show.db").exists()


async def test_options_go_to_the_backend(tmp_path: Path) -> None:
    """As that takes them."""
    with pytest.raises(JournalUnavailable):
        await open_journal(f"sqlite:{tmp_path / 'show.db'}", read_only=True)


@pytest.mark.parametrize(("place", "capacity"), [("memory:", 10_000), ("memory:50", 50)])
async def test_memory_names_a_ring(place: str, capacity: int) -> None:
    """Of ten thousand entries unless it says how many."""
    async with await open_journal(place) as journal:
        assert isinstance(journal, MemoryJournal)
        entry = JournalEntry.from_set("/a", 1, timestamp=1)
        await journal.append([entry] * (capacity + 9))
        assert await journal.len() == capacity


@pytest.mark.parametrize("place", ["", "sqlite:", "memory:many", "memory:0", "memory:-1"])
async def test_what_names_no_journal_is_refused(place: str) -> None:
    """Before anything is created."""
    with pytest.raises(ValueError, match=r"says no number|names no file"):
        await open_journal(place)


def test_every_public_name_is_there() -> None:
    """And what is not public is said to be missing."""
    for name in clasp_journal.__all__:
        assert getattr(clasp_journal, name) is not None
    with pytest.raises(AttributeError):
        _ = clasp_journal.nothing  # type: ignore[attr-defined]


def test_no_backend_is_imported_before_it_is_asked_for() -> None:
    """Words and contract need nothing installed."""
    asked = (
        "import sys, clasp_journal; print('aiosqlite' in sys.modules, 'clasp_journal.memory' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False"]
