"""Backups and restored journals: whole or not there, exact, and no burden for the writer."""

import asyncio

import pytest

from clasp_journal import JournalEntry, SqliteJournal, fold
from clasp_journal.errors import HistoryIncomplete, JournalUnavailable
from clasp_journal.sqlite.upkeep import copying

NOW = 1_700_000_000_000_000


def some(count, first=0):
    """Entries on a hundred addresses; now and then the clock goes back."""
    return [
        JournalEntry.from_set(
            f"/stage/{i % 100}", i, author=f"desk{i % 3}", timestamp=NOW + i - (i % 700 == 5) * 300
        )
        for i in range(first, first + count)
    ]


async def whole(path):
    """All entries of a journal that verifies."""
    async with SqliteJournal(path, read_only=True) as journal:
        assert (await journal.verify()).problems == []
        return await journal.query()


async def test_a_backup_holds_the_same_entries_under_the_same_epoch(tmp_path):
    """Entries, snapshots, numbers: all of it, though the writer goes on."""
    async with SqliteJournal(tmp_path / "a.db") as journal:
        await journal.append(some(3_000))
        await journal.snapshot_by_fold()
        await journal.append(some(500, 3_000))
        copied = await journal.backup(str(tmp_path / "b.db"))
        await journal.append(some(10, 3_500))
        assert (copied.oldest_seq, copied.latest_seq, copied.snapshots) == (1, 3_500, 1)
        assert await whole(tmp_path / "b.db") == (await journal.query())[:3_500]
        async with SqliteJournal(tmp_path / "b.db", read_only=True) as copy:
            assert copy.epoch == journal.epoch


async def test_a_backup_that_is_written_to_begins_a_new_epoch(tmp_path):
    """Readers of the first journal may have seen what the backup does not have."""
    async with SqliteJournal(tmp_path / "a.db") as journal:
        await journal.append(some(10))
        await journal.backup(str(tmp_path / "b.db"))
        async with SqliteJournal(tmp_path / "b.db") as copy:
            assert copy.epoch != journal.epoch
            assert await copy.append(some(1)) == 11


async def test_a_restored_journal_ends_where_it_was_asked_to(tmp_path):
    """State and entries as they were right after that entry; the next number is the one after it."""
    async with SqliteJournal(tmp_path / "a.db") as journal:
        for first in range(0, 4_000, 1_000):
            await journal.append(some(1_000, first))
            await journal.snapshot_by_fold()
        await journal.restore(str(tmp_path / "b.db"), 2_345)
        expected = await journal.query(limit=2_345)
        epoch = journal.epoch
    assert await whole(tmp_path / "b.db") == expected
    async with SqliteJournal(tmp_path / "b.db") as restored:
        assert restored.epoch != epoch
        assert (await restored.state()).live == fold(None, expected).live
        assert await restored.query(from_=NOW + 700, to=NOW + 800) == [
            entry for entry in expected if NOW + 700 <= entry.timestamp <= NOW + 800
        ]
        assert await restored.append(some(1)) == 2_346


async def test_what_was_compacted_cannot_be_restored(tmp_path):
    """An instant before the base is gone; the instant of the base is not."""
    async with SqliteJournal(tmp_path / "a.db") as journal:
        await journal.append(some(1_000))
        expected = await journal.state(500)
        await journal.compact(501)
        with pytest.raises(HistoryIncomplete):
            await journal.restore(str(tmp_path / "b.db"), 499)
        assert not list(tmp_path.glob("b.db*"))
        await journal.restore(str(tmp_path / "b.db"), 500)
    async with SqliteJournal(tmp_path / "b.db") as restored:
        assert (await restored.state()).live == expected.live
        assert await restored.append(some(1)) == 501


async def test_an_empty_journal_can_be_copied(tmp_path):
    """Nothing is also something."""
    async with SqliteJournal(tmp_path / "a.db") as journal:
        await journal.backup(str(tmp_path / "b.db"))
    assert await whole(tmp_path / "b.db") == []


@pytest.mark.parametrize("taken", ["b.db", "b.db-wal"])
async def test_nothing_is_overwritten(tmp_path, taken):
    """A file of that name stays as it is, and nothing is left beside it."""
    (tmp_path / taken).write_text("precious")
    async with SqliteJournal(tmp_path / "a.db") as journal:
        await journal.append(some(10))
        with pytest.raises(JournalUnavailable, match="already"):
            await journal.backup(str(tmp_path / "b.db"))
    assert (tmp_path / taken).read_text() == "precious"
    assert [path.name for path in tmp_path.glob("b.db*")] == [taken]


async def test_a_missing_folder_is_named(tmp_path):
    """No copy without a place for it."""
    async with SqliteJournal(tmp_path / "a.db") as journal:
        with pytest.raises(JournalUnavailable, match="no such folder"):
            await journal.backup(str(tmp_path / "nowhere" / "b.db"))


async def test_a_cancelled_copy_leaves_nothing(tmp_path, monkeypatch):
    """Whoever stops it finds the folder as it was."""
    monkeypatch.setattr(copying, "COPIED_AT_ONCE", 10)
    begun = asyncio.Event()
    async with SqliteJournal(tmp_path / "a.db") as journal:
        await journal.append(some(5_000))
        task = asyncio.create_task(
            journal.backup(str(tmp_path / "b.db"), on_progress=lambda done, total: begun.set())
        )
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not list(tmp_path.glob("b.db*"))


async def test_a_copy_of_a_journal_that_is_written_and_compacted_is_exact(tmp_path, monkeypatch):
    """Whatever goes away meanwhile: the copy has no gap, and its base."""
    monkeypatch.setattr(copying, "COPIED_AT_ONCE", 50)
    async with SqliteJournal(tmp_path / "a.db") as journal:
        await journal.append(some(6_000))
        everything = await journal.query()

        async def change():
            for at in range(500, 5_000, 500):
                await journal.append(some(50))
                await journal.snapshot_by_fold()
                await journal.compact(at)

        copied, _ = await asyncio.gather(journal.backup(str(tmp_path / "b.db")), change())
        assert copied.latest_seq == 6_000
        found = await whole(tmp_path / "b.db")
        assert found == everything[copied.oldest_seq - 1 :]
        async with SqliteJournal(tmp_path / "b.db", read_only=True) as copy:
            assert (await copy.state()).live == fold(None, everything).live
