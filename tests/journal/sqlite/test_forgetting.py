"""Forgetting in a file: in slices, interruptible anywhere, and nothing is left between the lines."""

import asyncio
from pathlib import Path

import pytest

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.forgetting import Forgotten, act_of, is_blank, told_by
from clasp_journal.sqlite import SqliteJournal, slicing
from tests.journal.sqlite.making import START_US, facts, folded, was_sent, was_set
from tests.journal.sqlite.test_compaction import after_each_slice, copied

COUNT = 3_000


def a_past(count: int = COUNT) -> list[JournalEntry]:
    """Two authors who take turns on the same params, and an event now and then."""
    told = []
    for n in range(count):
        author = ("desk", "wing")[n // 3 % 2]
        if n % 11 == 0:
            told.append(was_sent("/cue", n, START_US + n)._replace(author=author))
        else:
            told.append(
                JournalEntry.from_set(
                    f"/a/{n % 50}", f"{author} {n}", author=author, timestamp=START_US + n, revision=n + 1
                )
            )
    return told


async def test_forgetting_that_is_cut_anywhere_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file as it is after each slice is opened as if the process had stopped there."""
    for name in ("ENTRIES_MIN", "ENTRIES_FIRST", "ENTRIES_MAX"):
        monkeypatch.setattr(slicing, name, 500)
    path, told = tmp_path / "j.db", a_past()
    copies: list[Path] = []
    async with SqliteJournal(path) as journal:
        await journal.append(told)

        def cut() -> None:
            copies.append(copied(path, tmp_path / f"cut-{len(copies)}.db"))

        cut()
        after_each_slice(monkeypatch, cut)
        assert await journal.forget("desk") == sum(entry.author == "desk" for entry in told)
    assert len(copies) > 3
    ends = set()
    for copy in tuple(copies):
        async with SqliteJournal(copy) as journal:
            acts = [entry for entry in await journal.query(after_seq=COUNT) if told_by(entry)]
            left = await journal.query(author="desk")
            assert len(left) == (0 if acts else sum(entry.author == "desk" for entry in told))
            ends.add(bool(acts))
            assert facts(await journal.state()) == facts(folded(told))
            assert await journal.query(author="wing") == [
                entry._replace(seq=seq) for seq, entry in enumerate(told, 1) if entry.author == "wing"
            ]
            assert (await journal.verify()).problems == []
    assert ends == {False, True}


async def test_what_was_forgotten_is_nowhere_in_the_file(tmp_path: Path) -> None:
    """Not in a free place of a page, not in an old snapshot, not in the log; what is still true is."""
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as journal:
        for n in range(40):
            secret = f"secret number {n} " + "x" * 3_000 * (n % 2)
            await journal.append(was_set("/a", secret, START_US + n, n + 1)._replace(author="desk"))
            await journal.append(was_set("/b", n, START_US + n, n + 1))
            if n % 7 == 0:
                await journal.snapshot_by_fold()
        await journal.forget("desk")
        state = await journal.state()
        assert str(state.live["/a"].value).startswith("secret number 39")
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"secret number 39" in content
    assert b"secret number 3 " not in content
    assert [n for n in range(39) if f"secret number {n} ".encode() in content] == []


async def test_entries_get_in_between_the_slices_of_a_forgetting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An append does not wait for a long removal to be done; what it adds is not removed."""
    monkeypatch.setattr(slicing, "ENTRIES_FIRST", 200)
    monkeypatch.setattr(slicing, "ENTRIES_MAX", 200)
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append(a_past())
        finished = []

        async def forget() -> None:
            await journal.forget("desk")
            finished.append("forgetting")

        async def append() -> None:
            for _ in range(3):
                await asyncio.sleep(0)
            for entry in a_past(3):
                await journal.append(entry)
                finished.append("append")

        await asyncio.gather(forget(), append())
        assert finished[-1] == "forgetting"
        late = await journal.query(author="desk")
        assert all(entry.seq > COUNT for entry in late)


async def test_copies_know_what_was_forgotten(tmp_path: Path) -> None:
    """A backup tells the same states; a journal as it was when that was forgotten is not made up."""
    told = a_past(60)
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append(told)
        await journal.forget("desk")
        await journal.append(a_past(9))
        await journal.backup(str(tmp_path / "backup.db"))
        await journal.restore(str(tmp_path / "then.db"), 62)
        with pytest.raises(HistoryIncomplete, match="forgotten"):
            await journal.restore(str(tmp_path / "before.db"), 30)
        assert not (tmp_path / "before.db").exists()
        wanted = facts(await journal.state())
    async with SqliteJournal(tmp_path / "backup.db") as backup, SqliteJournal(tmp_path / "then.db") as then:
        assert facts(await backup.state()) == wanted
        assert facts(await backup.state(60)) == facts(folded(told))
        assert facts(await then.state(60)) == facts(folded(told))
        assert sum(is_blank(entry) for entry in await then.query()) == 30
        assert (await backup.verify()).is_intact


async def test_verify_finds_what_an_act_should_have_removed(tmp_path: Path) -> None:
    """An act that was not carried out, and that nothing marks as not done yet."""
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append(a_past(60))
        await journal.append(act_of(Forgotten("wing", 4, 60, 30), at_us=START_US))
        found = await journal.verify()
        assert (found.is_intact, found.first_bad_seq) == (False, 4)
        assert "entry 4 should have been forgotten: entry 61 says so" in found.problems
        await journal.forget("wing")
        found = await journal.verify()
        assert (found.problems, found.forgotten) == ([], 30)
