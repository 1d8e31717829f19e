"""The ring is bounded, forgets the oldest, and says so."""

import asyncio
import tracemalloc

import pytest

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.memory import MemoryJournal
from clasp_journal.restore import fold
from clasp_journal.ring import ENTRY_OVERHEAD_BYTES


def entries_of(count: int, address: str = "/a", value: object = 0) -> list[JournalEntry]:
    """SETs, one microsecond apart."""
    return [JournalEntry.from_set(address, value, timestamp=n) for n in range(count)]


async def seqs(journal: MemoryJournal, pattern: str = "/**") -> list[int]:
    """The numbers that are still there."""
    return [entry.seq for entry in await journal.query(pattern)]


async def test_the_ring_holds_as_many_entries_as_it_may() -> None:
    """One more pushes the oldest out; numbers go on."""
    journal = MemoryJournal(capacity=5)
    await journal.append(entries_of(5))
    assert await seqs(journal) == [1, 2, 3, 4, 5]
    assert await journal.append(entries_of(2)) == 7
    assert await seqs(journal) == [3, 4, 5, 6, 7]
    assert await journal.oldest_seq() == 3
    assert await journal.len() == 5


async def test_the_ring_holds_as_many_bytes_as_it_may() -> None:
    """Long values fill it before its capacity does."""
    journal = MemoryJournal(size_bytes=20 * (ENTRY_OVERHEAD_BYTES + 1_010))
    await journal.append(entries_of(100, value=b"x" * 1_000))
    assert await journal.len() == 20
    await journal.append(entries_of(1, value=b"x" * 10_000))
    assert await journal.len() < 15
    assert (await seqs(journal))[-1] == 101


async def test_wide_letters_count_with_what_they_take() -> None:
    """Four bytes each, where the text is not plain ASCII."""
    journal = MemoryJournal(size_bytes=2_000_000)
    tracemalloc.start()
    try:
        for number in range(5_000):
            address = f"/{number}/{chr(0x1D11E) * 500}"
            await journal.append(JournalEntry.from_set(address, 1, timestamp=number))
        taken_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken_bytes < 3_000_000


async def test_a_batch_longer_than_the_ring_leaves_its_end() -> None:
    """It is numbered whole; memory never holds all of it."""
    journal = MemoryJournal(capacity=10)
    await journal.append(entries_of(7))
    assert await journal.append(entry for entry in entries_of(1_000)) == 1_007
    assert await seqs(journal) == list(range(998, 1_008))
    assert await journal.oldest_seq() == 998


async def test_an_entry_larger_than_the_ring_is_numbered_and_forgotten() -> None:
    """The bound holds whatever comes; the number tells that something was there."""
    journal = MemoryJournal(size_bytes=5_000)
    await journal.append(entries_of(3))
    assert await journal.append(entries_of(1, value=b"x" * 6_000)) == 4
    assert await journal.is_empty()
    assert await journal.oldest_seq() == 5
    assert await journal.append(entries_of(1)) == 5
    assert await seqs(journal) == [5]


async def test_a_batch_that_fails_evicts_nothing() -> None:
    """What was there before is there afterwards, even in a full ring."""
    journal = MemoryJournal(capacity=5)
    await journal.append(entries_of(5))

    def interrupted():
        yield from entries_of(20)
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        await journal.append(interrupted())
    assert await seqs(journal) == [1, 2, 3, 4, 5]


async def test_states_that_lean_on_evicted_entries_are_refused() -> None:
    """Nothing silently incomplete: HistoryIncomplete, until a snapshot covers what is gone."""
    journal = MemoryJournal(capacity=5)
    past = [JournalEntry.from_set(f"/{n % 8}", n, timestamp=n) for n in range(12)]
    await journal.append(past[:5])
    state = await journal.state()
    await journal.append(past[5:8])
    with pytest.raises(HistoryIncomplete):
        await journal.state()
    await journal.snapshot(state.params(), 5)
    assert (await journal.state()).live == fold(None, past[:8]).live
    await journal.append(past[8:10])
    assert (await journal.state()).live == fold(None, past[:10]).live
    await journal.append(past[10:])
    with pytest.raises(HistoryIncomplete):
        await journal.state()
    with pytest.raises(HistoryIncomplete):
        await journal.compact(10)
    assert await journal.len() == 5


async def test_snapshots_without_their_tail_go() -> None:
    """Eviction has cut off what follows them: only the newest few are kept, however many there were."""
    journal = MemoryJournal(capacity=5)
    for _ in range(20):
        await journal.append(entries_of(10))
        await journal.snapshot([])
    held = set()
    for at_seq in range(201):
        snapshot = await journal.load_snapshot(at_seq)
        if snapshot:
            held.add(snapshot.at_seq)
    assert held == {170, 180, 190, 200}


async def test_the_order_of_each_address_survives_eviction() -> None:
    """Narrow and wide patterns answer alike when much has come and gone."""
    journal = MemoryJournal(capacity=50)
    for n in range(600):
        await journal.append(JournalEntry.from_set(f"/{n % 7}/{n % 3}", n, timestamp=n))
    everything = await journal.query()
    for address in ("/0/0", "/6/2", "/3/1"):
        wanted = [entry for entry in everything if entry.address == address]
        assert await journal.query(address) == wanted
        assert await journal.query(address, limit=1, newest=True) == wanted[-1:]
    assert await journal.query("/*/1") == [entry for entry in everything if entry.address.endswith("/1")]


async def test_a_follower_that_was_overtaken_goes_on_with_what_is_left() -> None:
    """The ring never waits for a reader; the numbers show the reader what it missed."""
    journal = MemoryJournal(capacity=5)
    await journal.append(entries_of(3))
    tail = journal.tail()
    assert (await anext(tail)).seq == 1
    await journal.append(entries_of(20))
    rest = [(await anext(tail)).seq for _ in range(7)]
    assert rest == [2, 3, 19, 20, 21, 22, 23]


async def test_a_long_search_lets_others_work() -> None:
    """A query that finds nothing in a large ring gives way to whoever appends meanwhile."""
    journal = MemoryJournal(capacity=50_000)
    await journal.append(entries_of(50_000))
    found, last = await asyncio.gather(
        journal.page(journal.query(author="nobody").selection, 0, 50_000, 10),
        journal.append(entries_of(1)),
    )
    assert (found, last) == ([], 50_001)


@pytest.mark.parametrize(("capacity", "size_bytes"), [(0, 1_000), (-1, 1_000), (10, 0)])
def test_a_ring_of_nothing_is_refused(capacity: int, size_bytes: int) -> None:
    """A journal that can hold nothing is a mistake of whoever makes it."""
    with pytest.raises(ValueError, match="at least one"):
        MemoryJournal(capacity, size_bytes)
