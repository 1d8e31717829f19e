"""Whatever a crash leaves: opened together, both sides have the same, and nothing that counted is lost."""

from pathlib import Path

import pytest

from clasp_journal.errors import JournalCorrupt
from clasp_journal.mirror import parity, verify_chain
from clasp_journal.sqlite.journal import SqliteJournal
from tests.crash.model import entry_at
from tests.journal.mirror.stage import Files, entries_from, recorded


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Where a journal and its mirror are to be."""
    folder = tmp_path / "here"
    folder.mkdir()
    return Files(folder)


async def must_agree(files: Files, count: int) -> str:
    """Open both together: they have this many entries, each the one that it has to be. Returns the epoch."""
    async with files.journal() as journal:
        assert await journal.since(0) == entries_from(1, count)
        epoch = journal.epoch
        found = await parity(journal, files.mirror)
        assert found.is_consistent, found
        assert (found.in_journal, found.in_mirror) == (count, count)
    chain = verify_chain(files.mirror)
    assert (chain.is_intact, chain.torn, chain.last_seq, chain.epoch) == (True, None, count, epoch)
    return epoch


async def test_what_only_the_mirror_has_is_taken_over(files: Files, tmp_path: Path) -> None:
    """Also by a copy of the database that is much older."""
    await recorded(files, [5, 7])
    older = files.copied(tmp_path / "older")
    await recorded(files, [300, 1])
    (older.folder / "show.jsonl").write_bytes(files.mirror.read_bytes())
    await must_agree(older, 313)


async def test_what_only_the_journal_has_is_copied(files: Files) -> None:
    """A mirror that is new, and one that was left out for a while."""
    async with files.alone() as journal:
        await journal.append(entries_from(1, 2_500))
    await must_agree(files, 2_500)
    async with files.alone() as journal:
        await journal.append(entries_from(2_501, 4))
    await must_agree(files, 2_504)


async def test_a_new_mirror_of_a_journal_that_was_compacted(files: Files) -> None:
    """It begins where the journal does."""
    async with files.alone() as journal:
        await journal.append(entries_from(1, 50))
        await journal.compact(21)
    async with files.journal() as journal:
        assert (await parity(journal, files.mirror)).is_consistent
    found = verify_chain(files.mirror)
    assert (found.first_seq, found.last_seq, found.is_intact) == (21, 50, True)


async def test_a_mirror_that_was_left_out_while_entries_were_removed(files: Files) -> None:
    """What nobody has any more is named as removed, and the numbers go on."""
    await recorded(files, [10])
    async with files.alone() as journal:
        await journal.append(entries_from(11, 40))
        await journal.compact(31)
    async with files.journal() as journal:
        found = await parity(journal, files.mirror)
        assert (found.is_consistent, found.removed) == (True, 10)
    chain = verify_chain(files.mirror)
    assert (chain.is_intact, chain.entries, chain.last_seq) == (True, 30, 50)


async def test_any_cut_of_the_mirror_is_filled_up(files: Files, tmp_path: Path) -> None:
    """A crash may lose any part of its end: the journal has it all."""
    await recorded(files, [4, 6, 1])
    content = files.mirror.read_bytes()
    for at, size_bytes in enumerate(range(0, len(content), 61)):
        copy = files.copied(tmp_path / f"cut-{at}")
        copy.mirror.write_bytes(content[:size_bytes])
        await must_agree(copy, 11)


async def test_an_append_that_was_not_whole_does_not_count(files: Files, tmp_path: Path) -> None:
    """Lines of an append that was cut short are no entries, not even those that are whole."""
    await recorded(files, [4])
    older = files.copied(tmp_path / "older")
    await recorded(files, [6])
    content = files.mirror.read_bytes()
    for at, number in enumerate((5, 8, 9)):
        copy = older.copied(tmp_path / f"cut-{at}")
        begun = content.index(b'{"seq":%d,' % number)
        copy.mirror.write_bytes(content[: begun + 40])
        torn = verify_chain(copy.mirror).torn
        assert torn is not None
        assert torn.seq == 5
        await must_agree(copy, 4)


async def stop_the_machine(files: Files, copy: Path) -> Files:
    """A copy of both whose last writer neither closed them nor is on this machine any more."""
    async with files.journal() as journal:
        assert journal._storage is not None
        await journal._storage.writer.change_meta(boot_id="another run of the machine")
        await journal.append(entries_from(await journal.latest_seq() + 1, 3))
        return files.copied(copy)


async def test_a_power_cut_begins_an_epoch_in_both(files: Files, tmp_path: Path) -> None:
    """The mirror goes on in the new epoch of its journal."""
    await recorded(files, [4])
    first = verify_chain(files.mirror).epoch
    copy = await stop_the_machine(files, tmp_path / "copy")
    assert await must_agree(copy, 7) != first
    assert await must_agree(copy, 7) != first


async def test_what_a_power_cut_has_garbled_is_set_aside(files: Files, tmp_path: Path) -> None:
    """Lines that never reached the disk may be zeros in the middle of the file: they are written again."""
    await recorded(files, [4])
    copy = await stop_the_machine(files, tmp_path / "copy")
    content = bytearray(copy.mirror.read_bytes())
    hole = content.index(b'{"seq":6,')
    content[hole : hole + 50] = bytes(50)
    copy.mirror.write_bytes(content)
    await must_agree(copy, 7)
    [aside] = copy.folder.glob("*.damaged-*")
    assert bytes(50) in aside.read_bytes()


async def test_another_last_entry_is_refused(files: Files, tmp_path: Path) -> None:
    """The database went its own way without the mirror: nobody decides which one is right but a person."""
    await recorded(files, [4])
    other = files.copied(tmp_path / "other")
    await recorded(files, [2])
    async with other.alone() as journal:
        await journal.append([entry_at(7), entry_at(8)])
    with pytest.raises(JournalCorrupt, match="entry 6 is another one"):
        await SqliteJournal(other.db, mirror=files.mirror).open()


async def test_forced_compaction_begins_an_epoch_in_both(files: Files) -> None:
    """And what it removes is not missing."""
    async with files.journal() as journal:
        await journal.append(entries_from(1, 30))
        await journal.compact(11, force=True)
        await journal.append(entries_from(31, 2))
        epoch = journal.epoch
        found = await parity(journal, files.mirror)
        assert (found.is_consistent, found.removed) == (True, 10)
    assert verify_chain(files.mirror).epoch == epoch
    async with files.journal() as journal:
        assert journal.epoch == epoch


async def test_a_restored_past_does_not_take_over_the_present(files: Files, tmp_path: Path) -> None:
    """A copy of an earlier state is another journal, and its mirror another file."""
    async with files.journal() as journal:
        await journal.append(entries_from(1, 9))
        await journal.restore(str(tmp_path / "past.db"), 5)
    with pytest.raises(Exception, match="another journal"):
        await SqliteJournal(tmp_path / "past.db", mirror=files.mirror).open()
