"""A journal with a mirror is thinned: lines stay, both sides agree, what comes back is thinned again."""

import shutil
from pathlib import Path

import pytest

from clasp_journal.mirror import forget_lines, parity, rebuild, verify_chain
from clasp_journal.restore import fold
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.samples import same_state
from clasp_journal.thinned import was_thinned
from tests.journal.mirror.stage import Files
from tests.journal.sqlite.test_thinning import LAST_US, SAMPLED, a_past

COUNT = 300


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A journal and its mirror, to be begun."""
    return Files(tmp_path)


async def thinned(files: Files) -> int:
    """A past that is thinned; how many entries went."""
    async with files.journal() as journal:
        await journal.append(a_past(COUNT))
        return await journal.thin(SAMPLED, before_us=LAST_US)


async def must_be_true(journal: SqliteJournal, blanks: int) -> None:
    """The state is, the file is, and so many entries are not there."""
    assert same_state(await journal.state(), fold(None, a_past(COUNT)))
    assert (await journal.verify()).problems == []
    assert sum(map(was_thinned, await journal.query())) == blanks


async def test_both_sides_agree_about_what_was_thinned(files: Files) -> None:
    """Whole lines stand for blanks; and nobody takes their content away, or explains another blank by it."""
    gone = await thinned(files)
    async with files.journal() as journal:
        found = await parity(journal, files.mirror)
        assert (found.is_consistent, found.removed) == (True, gone)
        await must_be_true(journal, gone)
    assert verify_chain(files.mirror).is_intact
    assert forget_lines(files.mirror) == 0
    other = Files(files.db.parent / "other")
    other.db.parent.mkdir()
    async with other.journal() as journal:
        await journal.append(a_past(COUNT))
    shutil.copy(other.mirror, files.mirror)
    async with files.alone() as journal:
        assert (await parity(journal, files.mirror)).differing_count == gone


async def test_a_journal_that_comes_back_is_whole_and_can_be_thinned_again(
    files: Files, tmp_path: Path
) -> None:
    """Into nothing, beside the blanks that are there, and into an older copy."""
    async with files.journal() as journal:
        await journal.append(a_past(COUNT)[:100])
    shutil.copy(files.db, tmp_path / "older.db")
    async with files.journal() as journal:
        await journal.append(a_past(COUNT)[100:])
        gone = await journal.thin(SAMPLED, before_us=LAST_US)
        there = await journal.query(limit=COUNT)
    for name in ("fresh.db", "older.db"):
        async with SqliteJournal(tmp_path / name) as journal:
            assert (await rebuild(journal, files.mirror)).parity.is_consistent
            await must_be_true(journal, 0)
            assert await journal.thin(SAMPLED, before_us=LAST_US) == gone
            assert await journal.query(limit=COUNT) == there
            assert (await parity(journal, files.mirror)).differing_count == 0
    async with files.alone() as journal:
        done = await rebuild(journal, files.mirror)
        assert (done.inserted, done.identical, done.parity.is_consistent) == (0, COUNT + 2, True)


async def test_who_is_forgotten_later_is_forgotten_on_both_sides(files: Files) -> None:
    """The lines that stood for blanks lose their content with the others."""
    gone = await thinned(files)
    async with files.journal() as journal:
        assert await journal.forget("s1") == COUNT - gone - sum(not e.author for e in a_past(COUNT))
        assert (await parity(journal, files.mirror)).is_consistent
    assert forget_lines(files.mirror) >= COUNT - gone
    async with files.journal() as journal:
        assert (await parity(journal, files.mirror)).is_consistent
    assert verify_chain(files.mirror).is_intact
