"""The state at an instant is what had happened by then, or a plain refusal."""

import pytest

from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.memory import MemoryJournal
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.samples import START_US, a_series, has_expired, was_set
from clasp_journal.travel import seq_at, state_at


@pytest.fixture(params=["memory", "sqlite"])
async def journal(request, tmp_path):
    """An open, empty journal of each kind."""
    made = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "journal.db")
    async with made as opened:
        yield opened


async def values_at(journal, at):
    """The values of the state so many microseconds after the start."""
    state = await state_at(journal, START_US + at)
    return {address: param.value for address, param in state.live.items()}


async def test_an_instant_includes_what_happened_at_it(journal):
    """An entry counts from its own microsecond on."""
    await journal.append([was_set("/a", 1, 10), was_set("/a", 2, 20), has_expired("/a", 2, 30)])
    assert [await values_at(journal, at) for at in (9, 10, 19, 20, 30)] == [
        {},
        {"/a": 1},
        {"/a": 1},
        {"/a": 2},
        {},
    ]


async def test_a_mark_that_is_dated_back_moves_no_instant(journal):
    """Whoever names 21:03 at 22:00 does not change what was true at 21:03."""
    await journal.append([was_set("/a", 1, 10), was_set("/a", 2, 20)])
    await journal.append(JournalEntry(START_US + 12, "me", "", EntryKind.MARK))
    assert await seq_at(journal, START_US + 15) == 1
    assert await seq_at(journal, START_US + 25) == 2


async def test_where_the_clock_was_set_back_later_numbers_are_later(journal):
    """The instant is the last place in the log whose time is not beyond it."""
    await journal.append([was_set("/a", 1, 10_000_000), was_set("/a", 2, 20_000_000)])
    await journal.append([was_set("/a", 3, 15_000_000), was_set("/a", 4, 30_000_000)])
    assert [await seq_at(journal, START_US + s * 1_000_000) for s in (9, 12, 17, 25, 31)] == [0, 1, 3, 3, 4]


async def test_an_instant_before_the_base_is_refused(journal):
    """What was compacted cannot be told, what remains can."""
    await journal.append(a_series(10))
    await journal.compact(6)
    with pytest.raises(HistoryIncomplete, match="gone"):
        await seq_at(journal, START_US + 2)
    assert await values_at(journal, 5) == {"/a": 5}


async def test_when_nothing_is_left_the_base_tells_the_present(journal):
    """Compacting everything does not make the present unknown."""
    await journal.append(a_series(10))
    await journal.compact(11)
    base = await journal.load_snapshot()
    assert (await state_at(journal, base.taken)).live["/a"].value == 9
