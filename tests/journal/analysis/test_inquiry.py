"""Whatever is asked, and in whichever direction, the answer is that of the definition."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.analysis.activity import By, top, who
from clasp_journal.analysis.following import follow
from clasp_journal.analysis.inquiry import Inquiry, backwards, entries, newest, newest_pages
from clasp_journal.journal import Span
from clasp_journal.memory import MemoryJournal
from clasp_journal.testing.samples import a_series
from tests.journal.analysis import drawing


def asked(evening, question):
    """What a coroutine function makes of a journal with this evening."""

    async def ask():
        async with await drawing.journal_of(evening) as journal:
            return await question(journal)

    return asyncio.run(ask())


@pytest.mark.property
@given(evening=drawing.evenings(), inquiry=drawing.inquiries(), count=st.integers(0, 12))
def test_forwards_backwards_and_newest_are_one_answer(evening, inquiry, count):
    """Each entry once, in order; the newest are the end of all, backwards is all reversed."""

    async def read(journal):
        forwards = [entry async for entry in entries(journal, inquiry)]
        reverse = [entry async for page in backwards(journal, inquiry) for entry in page]
        paged = [entry async for page in newest_pages(journal, inquiry, count) for entry in page]
        return forwards, reverse, await newest(journal, inquiry, count), paged

    wanted = drawing.answer(evening, inquiry)
    last = wanted[-count:] if count else []
    assert asked(evening, read) == (wanted, wanted[::-1], last, last)


@pytest.mark.property
@given(evening=drawing.evenings(), inquiry=drawing.inquiries())
def test_changes_are_those_of_the_whole_journal(evening, inquiry):
    """Whoever wrote what stood there before, and whatever else narrows the question."""
    timeless = replace(inquiry, from_us=None, to_us=None, changed=True)

    async def read(journal):
        forwards = [entry.seq async for entry in entries(journal, timeless)]
        reverse = [entry.seq async for page in backwards(journal, timeless) for entry in page]
        return forwards, reverse, [entry.seq for entry in await newest(journal, timeless, 3)]

    changed = drawing.changes(evening)
    wanted = [e.seq for e in drawing.answer(evening, timeless) if e.seq in changed]
    assert asked(evening, read) == (wanted, wanted[::-1], wanted[-3:])


@pytest.mark.property
@given(evening=drawing.evenings(), inquiry=drawing.inquiries())
def test_authors_and_addresses_are_counted_as_they_are_listed(evening, inquiry):
    """`who` and `top` agree with a count by hand, and are in the order that they promise."""

    async def read(journal):
        return await who(journal, inquiry), [await top(journal, inquiry, by) for by in By]

    people, rankings = asked(evening, read)
    assert {one.author: one.entries for one in people} == drawing.by_author(evening, inquiry)
    assert people == sorted(people, key=lambda one: (-one.entries, one.author))
    there = [entry for entry in drawing.messages(evening, inquiry) if entry.address]
    for by, ranking in zip(By, rankings, strict=True):
        assert {one.address for one in ranking} == {entry.address for entry in there}
        assert ranking == sorted(ranking, key=lambda one: (-by.of(one), one.address))
    for one in rankings[0]:
        own = [entry for entry in there if entry.address == one.address]
        seconds = [entry.timestamp // 1_000_000 for entry in own]
        assert one.entries == len(own)
        assert one.size_bytes == sum(len(entry.encoded or b"") for entry in own)
        assert one.peak_per_s == max(map(seconds.count, seconds))
        assert (one.first_us, one.last_us) == (
            min(entry.timestamp for entry in own),
            max(entry.timestamp for entry in own),
        )


@pytest.mark.property
@given(evening=drawing.evenings(), inquiry=drawing.inquiries(), after=st.integers(0, 40))
def test_following_hands_over_what_reading_would(evening, inquiry, after):
    """What is there behind a number, and what comes while it waits."""
    after = min(after, len(evening))
    endless = replace(inquiry, span=Span(after, None), changed=False)
    wanted = drawing.answer(evening, endless)

    async def read(journal):
        found = []
        if wanted:
            async for entry in follow(journal, endless, after):
                found.append(entry)
                if len(found) == len(wanted):
                    break
        return found

    assert asked(evening, read) == wanted


class WatchedJournal(MemoryJournal):
    """A journal that knows how often it was asked for a page."""

    pages_read = 0

    async def page(self, selection, after_seq, upto_seq, limit):
        self.pages_read += 1
        return await super().page(selection, after_seq, upto_seq, limit)


async def test_a_page_comes_before_the_rest_was_read():
    """The first entries of a long journal are there at once: reading stops where the reader does."""
    async with WatchedJournal() as journal:
        await journal.append(a_series(3_000))
        async for entry in entries(journal, Inquiry()):
            assert entry.seq == 1
            break
        assert journal.pages_read == 1
