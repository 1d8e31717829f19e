"""Snapshots in the file: written between appends, torn or damaged ones skipped, folds exact."""

import asyncio
import logging
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import restore
from clasp_journal.entry import JournalEntry
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.sqlite import SqliteJournal, folding
from tests.journal.sqlite.making import (
    START_US,
    Growing,
    expired,
    facts,
    folded,
    histories,
    loaded,
    params,
    was_set,
)


@pytest.mark.property
@given(
    parts=st.lists(st.tuples(histories(), st.booleans(), st.booleans()), min_size=1, max_size=4),
    cap=st.integers(0, 3) | st.just(restore.TOMBSTONES_MAX),
)
def test_a_snapshot_by_fold_is_the_fold(
    parts: list[tuple[list[JournalEntry], bool, bool]], cap: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Also after reopening, with changes that tell no revision, and with fewer tombstones than there were."""

    async def story() -> None:
        path = tmp_path_factory.mktemp("fold") / "j.db"
        told: list[JournalEntry] = []
        journal = SqliteJournal(path)
        for part, snapshots, reopens in parts:
            told += part
            await journal.append(part)
            if snapshots:
                assert await journal.snapshot_by_fold() == len(told)
                assert facts(await loaded(journal)) == facts(folded(told))
            if reopens:
                await journal.close()
                journal = SqliteJournal(path)
        await journal.snapshot_by_fold()
        assert facts(await loaded(journal)) == facts(folded(told))
        await journal.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restore, "TOMBSTONES_MAX", cap)
        patch.setattr(folding, "TOMBSTONES_MAX", cap)
        asyncio.run(story())


async def test_a_fold_without_a_base_is_refused(tmp_path: Path) -> None:
    """After a forced compaction the journal does not invent what it cannot know."""
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append([was_set("/a", 1), was_set("/b", 2)])
        await journal.compact(2, force=True)
        with pytest.raises(HistoryIncomplete):
            await journal.snapshot_by_fold()
        assert await journal.load_snapshot() is None


async def test_entries_get_in_between_the_slices_of_a_snapshot(tmp_path: Path) -> None:
    """An append does not wait for a snapshot of many params to be done."""
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append(was_set("/a", 1))
        finished = []

        async def take() -> None:
            await journal.snapshot(params(20_000))
            finished.append("snapshot")

        async def append() -> None:
            for n in range(3):
                await journal.append(was_set("/a", n))
                finished.append("append")

        await asyncio.gather(take(), append())
        assert finished == ["append", "append", "append", "snapshot"]
        snapshot = await journal.load_snapshot()
        assert snapshot is not None
        assert (snapshot.at_seq, snapshot.params) == (1, params(20_000))


async def test_a_torn_snapshot_is_never_loaded_and_is_cleaned_up(tmp_path: Path) -> None:
    """One that was cut short between its slices."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        await journal.append([was_set("/a", 1), was_set("/a", 2)])
        await journal.snapshot(params(3), 1)
        torn = asyncio.ensure_future(journal.snapshot(params(50_000)))
        for n in range(3):
            await journal.append(was_set("/between/slices", n))
        torn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await torn
        assert ask(path, "SELECT count(*) FROM snapshot WHERE NOT complete") == [(1,)]
        kept = await journal.load_snapshot()
        assert kept is not None
        assert kept.at_seq == 1
    async with SqliteJournal(path) as journal:
        await journal.snapshot_by_fold()
        assert ask(path, "SELECT count(*) FROM snapshot WHERE NOT complete") == [(0,)]
        assert ask(
            path, "SELECT count(*) FROM snapshot_param WHERE snapshot_id NOT IN (SELECT id FROM snapshot)"
        ) == [(0,)]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE snapshot_param SET value = 99 WHERE snapshot_id = 2 AND position = 1",
        "UPDATE snapshot_param SET address_id = 1 WHERE snapshot_id = 2 AND position = 1",
        "DELETE FROM snapshot_param WHERE snapshot_id = 2 AND position = 2",
        "UPDATE snapshot SET at_seq = 3 WHERE id = 2",
        "UPDATE snapshot SET revision_floor = 5 WHERE id = 2",
        "UPDATE snapshot SET at_seq = 'x' WHERE id = 2",
        "UPDATE snapshot_param SET revision = 'x' WHERE snapshot_id = 2 AND position = 0",
    ],
)
async def test_a_damaged_snapshot_is_skipped_loudly(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The one before is used, and the log says so."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        await journal.append([was_set("/a", n) for n in range(4)])
        await journal.snapshot(params(3), 1)
        await journal.snapshot(params(3), 2)
    ask(path, damage)
    with caplog.at_level(logging.ERROR, "clasp_journal"):
        async with SqliteJournal(path) as journal:
            kept = await journal.load_snapshot(4)
            assert kept is not None
            assert (kept.at_seq, kept.params) == (1, params(3))
    assert "damaged" in caplog.text


async def test_a_snapshot_written_again_replaces_the_first(tmp_path: Path) -> None:
    """The later one at the same entry counts."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        await journal.append(was_set("/a", 1))
        await journal.snapshot(params(1))
        await journal.snapshot(params(2))
        kept = await journal.load_snapshot()
    assert kept is not None
    assert kept.params == params(2)
    assert ask(path, "SELECT count(*) FROM snapshot") == [(1,)]


@pytest.mark.property
@given(history=histories())
def test_the_view_of_params_shows_what_the_fold_says(history: list[JournalEntry], growing: Growing) -> None:
    """For people who look with another tool."""

    async def story(journal: SqliteJournal, base: int) -> None:
        gone = [expired(param.address, param.revision) for param in (await journal.state()).live.values()]
        await journal.append([*gone, *history])
        state = await journal.state()
        shown = ask(Path(journal.path), "SELECT address, writer, timestamp FROM params")
        assert sorted(shown) == sorted((p.address, p.writer, p.timestamp) for p in state.live.values())
        assert all(timestamp >= START_US for _, _, timestamp in shown)

    growing.tell(story)


def ask(path: Path, statement: str) -> list[tuple[object, ...]]:
    """What another tool would see, or do."""
    db = sqlite3.connect(path, timeout=10)
    try:
        with db:
            return db.execute(statement).fetchall()
    finally:
        db.close()
