"""Ranges that are not whole, and marks."""

import pytest

from clasp_journal import open_journal
from clasp_journal import value as values
from clasp_journal.analysis.coverage import gaps, missing
from clasp_journal.analysis.facts import stats
from clasp_journal.analysis.inquiry import Inquiry
from clasp_journal.analysis.marks import find_mark, marks
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.errors import BadInput
from clasp_journal.journal import Span
from clasp_journal.memory import MemoryJournal
from clasp_journal.testing.samples import START_US, a_series


def noted(kind, at, **details):
    """An entry of the journal's own."""
    return JournalEntry(START_US + at, "me", "", kind, details=values.encode(details))


@pytest.fixture
async def journal():
    """Ten entries, a gap, ten more; the first five compacted."""
    async with MemoryJournal() as opened:
        await opened.append(a_series(10))
        gap = {"from": START_US + 9, "to": START_US + 20, "count": 7}
        await opened.append(noted(EntryKind.GAP, 20, **gap))
        await opened.append(a_series(10, first=30))
        await opened.compact(6)
        yield opened


@pytest.mark.parametrize(
    ("inquiry", "sentences"),
    [
        (Inquiry(), 1),
        (Inquiry(from_us=START_US), 2),
        (Inquiry(from_us=START_US + 5), 1),
        (Inquiry(from_us=START_US + 25), 0),
        (Inquiry(from_us=START_US + 5, to_us=START_US + 8), 0),
        (Inquiry(span=Span(3, 10)), 1),
        (Inquiry(span=Span(0, 10)), 0),
        (Inquiry(span=Span(0, 10), has_start=True), 1),
        (Inquiry(span=Span(5, 10)), 0),
        (Inquiry(span=Span(11, None)), 0),
    ],
)
async def test_what_is_missing_from_a_range_is_told(journal, inquiry, sentences):
    """Compacted entries count where the range names its beginning; gaps where it touches them."""
    assert len(await missing(journal, inquiry)) == sentences


@pytest.mark.parametrize("place", ["memory:", "sqlite:j.db"])
async def test_a_clock_set_back_hides_nothing_that_is_gone(place, tmp_path, monkeypatch):
    """The first entry that remains may be older than those before it, and of one time some may be gone."""
    monkeypatch.chdir(tmp_path)
    async with await open_journal(place) as journal:
        await journal.append(a_series(10, first=9_000_000))
        await journal.append(a_series(10, first=10))
        await journal.append([noted(EntryKind.MARK, 0, mark="later"), *a_series(3, first=19)])
        await journal.compact(11)
        for at, sentences in ((0, 1), (15, 1), (9_000_009, 1), (9_000_010, 0)):
            assert len(await missing(journal, Inquiry(from_us=START_US + at))) == sentences
        assert await journal.gone_upto_us() == START_US + 9_000_009


async def test_a_gap_says_when_and_how_much(journal):
    """As it was recorded."""
    [gap] = await gaps(journal)
    assert (gap.from_us, gap.to_us, gap.missing_entries) == (START_US + 9, START_US + 20, 7)


async def test_the_facts_are_those_of_what_remains(journal):
    """Numbers and times of the first and the last entry; none of an empty journal."""
    facts = await stats(journal)
    assert (facts.entries, facts.oldest_seq, facts.latest_seq) == (16, 6, 21)
    assert (facts.oldest_us, facts.latest_us) == (START_US + 5, START_US + 39)
    async with MemoryJournal() as empty:
        facts = await stats(empty)
        assert (facts.entries, facts.oldest_us, facts.latest_us) == (0, None, None)


async def test_of_several_marks_with_one_name_the_last_made_is_meant(journal):
    """All are listed; a name that nobody gave is answered with those near it."""
    await journal.append(noted(EntryKind.MARK, 50, mark="doors", message="first"))
    await journal.append(noted(EntryKind.MARK, 10, mark="doors"))
    assert [(mark.name, mark.message) for mark in await marks(journal)] == [
        ("doors", "first"),
        ("doors", None),
    ]
    assert (await find_mark(journal, "doors")).at_us == START_US + 10
    with pytest.raises(BadInput, match="near it are doors"):
        await find_mark(journal, "dors")
