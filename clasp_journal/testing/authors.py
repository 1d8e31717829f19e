"""Authors: what one of them wrote is found, followed and counted apart from what others did."""

from __future__ import annotations

import asyncio

from clasp_journal.authors import Author
from clasp_journal.entry import JournalEntry
from clasp_journal.journal import Cursor, Journal
from clasp_journal.selection import Selection
from clasp_journal.testing.samples import Make, stored, take, was_published, was_set


def by(author: str, n: int, address: str = "/a", name: str | None = None) -> JournalEntry:
    """A SET of one author."""
    return was_set(address, n, n, author=author)._replace(name=name, revision=n + 1)


def a_crowd(count: int) -> list[JournalEntry]:
    """Entries of three authors in turn; the third is known by a name, too, under two sessions."""
    entries = []
    for n in range(count):
        third = by(f"session-{n // 3 % 2}", n, "/c", "console")
        entries.append((by("desk", n, f"/d/{n % 5}"), by("wing", n, f"/d/{n % 4}"), third)[n % 3])
    return entries


async def check_an_author_is_found_by_any_name(make: Make) -> None:
    """The session, the subject, or the name of the client: whichever somebody knows."""
    async with await make() as journal:
        kept = await stored(journal, a_crowd(30))
        for word in ("desk", "session-0", "session-1", "console", "nobody"):
            mine = [entry for entry in kept if word in (entry.author, entry.name)]
            author = Author(journal, word)
            assert await author.entries() == mine, f"the entries of {word}"
            assert await author.count() == len(mine), f"the count of {word}"
            assert await author.latest_seq() == (mine[-1].seq if mine else 0), f"the last of {word}"
            assert await author.entries(after_seq=15) == [entry for entry in mine if entry.seq > 15]
            assert await author.entries(limit=3) == mine[:3]


async def check_an_author_is_followed_alone(make: Make) -> None:
    """History and then live, without what others write in between."""
    async with await make() as journal:
        kept = await stored(journal, a_crowd(9))
        following = take(Author(journal, "desk").tail(since=2), 4)
        found, more = await asyncio.gather(following, stored(journal, a_crowd(6)))
        mine = [entry for entry in kept + more if entry.author == "desk" and entry.seq > 2]
        assert found == mine[:4]


async def check_matching_entries_are_counted(make: Make) -> None:
    """As many as reading them gives, in any part of the log."""
    async with await make() as journal:
        kept = await stored(journal, a_crowd(30))
        for after_seq, upto_seq in ((0, 30), (7, 21), (30, 30), (0, 100)):
            part = [entry for entry in kept if after_seq < entry.seq <= upto_seq]
            for selection in (Selection(), Selection(author="wing"), Selection(kinds=frozenset((0x20,)))):
                wanted = sum(selection.matches(entry) for entry in part)
                found = await journal.count(selection, after_seq=after_seq, upto_seq=upto_seq)
                assert found == wanted, f"{found} instead of {wanted} in {after_seq}..{upto_seq}"


async def check_a_writer_that_comes_back_sees_how_far_it_was(make: Make) -> None:
    """Its last number is lower than any that it is given then; its last completed step is the newest."""
    async with await make() as journal:
        await journal.append(
            [by("job", 0, "/job/step"), by("job", 1, "/job/done/0"), by("desk", 2, "/job/done/1")]
        )
        await journal.append(
            [was_published("/job/done/2"), by("job", 3, "/job/done/1"), by("job", 4, "/job/step")]
        )
        job = Author(journal, "job")
        steps = await job.checkpoints("/job/done/*")
        assert [step.address for step in steps] == ["/job/done/0", "/job/done/1"]
        assert await job.last_checkpoint("/job/done/*") == steps[-1]
        assert await job.last_checkpoint("/job/else") is None
        before = await job.latest_seq()
        assert await journal.append(by("job", 5)) > before
        assert await job.latest_seq() == before + 1


async def check_fetching_step_by_step_gives_each_entry_once(make: Make) -> None:
    """The cursor of one answer is the question of the next."""
    async with await make() as journal:
        kept = await stored(journal, a_crowd(25))
        assert await _fetched(journal, None) == kept
        assert await _fetched(journal, None, "wing") == [e for e in kept if e.author == "wing"]
        late = await stored(journal, a_crowd(3))
        assert await _fetched(journal, Cursor(journal.epoch, 25)) == late


async def _fetched(journal: Journal, cursor: Cursor | None, author: str | None = None) -> list[JournalEntry]:
    found: list[JournalEntry] = []
    while True:
        fetched = await journal.fetch_since(cursor, 4, author=author)
        assert not fetched.is_incomplete, "nothing is missing"
        found += fetched.entries
        cursor = fetched.cursor
        if fetched.is_caught_up:
            assert cursor == Cursor(journal.epoch, await journal.latest_seq())
            return found


async def check_whoever_fetches_is_told_what_is_missing(make: Make) -> None:
    """Compacted entries, and another life of the journal; but not to whoever begins with what there is."""
    async with await make() as journal:
        kept = await stored(journal, a_crowd(20))
        before = Cursor(journal.epoch, 3)
        await journal.compact(11)
        fetched = await journal.fetch_since(before)
        assert (fetched.entries, fetched.is_incomplete) == (kept[10:], True)
        assert not (await journal.fetch_since(fetched.cursor)).is_incomplete
        assert not (await journal.fetch_since(Cursor(journal.epoch, 10))).is_incomplete
        assert not (await journal.fetch_since(None)).is_incomplete
        other = await journal.fetch_since(Cursor("another life", 15), 2)
        assert (other.entries, other.is_incomplete) == (kept[15:17], True)
        assert other.cursor == Cursor(journal.epoch, 17)
        for epoch in ("another life", journal.epoch):
            beyond = await journal.fetch_since(Cursor(epoch, 99))
            assert (beyond.entries, beyond.is_incomplete, beyond.cursor.seq) == ([], True, 20)
