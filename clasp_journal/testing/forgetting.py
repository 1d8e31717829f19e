"""Forgetting: one author's entries go, everybody else's stay, and the state stays true."""

from __future__ import annotations

from clasp_journal.authors import Author
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import BadInput, HistoryIncomplete
from clasp_journal.forgetting import blank, hides_change, is_blank, told_by
from clasp_journal.journal import Journal
from clasp_journal.restore import fold
from clasp_journal.selection import FORGOTTEN, Selection
from clasp_journal.testing.authors import a_crowd, by
from clasp_journal.testing.samples import (
    Make,
    has_expired,
    must_hold,
    must_raise,
    same_state,
    stored,
    was_published,
)


async def must_be_forgotten(journal: Journal, kept: list[JournalEntry], author: str) -> None:
    """Blanks stand where the author's entries were, others are as they were, and the act is behind them."""
    found = await journal.query()
    act = found[-1]
    for here, there in zip(found, kept, strict=False):
        if author in (there.author, there.name):
            assert is_blank(here), f"entry {here.seq} is still there: {here}"
            assert (here.seq, here.timestamp) == (there.seq, there.timestamp), "it keeps number and time"
        else:
            assert here == there, f"entry {there.seq} of somebody else became {here}"
    told = told_by(act)
    mine = [entry.seq for entry in kept if author in (entry.author, entry.name)]
    assert told is not None, "the act is an entry"
    assert told == (author, mine[0], mine[-1], len(mine)), f"the act says {told}"


async def check_forgetting_removes_one_author_and_nobody_else(make: Make) -> None:
    """By any of the names; numbers, the epoch and the entries of others stay."""
    for author in ("desk", "session-1", "console"):
        async with await make() as journal:
            kept = await stored(journal, a_crowd(30))
            before = journal.epoch
            mine = [entry for entry in kept if author in (entry.author, entry.name)]
            assert await journal.forget(author, by="admin") == len(mine)
            await must_be_forgotten(journal, kept, author)
            assert journal.epoch == before
            assert await journal.latest_seq() == 31, "the act is the next entry, and nothing is numbered anew"
            assert await journal.oldest_seq() == 1
            assert await journal.len() == 31
            assert await Author(journal, author).count() == 0
            assert await journal.query(author="wing") == [e for e in kept if e.author == "wing"]
            assert (await journal.query(author="admin"))[0].kind is EntryKind.FORGET
            assert await journal.append(by("desk", 99)) == 32


async def check_what_is_forgotten_is_in_no_answer(make: Make) -> None:
    """By address, pattern, time or kind, forwards and backwards: only what was left."""
    async with await make() as journal:
        kept = await stored(journal, a_crowd(60))
        await journal.forget("desk")
        left = [entry for entry in kept if entry.author != "desk"]
        for pattern in ("/d/*", "/d/1", "/**/*", "/c"):
            wanted = [e for e in left if Selection(journal.query(pattern).selection.pattern).matches(e)]
            assert await journal.query(pattern) == wanted, pattern
            assert await journal.query(pattern, limit=5, newest=True) == wanted[-5:], pattern
        assert await journal.query(kinds=(0x21,)) == left
        from_us, to_us = kept[10].timestamp, kept[40].timestamp
        within = [e for e in left if from_us <= e.timestamp <= to_us]
        assert await journal.query(from_=from_us, to=to_us, kinds=(0x21,)) == within
        blanks = await journal.page(FORGOTTEN, 0, 60, 100)
        assert [entry.seq for entry in blanks] == [e.seq for e in kept if e.author == "desk"]


async def check_the_state_stays_true_when_its_writer_is_forgotten(make: Make) -> None:
    """What the author SET last stays, to the bit, now, after later changes, and after more forgetting."""
    async with await make() as journal:
        kept = await stored(journal, a_crowd(40))
        await journal.forget("desk")
        assert same_state(await journal.state(), fold(None, kept))
        kept.append((await journal.query())[-1])
        kept += await stored(journal, [*a_crowd(20), has_expired("/d/1", 9)])
        await journal.forget("console")
        kept.append((await journal.query())[-1])
        kept += await stored(journal, a_crowd(5))
        for at_seq in range(62, len(kept) + 1):
            assert same_state(await journal.state(at_seq), fold(None, kept[:at_seq])), f"at {at_seq}"


