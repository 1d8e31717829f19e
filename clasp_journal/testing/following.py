"""Following: history, then what comes, without a gap and without a double."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import PatternError
from clasp_journal.journal import Journal
from clasp_journal.testing.samples import (
    PATIENCE_S,
    Make,
    a_series,
    close_stream,
    difference,
    must_raise,
    numbered,
    stored,
    take,
    was_set,
)


async def check_a_tail_begins_with_history(make: Make) -> None:
    """All of it, or what came after a number."""
    async with await make() as journal:
        kept = await stored(journal, a_series(1_200))
        assert await take(journal.tail(), 1_200) == kept
        assert await take(journal.tail(since=1_150), 50) == kept[1_150:]


async def check_a_tail_goes_on_with_what_comes(make: Make) -> None:
    """Entry by entry, as soon as each is committed."""
    async with await make() as journal:
        await journal.append(a_series(3))
        tail = journal.tail(since=2)
        assert (await _next(tail)).seq == 3
        for n in range(4, 10):
            arrived, last = await asyncio.gather(_next(tail), journal.append(was_set("/live", n)))
            assert arrived.seq == last == n
        await close_stream(tail)


async def _next(tail: AsyncIterator[JournalEntry]) -> JournalEntry:
    async with asyncio.timeout(PATIENCE_S):
        return await anext(tail)


async def check_a_tail_shows_only_what_its_pattern_matches(make: Make) -> None:
    """In history and live; what does not match does not hold it up."""
    async with await make() as journal:
        entries = [was_set(f"/{'ab'[n % 2]}/{n}", n) for n in range(60)]
        await journal.append(entries[:30])
        wanted = [entry for entry in numbered(entries) if entry.address.startswith("/b/")]
        found, _ = await asyncio.gather(
            take(journal.tail(pattern="/b/*"), len(wanted)), _append_one_by_one(journal, entries[30:])
        )
        assert found == wanted, difference(found, wanted)


async def _append_one_by_one(journal: Journal, entries: list[JournalEntry]) -> None:
    for entry in entries:
        for _ in range(3):
            await asyncio.sleep(0)
        await journal.append(entry)


async def check_tails_keep_up_with_writers(make: Make) -> None:
    """Several writers and several followers at once: every follower sees every entry, in order, once."""
    async with await make() as journal:
        await journal.append(a_series(500, "/history"))
        writers = [_append_batches(journal, f"/writer/{n}", 60) for n in range(4)]
        total = 500 + sum(n % 5 + 1 for n in range(60)) * len(writers)
        followers = [
            take(journal.tail(), total),
            take(journal.tail(), total),
            take(journal.tail(since=250), total - 250),
        ]
        seen = await asyncio.gather(*followers, *writers)
        kept = await journal.query()
        assert len(kept) == total
        assert seen[0] == kept
        assert seen[1] == kept
        assert seen[2] == kept[250:]


async def _append_batches(journal: Journal, address: str, batches: int) -> None:
    for n in range(batches):
        await journal.append(was_set(address, place) for place in range(n % 5 + 1))
        await asyncio.sleep(0)


async def check_a_tail_of_a_compacted_journal_begins_with_what_is_left(make: Make) -> None:
    """What is gone does not hold it up."""
    async with await make() as journal:
        kept = await stored(journal, a_series(20))
        await journal.compact(16)
        assert await take(journal.tail(since=3), 5) == kept[15:]


async def check_an_abandoned_tail_harms_nobody(make: Make) -> None:
    """Whoever stops reading in the middle leaves the journal as it was."""
    async with await make() as journal:
        await journal.append(a_series(10))
        tail = journal.tail()
        await _next(tail)
        await close_stream(tail)
        waiting = asyncio.gather(journal.wait_beyond(10))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert await journal.append(was_set("/b")) == 11
        assert len(await take(journal.tail(), 11)) == 11


async def check_a_tail_of_no_pattern_is_refused(make: Make) -> None:
    """When it is first read."""
    async with await make() as journal:
        await must_raise(PatternError, anext(journal.tail(pattern="no/slash")), "a tail of no pattern")


async def check_waiting_ends_when_something_comes(make: Make) -> None:
    """At once if it is already there."""
    async with await make() as journal:
        await journal.append(a_series(5))
        async with asyncio.timeout(PATIENCE_S):
            assert await journal.wait_beyond(0) == 5
            assert await journal.wait_beyond(4) == 5
            latest, _ = await asyncio.gather(journal.wait_beyond(5), _append_one_by_one(journal, a_series(3)))
            assert latest in (6, 7, 8), "it waits for the next append"
            latest, _ = await asyncio.gather(
                journal.wait_beyond(10), _append_one_by_one(journal, a_series(3))
            )
            assert latest == 11, "it waits for a higher number, not for any append"
