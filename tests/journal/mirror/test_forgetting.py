"""An author is forgotten in a journal with a mirror: both sides agree, whatever stops in between."""

import gzip
import shutil
from pathlib import Path

import pytest

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.forgetting import is_blank, told_by
from clasp_journal.mirror import forget_lines, parity, rebuild, verify_chain
from clasp_journal.mirror.segments import closed_segments, open_segment
from clasp_journal.restore import fold
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.authors import a_crowd
from clasp_journal.testing.samples import same_state
from tests.journal.mirror.stage import Files

SINGLE = 20
"""Entries of each of the three authors."""


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A journal and its mirror, to be begun."""
    return Files(tmp_path)


async def with_a_crowd(files: Files) -> list[JournalEntry]:
    """Three authors take turns; returns what they wrote."""
    async with files.journal() as journal:
        await journal.append(a_crowd(3 * SINGLE))
    return a_crowd(3 * SINGLE)


async def must_have_forgotten(journal: SqliteJournal, kept: list[JournalEntry]) -> None:
    """The first author is gone, the state is not."""
    found = await journal.query()
    assert sum(map(is_blank, found)) == SINGLE
    assert sum(told_by(entry) is not None for entry in found) == 1
    assert await journal.query(author="desk") == []
    assert same_state(await journal.state(), fold(None, kept))


async def test_forgetting_keeps_both_sides_consistent(files: Files) -> None:
    """Before and after the lines lost what was forgotten; and the journal can be opened with both."""
    kept = await with_a_crowd(files)
    async with files.journal() as journal:
        assert await journal.forget("desk") == SINGLE
        await journal.append(a_crowd(2)[1:])
        kept += a_crowd(2)[1:]
    for lines in (SINGLE, 0, 0):
        async with files.journal() as journal:
            await must_have_forgotten(journal, kept)
            found = await parity(journal, files.mirror)
            assert (found.is_consistent, found.removed) == (True, SINGLE)
        assert verify_chain(files.mirror).is_intact
        assert forget_lines(files.mirror) == lines
    assert b'"author":"desk"' not in files.mirror.read_bytes().replace(b'{"author":"desk"', b"")


async def test_a_journal_comes_back_without_what_was_forgotten(files: Files, tmp_path: Path) -> None:
    """With its state, as long as the lines tell it; after that only what can be told is told."""
    kept = await with_a_crowd(files)
    async with files.journal() as journal:
        await journal.forget("desk")
    async with SqliteJournal(tmp_path / "fresh.db") as fresh:
        done = await rebuild(fresh, files.mirror)
        assert done.has_base
        assert done.parity.is_consistent
        await must_have_forgotten(fresh, kept)
        assert (await fresh.verify()).is_intact
    forget_lines(files.mirror)
    async with SqliteJournal(tmp_path / "later.db") as later:
        done = await rebuild(later, files.mirror)
        assert (done.has_base, done.parity.is_consistent) == (False, True)
        with pytest.raises(HistoryIncomplete, match="forgotten"):
            await later.state()
        assert await later.query(author="wing") == [
            entry._replace(seq=seq) for seq, entry in enumerate(kept, 1) if entry.author == "wing"
        ]


async def test_an_act_that_only_the_mirror_has_is_carried_out(files: Files, tmp_path: Path) -> None:
    """The process ended between the two, or the database is an older copy."""
    kept = await with_a_crowd(files)
    shutil.copy(files.db, tmp_path / "older.db")
    async with files.journal() as journal:
        await journal.forget("desk")
    shutil.copy(tmp_path / "older.db", files.db)
    async with files.journal() as journal:
        await must_have_forgotten(journal, kept)
        assert (await parity(journal, files.mirror)).is_consistent
        assert (await journal.verify()).is_intact


async def test_an_act_that_comes_back_by_rebuilding_is_carried_out(files: Files, tmp_path: Path) -> None:
    """What it covers was still there."""
    kept = await with_a_crowd(files)
    shutil.copy(files.db, tmp_path / "older.db")
    async with files.journal() as journal:
        await journal.forget("desk")
    async with SqliteJournal(tmp_path / "older.db") as journal:
        done = await rebuild(journal, files.mirror)
        assert (done.has_base, done.parity.is_consistent) == (True, True)
        await must_have_forgotten(journal, kept)
        assert (await journal.verify()).is_intact


async def test_forgetting_while_the_mirror_is_left_out_is_no_tampering(files: Files) -> None:
    """The last entry that both have may be a blank in the journal."""
    kept = await with_a_crowd(files)
    async with files.alone() as journal:
        await journal.forget("console")
        assert is_blank((await journal.query())[59])
    async with files.journal() as journal:
        assert (await parity(journal, files.mirror)).is_consistent
        assert same_state(await journal.state(), fold(None, kept))


async def test_nothing_is_forgotten_in_one_of_two_copies_only(files: Files) -> None:
    """The process ended after a file was compressed and before the other one went, or in the middle of it;
    the next one compressed another way.
    """
    async with files.journal(segment_bytes=2_000, compress="gzip") as journal:
        for entry in a_crowd(3 * SINGLE):
            await journal.append(entry)
        await journal.forget("desk")
    packed = sorted(files.folder.glob("show.jsonl.*.gz"))
    for file in packed:
        with gzip.open(file) as lines:
            file.with_suffix("").write_bytes(lines.read())
    packed[1].with_suffix("").rename(packed[1].with_suffix(".zst"))
    shutil.copy(packed[0], f"{files.mirror}.000099.gz.part")
    assert forget_lines(files.mirror) == SINGLE
    assert verify_chain(files.mirror).is_intact
    left = sorted(str(file) for file in files.folder.iterdir() if file.name.startswith("show.jsonl.0"))
    assert left == closed_segments(str(files.mirror))
    assert len(left) == len(packed)
    for file in (*left, str(files.mirror)):
        with open_segment(file) as lines:
            assert b'"author":"desk"' not in lines.read().replace(b'{"author":"desk"', b"")
