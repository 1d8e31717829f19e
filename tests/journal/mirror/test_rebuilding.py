"""A journal brought back from its mirror: all of it, once, or nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import JournalCorrupt, JournalUnavailable
from clasp_journal.forgetting import is_blank
from clasp_journal.mirror import DifferingEntry, forget_lines, parity, rebuild, verify_chain
from clasp_journal.restore import fold
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.samples import same_state
from tests.crash.model import entry_at
from tests.journal.mirror.stage import Files, entries_from, recorded


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Where a journal and its mirror are to be."""
    folder = tmp_path / "here"
    folder.mkdir()
    return Files(folder)


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A database that is not there yet."""
    return tmp_path / "fresh.db"


async def test_an_empty_journal_becomes_what_was_lost(files: Files, fresh: Path) -> None:
    """Entries, times, state and numbers; the epoch is a new one, and the mirror goes on with it."""
    kept = await recorded(files, [900, 200, 1, 1])
    lost = verify_chain(files.mirror).epoch
    async with SqliteJournal(fresh) as journal:
        done = await rebuild(journal, files.mirror)
        assert (done.inserted, done.identical, done.has_base) == (1_102, 0, True)
        assert done.parity.is_consistent
        assert await journal.since(0) == kept
        assert journal.epoch == done.epoch != lost
        times = sorted(entry.timestamp for entry in kept)
        half = await journal.query(from_=times[100], to=times[700])
        assert half == [entry for entry in kept if times[100] <= entry.timestamp <= times[700]]
        again = await rebuild(journal, files.mirror)
        assert (again.inserted, again.identical, again.epoch) == (0, 1_102, done.epoch)
    async with SqliteJournal(fresh, mirror=files.mirror) as journal:
        assert journal.epoch == done.epoch
        assert await journal.append(entries_from(1_103, 1)) == 1_103
        assert same_state(await journal.state(), fold(None, entries_from(1, 1_103)))
    async with SqliteJournal(fresh) as journal:
        assert (await journal.verify()).is_intact
    assert verify_chain(files.mirror).epoch == done.epoch


async def test_a_damaged_journal_is_set_aside_and_comes_back(files: Files) -> None:
    """The journal that then begins is not the mirror's, until it is rebuilt."""
    kept = await recorded(files, [50])
    content = bytearray(files.db.read_bytes())
    content[30:3_000] = bytes(2_970)
    files.db.write_bytes(content)
    with pytest.raises(JournalUnavailable, match="mirror rebuild"):
        await SqliteJournal(files.db, mirror=files.mirror, on_corrupt="set_aside").open()
    async with files.alone() as journal:
        assert (await rebuild(journal, files.mirror)).inserted == 50
    async with files.journal() as journal:
        assert await journal.since(0) == kept


async def test_a_hole_is_filled(files: Files) -> None:
    """Entries that somebody deleted from the middle; snapshots made meanwhile do not count any more."""
    kept = await recorded(files, [100])
    delete(files, "seq IN (40, 41, 42, 77)")
    async with files.alone() as journal:
        found = await parity(journal, files.mirror)
        assert [tuple(each) for each in found.missing_in_journal.ranges] == [(40, 42), (77, 77)]
        assert (found.is_consistent, found.first_seq) == (False, 40)
        await journal.snapshot([])
        done = await rebuild(journal, files.mirror)
        assert (done.inserted, done.identical, done.parity.is_consistent) == (4, 96, True)
        assert await journal.since(0) == kept
        assert same_state(await journal.state(), fold(None, kept))


async def test_the_first_difference_fails_everything(files: Files, tmp_path: Path) -> None:
    """Both digests are told, and nothing is written, not even what was missing before it."""
    await recorded(files, [59])
    older = files.copied(tmp_path / "older")
    await recorded(files, [40])
    delete(older, "seq = 20")
    async with older.alone() as journal:
        await journal.append(entry_at(60)._replace(author="nobody"))
        found = await parity(journal, files.mirror)
        assert [difference.seq for difference in found.differing] == [60]
        with pytest.raises(DifferingEntry) as raised:
            await rebuild(journal, files.mirror)
        assert raised.value.seq == 60
        assert raised.value.digest_in_journal.hex() == found.differing[0].digest_in_journal
        assert raised.value.digest_in_mirror.hex() == found.differing[0].digest_in_mirror
        assert found == await parity(journal, files.mirror), "nothing was written"


def delete(files: Files, where: str) -> None:
    """Remove entries as somebody does who has another SQLite tool."""
    with closing(sqlite3.connect(files.db)) as db, db:
        db.execute(f"DELETE FROM entry WHERE {where}")


