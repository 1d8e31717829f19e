"""Removing entries: in slices, interruptible anywhere, and the space comes back."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.sqlite import SqliteJournal, slicing
from clasp_journal.sqlite.transactions import writing
from clasp_journal.sqlite.upkeep import compaction
from tests.journal.sqlite.making import START_US, expired, facts, folded, was_set

COUNT = 3_000


def a_past() -> list[JournalEntry]:
    """Params that come, change and go."""
    told = []
    for n in range(COUNT):
        address = f"/a/{n % 50}"
        told.append(
            expired(address, n // 50) if n % 97 == 0 else was_set(address, n, START_US + n, n // 50 + 1)
        )
    return told


async def test_a_compaction_that_is_cut_anywhere_leaves_every_later_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file as it is after each slice is opened as if the machine had stopped there."""
    for name in ("ENTRIES_MIN", "ENTRIES_FIRST", "ENTRIES_MAX"):
        monkeypatch.setattr(slicing, name, 400)
    path, told, cut = tmp_path / "j.db", a_past(), 2_001
    copies: list[Path] = []
    async with SqliteJournal(path) as journal:
        await journal.append(told)
        await journal.snapshot_by_fold()
        after_each_slice(monkeypatch, lambda: copies.append(copied(path, tmp_path / f"cut-{len(copies)}.db")))
        assert await journal.compact(cut) == cut - 1
    assert len(copies) == 1 + 5 + 1, "of the fold, the removal, the free space"
    for copy in tuple(copies):
        async with SqliteJournal(copy) as journal:
            assert 1 <= await journal.oldest_seq() <= cut
            for at_seq in (cut - 1, cut, cut + 500, COUNT):
                assert facts(await journal.state(at_seq)) == facts(folded(told[:at_seq]))
            await journal.snapshot_by_fold()
            await journal.compact(cut)
            assert await journal.oldest_seq() == cut
            assert facts(await journal.state(cut - 1)) == facts(folded(told[: cut - 1]))
            report = await journal.verify()
            assert report.problems == []


def after_each_slice(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[], None], *, took_s: float = 0.0
) -> None:
    """Do something whenever a slice of a long work has been committed, which seems to have taken so long."""
    end = slicing.Slices.end

    def end_and_act(slices: slicing.Slices) -> None:
        slices._began_s -= took_s
        end(slices)
        act()

    monkeypatch.setattr(slicing.Slices, "end", end_and_act)


def copied(path: Path, target: Path) -> Path:
    """The files as they are on the disk; committed pages are never written twice in the log."""
    for suffix in ("-wal", ""):
        source = path.with_name(path.name + suffix)
        if source.exists():
            shutil.copy(source, target.with_name(target.name + suffix))
    return target


async def test_space_comes_back(tmp_path: Path) -> None:
    """The file shrinks by what was removed."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        await journal.append([was_set(f"/a/{n % 50}", "x" * 100, START_US + n, n) for n in range(20_000)])
        await journal.compact(19_000)
    assert path.stat().st_size < 500_000


async def test_space_comes_back_many_pages_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction for each page would keep others waiting for most of the time that all of it takes."""
    transactions: list[None] = []

    def counted(db: sqlite3.Connection) -> AbstractContextManager[None]:
        transactions.append(None)
        return writing(db)

    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append([was_set(f"/a/{n % 50}", "x" * 3_000, START_US + n, n) for n in range(1_000)])
        monkeypatch.setattr(compaction, "writing", counted)
        await journal.compact(1_000)
    assert (tmp_path / "j.db").stat().st_size < 500_000
    assert len(transactions) < 20


@pytest.mark.parametrize("is_base_there", [False, True])
async def test_a_removal_rests_after_each_slice_for_as_long_as_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_base_there: bool
) -> None:
    """With one that seems to have taken an hour, of the fold or of the removal, the next waits for ever."""
    monkeypatch.setattr(slicing, "ENTRIES_FIRST", 100)
    sliced = asyncio.Event()
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append(a_past())
        if is_base_there:
            await journal.snapshot_by_fold()
        after_each_slice(monkeypatch, sliced.set, took_s=3_600.0)
        removal = asyncio.create_task(journal.compact(COUNT + 1))
        async with asyncio.timeout(30):
            await sliced.wait()
        for n in range(3):
            await journal.append(was_set("/a", n))
        assert await journal.oldest_seq() == (101 if is_base_there else 1)
        removal.cancel()
        await asyncio.gather(removal, return_exceptions=True)


