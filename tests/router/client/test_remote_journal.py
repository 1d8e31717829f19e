"""The journal of a router, read through it, is the journal that the router has."""

from itertools import product

import pytest

from clasp_journal import value as values
from clasp_journal.address import Pattern
from clasp_journal.authors import Author
from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.errors import JournalUnavailable
from clasp_journal.memory import MemoryJournal
from clasp_journal.selection import EVERYTHING, NO_ADDRESS, Selection
from clasp_journal.testing.samples import START_US, has_expired, was_published, was_set
from clasp_journal.travel import param_at, params_at, seq_at
from router import Router, RouterConfig
from router.client import JournalRefused, connect
from router.client.journal import RemoteJournal
from router.quantities import Address
from router.recording import errands

ANYWHERE = RouterConfig(listen=Address("127.0.0.1", 0), journal="none")
PATTERNS = (EVERYTHING, NO_ADDRESS, Pattern.parse("/a/*"), Pattern.parse("/b"), Pattern.parse("/none"))
KINDS = (
    None,
    frozenset((0x20, 0x21)),
    frozenset((0x21,)),
    frozenset((0xE1,)),
    frozenset((0xE0, 0x20)),
    frozenset(),
)


def past():
    """3,000 entries of all sorts."""
    for at in range(1_000):
        yield was_set(f"/a/{at % 7}", at, at, author="desk" if at % 2 else "pad")
        if at % 100 == 50:
            mark = values.encode({"mark": f"m{at}"})
            yield JournalEntry(START_US + at, "me", "", EntryKind.MARK, details=mark)
            yield has_expired(f"/a/{at % 7}", at, at)
        else:
            yield was_published("/b", at, at, signal_type=SignalType.STREAM)
            yield was_published("/c/d", at, at)


@pytest.fixture
async def both():
    """A journal, and the same seen through a router."""
    journal = MemoryJournal()
    await journal.append(past())
    async with Router(ANYWHERE).with_journal(journal) as router, connect(router.url) as client:
        yield journal, await RemoteJournal.open(client)


def selections():
    """Whatever can be combined."""
    times = ((None, None), (START_US + 300, START_US + 600))
    types = (None, frozenset((SignalType.STREAM,)), frozenset())
    for pattern, kinds, (from_us, to_us), signals in product(PATTERNS, KINDS, times, types):
        yield Selection(pattern, from_us, to_us, signals, "desk" if kinds is None else None, kinds)
    yield Selection()


async def test_pages_are_those_of_the_journal(both):
    """Whatever is selected, wherever the page begins and ends, however long it may be."""
    journal, remote = both
    latest = await journal.latest_seq()
    for selection in selections():
        for after, upto, limit in ((0, latest, 5_000), (1_234, 2_345, 70), (latest, latest, 5)):
            here = await journal.page(selection, after, upto, limit)
            assert await remote.page(selection, after, upto, limit) == here, selection


async def test_the_newest_are_those_of_the_journal(both):
    """At the end of the journal and in its middle; and so is the number of the n-th."""
    journal, remote = both
    latest = await journal.latest_seq()
    for selection in selections():
        for n, after, upto in ((1, 0, latest), (40, 500, latest), (3, 100, 2_000)):
            here = await journal.nth_newest(selection, n, after_seq=after, upto_seq=upto)
            there = await remote.nth_newest(selection, n, after_seq=after, upto_seq=upto)
            assert there == here, (selection, n)
            newest = await journal.newest(selection, n, after_seq=after, upto_seq=upto)
            assert await remote.newest(selection, n, after_seq=after, upto_seq=upto) == newest, selection


async def test_travelling_in_time_works_through_the_router(both):
    """Instants, states and single params are the same as in the journal itself."""
    journal, remote = both
    for at_us in (START_US - 1, START_US + 55, START_US + 500, START_US + 5_000):
        seq = await seq_at(journal, at_us)
        assert await seq_at(remote, at_us) == seq
        assert await params_at(remote, seq) == await params_at(journal, seq)
        assert await param_at(remote, seq, "/a/1") == await param_at(journal, seq, "/a/1")
    assert await remote.addresses() == sorted((await journal.state()).live)


async def test_params_that_fill_an_answer_each_are_told_one_by_one(both):
    """The longest addresses with the longest values."""
    journal, remote = both
    await journal.append(was_set(f"/{letter * 1_023}", bytes(63_970), 5_000) for letter in "xyz")
    assert await params_at(remote, None) == await params_at(journal, None)


async def test_snapshots_are_those_of_the_journal(both, monkeypatch):
    """However many frames it takes to tell them; what is in one can be asked for."""
    monkeypatch.setattr(errands, "SNAPSHOTS_PAGE", 2)
    journal, remote = both
    assert await remote.snapshots() == []
    for seq in (100, 200, 300):
        await journal.snapshot((await journal.state(seq)).params(), seq)
    kept = await remote.snapshots()
    assert [one.at_seq for one in kept] == [100, 200, 300]
    assert kept == await journal.snapshots()
    for one in kept:
        loaded = await remote.load_snapshot(one.at_seq)
        assert loaded.at_seq == one.at_seq
        assert sorted(loaded.params) == sorted((await journal.state(one.at_seq)).live.values())


async def test_tail_is_the_past_and_then_the_present(both):
    """Without a gap between them, the journal's own notes included."""
    journal, remote = both
    latest = await journal.latest_seq()
    found = []
    async for entry in remote.tail(latest - 5):
        found.append(entry)
        if len(found) == 5:
            await journal.append([was_set("/a/new", 1, 9_999)])
        if len(found) == 6:
            break
    assert [entry.seq for entry in found] == list(range(latest - 4, latest + 2))
    assert found[-1].address == "/a/new"


async def test_nothing_can_be_written_through_it(both):
    """Whoever tries is told so."""
    _, remote = both
    for attempt in (remote.append([]), remote.snapshot([]), remote.compact(5)):
        with pytest.raises(JournalUnavailable, match="only read from here"):
            await attempt


async def test_an_author_is_the_same_through_a_router(both):
    """Entries, count, last number, completed steps, what is fetched bit by bit; readers do not forget."""
    journal, remote = both
    for word in ("desk", "me", "nobody"):
        here, there = Author(journal, word), Author(remote, word)
        assert await there.entries(after_seq=700, limit=50) == await here.entries(after_seq=700, limit=50)
        assert await there.count() == await here.count()
        assert await there.latest_seq() == await here.latest_seq()
        assert await there.last_checkpoint("/a/3") == await here.last_checkpoint("/a/3")
    cursor, fetched = None, []
    while True:
        found = await remote.fetch_since(cursor, 900, author="desk")
        fetched, cursor = fetched + found.entries, found.cursor
        if found.is_caught_up:
            break
    assert fetched == await journal.query(author="desk")
    assert cursor == (journal.epoch, await journal.latest_seq())
    with pytest.raises(JournalUnavailable, match="only read"):
        await Author(remote, "desk").forget()


async def test_what_was_forgotten_is_unknown_through_a_router_too(both):
    """A state in the past is told truly or not at all; one param needs no more than what hides it."""
    journal, remote = both
    latest = await journal.latest_seq()
    present = await journal.state()
    await journal.forget("desk")
    assert (await remote.state()).live == present.live
    assert await param_at(remote, latest, "/a/3") == present.live["/a/3"]
    for attempt in (remote.state(latest // 2), param_at(remote, latest // 2, "/a/3")):
        with pytest.raises(JournalRefused, match="forgotten"):
            await attempt