async def test_a_broken_line_fails_everything(files: Files, fresh: Path) -> None:
    """The line is named, and the journal stays empty."""
    await recorded(files, [100])
    content = bytearray(files.mirror.read_bytes())
    content[content.index(b'{"seq":70,') + 30] ^= 1
    files.mirror.write_bytes(content)
    async with SqliteJournal(fresh) as journal:
        with pytest.raises(JournalCorrupt, match="line 71"):
            await rebuild(journal, files.mirror)
        assert await journal.is_empty()


async def test_a_journal_with_entries_of_its_own_is_not_mixed(files: Files, fresh: Path) -> None:
    """It is another one, whatever its numbers."""
    await recorded(files, [10])
    async with SqliteJournal(fresh) as journal:
        await journal.append(entries_from(1, 3))
        with pytest.raises(JournalUnavailable, match="entries of its own"):
            await rebuild(journal, files.mirror)


async def test_what_retention_removed_stays_removed(files: Files, fresh: Path) -> None:
    """Neither parity nor a rebuild misses it, and the states after it can be told."""
    async with files.journal() as journal:
        await journal.append(entries_from(1, 400))
        assert await journal.retain(count=150)
        kept = await journal.since(0)
        state = await journal.state()
        found = await parity(journal, files.mirror)
        assert (found.is_consistent, found.removed) == (True, 401 - len(kept))
    async with SqliteJournal(fresh) as journal:
        done = await rebuild(journal, files.mirror)
        assert (done.inserted, done.has_base) == (len(kept), True)
        assert await journal.since(0) == kept
        assert same_state(await journal.state(), state)
        assert done.parity.is_consistent


async def test_numbers_of_removed_entries_are_not_given_again(files: Files, fresh: Path) -> None:
    """Not even if all of them were removed."""
    async with files.journal() as journal:
        await journal.append(entries_from(1, 40))
        await journal.compact(41)
    async with SqliteJournal(fresh) as journal:
        await rebuild(journal, files.mirror)
        assert (await journal.len(), await journal.latest_seq()) == (0, 40)
        assert same_state(await journal.state(), fold(None, entries_from(1, 40)))


def forgotten(author: str, at_us: int) -> JournalEntry:
    """The entry that says that the entries of one author were removed."""
    return JournalEntry(at_us, "", "", EntryKind.FORGET, details=values.encode({"author": author}))


async def test_a_forgotten_author_stays_forgotten(files: Files, fresh: Path) -> None:
    """Lines keep their digest, the chain holds, and a rebuild leaves them out."""
    async with files.journal() as journal:
        await journal.append(entries_from(1, 200))
        await journal.append(forgotten("s1", 1_800_000_000_000_000))
        await journal.append(entries_from(202, 20))
    gone = [seq for seq in range(1, 201) if entry_at(seq).author == "s1"]
    head = verify_chain(files.mirror).head
    assert forget_lines(files.mirror) == len(gone)
    assert forget_lines(files.mirror) == 0
    found = verify_chain(files.mirror)
    assert (found.is_intact, found.forgotten, found.head) == (True, len(gone), head)
    assert all(
        b'"digest"' in line for line in files.lines() if line[7:].split(b",")[0] in map(b"%d".__mod__, gone)
    )
    async with SqliteJournal(fresh) as journal:
        done = await rebuild(journal, files.mirror)
        assert done.inserted == 221
        assert done.parity.is_consistent
        assert done.parity.removed == len(gone)
        found = await journal.since(0)
        assert {entry.seq for entry in found if is_blank(entry)} == set(gone)
        assert not [entry for entry in found if entry.author == "s1" and entry.seq <= 200]
    async with files.alone() as journal:
        assert (await parity(journal, files.mirror)).is_consistent, (
            "the digests still are those of the entries"
        )


async def test_lines_that_the_journal_lacks_and_has_are_named(files: Files) -> None:
    """Counts on both sides, and the first number that is not the same."""
    await recorded(files, [30])
    async with files.alone() as journal:
        await journal.append(entries_from(31, 12))
        found = await parity(journal, files.mirror)
    assert (found.in_journal, found.in_mirror, found.is_consistent) == (42, 30, False)
    assert [tuple(each) for each in found.missing_in_mirror.ranges] == [(31, 42)]
    assert (found.missing_in_mirror.count, found.first_seq) == (12, 31)


async def test_a_mirror_out_of_order_is_not_consistent(files: Files) -> None:
    """What cannot be compared is said, not skipped."""
    await recorded(files, [30])
    lines = files.lines()
    files.mirror.write_bytes(b"".join([*lines[:9], lines[4], *lines[9:]]))
    async with files.alone() as journal:
        found = await parity(journal, files.mirror)
    assert not found.is_consistent
    assert "behind entry 8" in found.disorder
