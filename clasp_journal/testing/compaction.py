"""Compaction: what goes, what stays, and which states can still be told."""

from __future__ import annotations

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.testing.samples import (
    Make,
    a_series,
    has_expired,
    must_hold,
    must_raise,
    must_tell_states,
    stored,
    was_published,
    was_set,
)


def _a_past(count: int) -> list[JournalEntry]:
    """Entries in which params come, change, go and come again."""
    past = []
    for n in range(count):
        address = f"/p/{n % 5}"
        if n % 7 == 6:
            past.append(has_expired(address, n, n))
        elif n % 4 == 3:
            past.append(was_published(address, n, n))
        else:
            past.append(was_set(address, n, n))
    return past


async def check_compacting_removes_what_is_below_the_cut(make: Make) -> None:
    """Exactly that, and it says how many."""
    async with await make() as journal:
        kept = await stored(journal, a_series(30))
        assert await journal.compact(11) == 10, "ten entries are below number 11"
        assert await journal.oldest_seq() == 11
        assert await journal.latest_seq() == 30
        assert await journal.len() == 20
        await must_hold(journal, kept[10:])
        assert await journal.since(5) == kept[10:], "what is gone is not in the answer"
        assert await journal.query("/a", limit=3) == kept[10:13]
        assert await journal.query("/a", limit=3, newest=True) == kept[27:]
        assert await journal.query("/a", None, kept[12].timestamp) == kept[10:13]


async def check_compacting_what_is_gone_does_nothing(make: Make) -> None:
    """There is nothing below the first entry."""
    async with await make() as journal:
        assert await journal.compact(1) == 0
        kept = await stored(journal, a_series(10))
        assert await journal.compact(0) == 0
        assert await journal.compact(1) == 0
        await journal.compact(6)
        assert await journal.compact(6) == 0
        assert await journal.compact(3) == 0
        await must_hold(journal, kept[5:])


async def check_every_state_from_the_cut_on_can_be_told(make: Make) -> None:
    """The base is the state right before the first entry that is left."""
    for cut in (2, 11, 40, 41):
        async with await make() as journal:
            kept = await stored(journal, _a_past(40))
            assert await journal.compact(cut) == cut - 1
            base = await journal.load_snapshot(cut - 1)
            assert base is not None, "compaction keeps a base"
            assert base.at_seq == cut - 1, "the base is true right before the cut"
            await must_tell_states(journal, kept, cut - 1)


async def check_states_before_the_cut_are_said_to_be_gone(make: Make) -> None:
    """HistoryIncomplete, never a state that was not."""
    async with await make() as journal:
        await journal.append(_a_past(40))
        await journal.compact(21)
        for at_seq in (1, 10, 19):
            await must_raise(HistoryIncomplete, journal.state(at_seq), f"the state after {at_seq}")


async def check_compacting_again_builds_on_the_base(make: Make) -> None:
    """Step by step to the end, with entries, snapshots and thinning in between, no state is lost."""
    async with await make() as journal:
        kept = await stored(journal, _a_past(20))
        for cut in (3, 9, 15, 21, 30):
            assert await journal.compact(cut) > 0
            await must_tell_states(journal, kept, cut - 1)
            kept += await stored(journal, _a_past(10))
            for at_seq in range(len(kept) - 5, len(kept) + 1):
                state = await journal.state(at_seq)
                await journal.snapshot(state.params(), at_seq, revision_floor=state.revision_floor)
            await must_tell_states(journal, kept, cut - 1)
        await must_hold(journal, kept[29:])


async def check_force_marks_the_base_as_lost(make: Make) -> None:
    """A new epoch, and no state that leans on what is gone."""
    async with await make() as journal:
        before = journal.epoch
        kept = await stored(journal, _a_past(30))
        assert await journal.compact(11, force=True) == 10
        assert journal.epoch != before, "a forced compaction starts a new epoch"
        await must_hold(journal, kept[10:])
        for at_seq in (5, 15, 30):
            await must_raise(HistoryIncomplete, journal.state(at_seq), f"the state after {at_seq}")
        assert await journal.append(was_set("/x")) == 31, "numbers go on in the new epoch"


async def check_a_snapshot_after_force_makes_states_known_again(make: Make) -> None:
    """From it on, not before it."""
    async with await make() as journal:
        kept = await stored(journal, _a_past(30))
        full = await journal.state(25)
        await journal.compact(26, force=True)
        await journal.snapshot(full.params(), 25)
        await must_tell_states(journal, kept, 25)


async def check_reading_goes_on_while_history_is_compacted(make: Make) -> None:
    """A reader in the middle of a stream gets what is left, in order, each entry once."""
    async with await make() as journal:
        kept = await stored(journal, a_series(3_000))
        seen = []
        async for entry in journal.query("/a"):
            seen.append(entry)
            if entry.seq == 10:
                assert await journal.compact(2_501) == 2_500
        assert seen[:10] == kept[:10], "what had been read is what was there"
        assert seen[-500:] == kept[2_500:], "what is left is read"
        assert [e.seq for e in seen] == sorted({e.seq for e in seen}), "an entry came twice or out of order"