async def check_no_state_is_told_where_changes_were_forgotten(make: Make) -> None:
    """An instant in the past is told truly or not at all, whatever snapshots there were."""
    async with await make() as journal:
        kept = await stored(journal, [*(by("wing", n, f"/w/{n}") for n in range(10)), *a_crowd(30)])
        for at_seq in (5, 15, 25, 35):
            state = await journal.state(at_seq)
            await journal.snapshot(state.params(), at_seq)
        await journal.forget("desk")
        for at_seq in range(41):
            if 11 <= at_seq < 40:
                await must_raise(HistoryIncomplete, journal.state(at_seq), f"the state after {at_seq}")
            else:
                assert same_state(await journal.state(at_seq), fold(None, kept[:at_seq])), f"at {at_seq}"


async def check_forgetting_who_never_changed_a_param_costs_no_state(make: Make) -> None:
    """Events pass by: without them every state can still be told."""
    async with await make() as journal:
        events = [was_published("/e", n, n)._replace(author="piano") for n in range(5)]
        mixed = [entry for n in range(5) for entry in (by("desk", n), events[n])]
        kept = await stored(journal, mixed)
        assert await journal.forget("piano") == 5
        for at_seq in range(11):
            assert same_state(await journal.state(at_seq), fold(None, kept[:at_seq]))


async def check_the_carried_state_outlives_thinning_and_compaction(make: Make) -> None:
    """However many snapshots follow; and older entries can go, wherever the cut is."""
    async with await make() as journal:
        kept = await stored(journal, a_crowd(20))
        await journal.forget("desk")
        kept.append((await journal.query())[-1])
        for _ in range(8):
            kept += await stored(journal, a_crowd(3))
            state = await journal.state()
            await journal.snapshot(state.params(), revision_floor=state.revision_floor)
        for cut in (1, 5, 12, 21):
            await journal.compact(cut)
            for at_seq in range(20, len(kept) + 1):
                assert same_state(await journal.state(at_seq), fold(None, kept[:at_seq])), f"at {at_seq}"
        await must_raise(HistoryIncomplete, journal.state(12), "a state that was forgotten")


async def check_forgetting_nobody_does_nothing(make: Make) -> None:
    """Neither somebody unknown, nor somebody twice; and the journal's own notes have no author."""
    async with await make() as journal:
        kept = await stored(journal, a_crowd(6))
        assert await journal.forget("nobody") == 0
        await must_hold(journal, kept)
        assert await journal.forget("desk") == 2
        assert await journal.forget("desk") == 0
        assert await journal.latest_seq() == 7
        await must_raise(BadInput, journal.forget(""), "forgetting without a name")


async def check_who_comes_back_is_not_forgotten_in_advance(make: Make) -> None:
    """An act is about what was there; it can be repeated."""
    async with await make() as journal:
        await journal.append(a_crowd(6))
        await journal.forget("desk")
        back = await stored(journal, [by("desk", 50), by("desk", 51)])
        assert await Author(journal, "desk").entries() == back
        assert await journal.forget("desk") == 2
        assert len([e for e in await journal.query() if told_by(e)]) == 2


async def check_a_blank_says_whether_it_hides_a_change(make: Make) -> None:
    """A journal keeps both kinds of blanks as they are, like any entry."""
    async with await make() as journal:
        await stored(journal, [by("desk", 1), was_published("/e", 2)])
        await journal.forget("desk")
        first, second, _ = await journal.query()
        assert hides_change(first), "a SET was there"
        assert first == blank(1, first.timestamp)
        assert not hides_change(second), "an event was there"
