"""Opening again: what a journal that outlives its process keeps."""

from __future__ import annotations

from collections.abc import Iterator

from clasp_journal.entry import JournalEntry
from clasp_journal.testing.samples import (
    Make,
    PersistenceCheck,
    Reopen,
    a_series,
    has_expired,
    must_hold,
    must_raise,
    must_tell_states,
    stored,
    take,
    was_set,
)


class _Interrupted(Exception):
    """What an iterable raises in the middle of a batch."""


async def check_everything_is_there_after_reopening(make: Make, reopen: Reopen) -> None:
    """Entries, numbers and the epoch: an orderly stop loses nothing."""
    async with await make() as journal:
        kept = await stored(journal, [was_set(f"/{n % 9}", n, n) for n in range(1_500)])
        epoch = journal.epoch
    async with await reopen(journal) as journal:
        await must_hold(journal, kept)
        assert journal.epoch == epoch, "an orderly stop starts no new epoch"
        assert await journal.latest_seq() == 1_500
        assert await journal.query("/4", limit=3, newest=True) == kept[4::9][-3:]
        kept += await stored(journal, [was_set("/4", -1), was_set("/new", -2)])
        assert await journal.query("/4", limit=1, newest=True) == [kept[1_500]]
        assert await take(journal.tail(since=1_498), 4) == kept[1_498:]


async def check_numbers_go_on_after_reopening(make: Make, reopen: Reopen) -> None:
    """Even when everything was compacted, and when the last batch had failed."""
    async with await make() as journal:
        await journal.append(a_series(25))
        await journal.compact(26)
    async with await reopen(journal) as journal:
        assert await journal.is_empty()
        assert await journal.latest_seq() == 25
        assert await journal.oldest_seq() == 26
        await must_raise(_Interrupted, journal.append(_interrupted_after(40)), "append")
    async with await reopen(journal) as journal:
        assert await journal.append(was_set("/b")) == 26, "a number was used up or given twice"


def _interrupted_after(count: int) -> Iterator[JournalEntry]:
    for n in range(count):
        yield was_set("/broken", n)
    raise _Interrupted


async def check_states_are_the_same_after_reopening(make: Make, reopen: Reopen) -> None:
    """From the base, from snapshots and from entries alike."""
    async with await make() as journal:
        kept = await stored(
            journal, [was_set(f"/{n % 4}", n, n) if n % 6 else has_expired("/1", n, n) for n in range(40)]
        )
        await journal.compact(11)
        state = await journal.state(30)
        await journal.snapshot(state.params(), 30, revision_floor=state.revision_floor)
    async with await reopen(journal) as journal:
        await must_tell_states(journal, kept, 10)
        snapshot = await journal.load_snapshot()
        assert snapshot is not None
        assert snapshot.at_seq == 30
        assert snapshot.params == state.params()
        await journal.compact(31)
    async with await reopen(journal) as journal:
        await must_tell_states(journal, kept, 30)


async def check_a_lost_base_stays_lost_after_reopening(make: Make, reopen: Reopen) -> None:
    """The epoch that a forced compaction began is the one that goes on."""
    async with await make() as journal:
        before = journal.epoch
        kept = await stored(journal, a_series(20))
        await journal.compact(11, force=True)
        epoch = journal.epoch
    async with await reopen(journal) as journal:
        assert before != journal.epoch == epoch
        await must_hold(journal, kept[10:])


async def check_time_is_exact_after_reopening(make: Make, reopen: Reopen) -> None:
    """A clock that is behind after a restart is found like one that went back while running."""
    async with await make() as journal:
        kept = await stored(journal, [was_set("/a", n, 1_000 + n) for n in range(20)])
    async with await reopen(journal) as journal:
        kept += await stored(journal, [was_set("/a", n, 500 + n * 40) for n in range(20)])
        for from_, to in ((0, 700), (900, 1_005), (1_010, 1_100), (1_019, 5_000)):
            first, last = kept[0].timestamp - 1_000 + from_, kept[0].timestamp - 1_000 + to
            wanted = [entry for entry in kept if first <= entry.timestamp <= last]
            assert await journal.query("/**", first, last) == wanted
            assert await journal.query("/a", first, last, 2, newest=True) == wanted[-2:]


PERSISTENCE_CHECKS: tuple[PersistenceCheck, ...] = (
    check_everything_is_there_after_reopening,
    check_numbers_go_on_after_reopening,
    check_states_are_the_same_after_reopening,
    check_a_lost_base_stays_lost_after_reopening,
    check_time_is_exact_after_reopening,
)
