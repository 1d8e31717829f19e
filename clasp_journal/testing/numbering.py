"""Numbers: from 1, without gaps, never given twice; all entries of one append or none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from clasp_journal.entry import JournalEntry
from clasp_journal.testing.samples import Make, a_series, must_hold, must_raise, numbered, stored, was_set


class _Interrupted(Exception):
    """What an iterable raises in the middle of a batch."""


async def check_an_empty_journal_says_so(make: Make) -> None:
    """Nothing was given out, nothing is there, and the first number will be 1."""
    async with await make() as journal:
        assert await journal.latest_seq() == 0, "the latest number of an empty journal is 0"
        assert await journal.oldest_seq() == 1, "the oldest is the one that will be given next"
        assert await journal.len() == 0, "an empty journal has no entries"
        assert await journal.is_empty(), "an empty journal is empty"
        await must_hold(journal, [])


async def check_numbers_start_at_one_and_have_no_gaps(make: Make) -> None:
    """One entry or many in a call: each gets the next number, in order."""
    async with await make() as journal:
        assert await journal.append(was_set("/a", 1)) == 1, "the first entry gets number 1"
        assert await journal.append([was_set("/a", 2), was_set("/b", 3)]) == 3, "append returns the last"
        assert await journal.append((was_set("/c", 4),)) == 4, "numbers have no gaps"
        assert [entry.seq for entry in await journal.query()] == [1, 2, 3, 4]
        assert await journal.latest_seq() == 4
        assert await journal.oldest_seq() == 1
        assert await journal.len() == 4
        assert not await journal.is_empty()


async def check_an_append_of_nothing_changes_nothing(make: Make) -> None:
    """It returns the latest number."""
    async with await make() as journal:
        assert await journal.append([]) == 0, "nothing was ever appended"
        await journal.append(a_series(3))
        assert await journal.append(iter(())) == 3, "no entries: the latest number"
        assert await journal.len() == 3


async def check_the_number_an_entry_carries_is_ignored(make: Make) -> None:
    """Entries read from one journal can be appended to another."""
    async with await make() as journal:
        entries = [was_set("/a", n)._replace(seq=seq) for n, seq in enumerate((700, 1, 1, 0))]
        assert await journal.append(entries) == 4
        await must_hold(journal, numbered(entries))


async def check_a_batch_may_be_any_iterable(make: Make) -> None:
    """A generator is read once, to its end, however long it is."""
    async with await make() as journal:
        entries = a_series(2_500)
        assert await journal.append(entry for entry in entries) == 2_500
        await must_hold(journal, numbered(entries))


async def check_a_batch_that_fails_leaves_nothing(make: Make) -> None:
    """An iterable that raises in the middle adds no entry and uses up no number."""
    async with await make() as journal:
        kept = await stored(journal, a_series(5))
        for count in (0, 1, 1_500):
            await must_raise(_Interrupted, journal.append(_interrupted_after(count)), "append")
            assert await journal.latest_seq() == 5, f"a number was used up by a batch that failed at {count}"
            assert await journal.len() == 5, f"a batch that failed at {count} left entries"
        assert not await journal.query("/broken/**"), "a failed batch can be read"
        kept += await stored(journal, a_series(2, "/after"))
        await must_hold(journal, kept)


def _interrupted_after(count: int) -> Iterator[JournalEntry]:
    for n in range(count):
        yield was_set(f"/broken/{n % 7}", n)
    raise _Interrupted


async def check_numbers_are_not_given_again_after_compacting_everything(make: Make) -> None:
    """An empty journal with a past goes on where it was."""
    async with await make() as journal:
        await journal.append(a_series(20))
        assert await journal.compact(21) == 20, "everything was removed"
        assert await journal.is_empty()
        assert await journal.latest_seq() == 20, "the latest number never goes back"
        assert await journal.oldest_seq() == 21, "the oldest is the one that will be given next"
        assert await journal.append(was_set("/b")) == 21, "a number was given twice"
        assert [entry.seq for entry in await journal.query()] == [21]
        assert await journal.oldest_seq() == 21


async def check_concurrent_appends_stay_whole(make: Make) -> None:
    """The entries of each call are next to each other, in their order."""
    async with await make() as journal:
        batches = [[was_set(f"/writer/{n}", place) for place in range(n % 9 + 1)] for n in range(40)]
        lasts = await asyncio.gather(*(journal.append(batch) for batch in batches))
        found = await journal.query()
        assert [entry.seq for entry in found] == list(range(1, sum(map(len, batches)) + 1))
        for batch, last in zip(batches, lasts, strict=True):
            there = found[last - len(batch) : last]
            assert there == numbered(batch, last - len(batch) + 1), "a batch was torn apart"


async def check_a_synced_append_counts_like_any_other(make: Make) -> None:
    """How long it must last does not change what is kept."""
    async with await make() as journal:
        entries = a_series(6)
        for n, entry in enumerate(entries, start=1):
            assert await journal.append(entry, synced=n % 2 == 0) == n
        await must_hold(journal, numbered(entries))


async def check_a_cancelled_append_is_whole_or_absent(make: Make) -> None:
    """Whenever the caller gives up, the batch is there or it is not, and numbers go on without a gap."""
    async with await make() as journal:
        for turns in range(12):
            pending = asyncio.gather(journal.append(a_series(50, f"/turn/{turns}")))
            for _ in range(turns):
                await asyncio.sleep(0)
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)
            last = await journal.append(was_set("/next"))
            there = len(await journal.query(f"/turn/{turns}"))
            assert there in (0, 50), f"{there} of 50 entries of a cancelled append are there"
            seqs = [entry.seq for entry in await journal.query()]
            assert seqs == list(range(1, last + 1)), "cancelling an append left a gap"