async def test_numbers_go_on_after_everything_was_removed_and_the_file_was_reopened(tmp_path: Path) -> None:
    """A number is never given twice."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        await journal.append(a_past())
        assert await journal.compact(COUNT + 1) == COUNT
        assert await journal.is_empty()
    async with SqliteJournal(path) as journal:
        assert await journal.latest_seq() == COUNT
        assert await journal.oldest_seq() == COUNT + 1
        assert facts(await journal.state()) == facts(folded(a_past()))
        assert await journal.append(was_set("/a", 1)) == COUNT + 1
        assert (await journal.query("/a", START_US, START_US))[0].seq == COUNT + 1


async def test_entries_get_in_between_the_slices_of_a_compaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An append does not wait for a long removal to be done."""
    monkeypatch.setattr(slicing, "ENTRIES_MAX", 200)
    monkeypatch.setattr(slicing, "ENTRIES_FIRST", 200)
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append(a_past())
        finished = []

        async def compact() -> None:
            await journal.compact(COUNT)
            finished.append("compaction")

        async def append() -> None:
            for n in range(3):
                await journal.append(was_set("/a", n))
                finished.append("append")

        await asyncio.gather(compact(), append())
        assert finished == ["append", "append", "append", "compaction"]


async def test_a_forced_compaction_begins_a_new_epoch(tmp_path: Path) -> None:
    """Whoever read what is gone can tell."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        await journal.append(a_past())
        before = journal.epoch
        await journal.compact(100)
        assert journal.epoch == before
        await journal.compact(200, force=True)
        assert journal.epoch != before
        after = journal.epoch
    async with SqliteJournal(path) as journal:
        assert journal.epoch == after


async def test_retention_keeps_the_newest_entries_and_records_what_it_removed(tmp_path: Path) -> None:
    """By count; the record is the newest entry and counts."""
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append(a_past())
        assert await journal.retain(count=1_000, now_us=START_US) == COUNT - 999
        assert await journal.len() == 1_000
        record = (await journal.query(limit=1, newest=True))[0]
        assert record.kind is EntryKind.REMOVED
        assert record.details is not None
        told = record._replace(encoded=record.details).value
        assert told == {"from": 1, "to": COUNT - 999, "count": COUNT - 999, "rule": "count"}
        assert await journal.retain(count=1_000, now_us=START_US) == 0
        assert facts(await journal.state()) == facts(folded(a_past()))


async def test_retention_by_age_spares_everything_young_even_where_the_clock_went_back(
    tmp_path: Path,
) -> None:
    """What comes after the first young entry stays."""
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append([was_set("/a", n, START_US + n * 1_000_000) for n in range(100)])
        await journal.append([was_set("/a", n, START_US + n * 1_000_000) for n in range(100)])
        now_us = START_US + 100_000_000
        assert await journal.retain(age_us=30_000_000, now_us=now_us) == 70
        assert await journal.oldest_seq() == 71
        assert await journal.retain(age_us=30_000_000, now_us=now_us) == 0


async def test_retention_by_size_brings_the_file_below_it(tmp_path: Path) -> None:
    """With some room until the next run."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        await journal.append([was_set(f"/a/{n % 9}", "x" * 200, START_US + n, n) for n in range(10_000)])
        assert await journal.retain(size_bytes=1_000_000, now_us=START_US) > 5_000
        assert await journal.retain(size_bytes=1_000_000, now_us=START_US) == 0
    assert path.stat().st_size < 1_000_000


async def test_no_rule_removes_nothing(tmp_path: Path) -> None:
    """Nor is anything recorded."""
    async with SqliteJournal(tmp_path / "j.db") as journal:
        assert await journal.retain() == 0
        await journal.append(a_past())
        assert await journal.retain() == 0
        assert await journal.retain(age_us=10, size_bytes=1 << 40, count=COUNT, now_us=START_US) == 0
        assert await journal.latest_seq() == COUNT
