"""What is remembered of the last entries changes how soon the newest are found, and never which they are."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.address import Pattern
from clasp_journal.entry import JournalEntry
from clasp_journal.mirror.rebuilding import Origin
from clasp_journal.rules import Rules
from clasp_journal.selection import NO_ADDRESS, Selection
from clasp_journal.sqlite import SqliteJournal, finder, merging
from clasp_journal.sqlite.clock import Span
from clasp_journal.sqlite.planner import Plan
from clasp_journal.sqlite.recency import Recency
from tests.journal.sqlite.making import ADDRESSES, PATTERNS, START_US, Growing, was_sent, was_set

THINNED = Rules(["/a/** last-only", "/** keep"])
LATE_US = START_US + 1_000_000

written = st.lists(
    st.builds(
        lambda make, address, author: make(address, 1)._replace(author=author),
        st.sampled_from((was_set, was_sent)),
        st.sampled_from(ADDRESSES),
        st.sampled_from(("s1", "tom")),
    ),
    min_size=1,
    max_size=12,
)
steps = st.lists(
    st.one_of(
        written,
        st.sampled_from(("forget s1", "forget tom", "thin", "compact", "open again")),
        st.builds(
            Selection,
            st.just(NO_ADDRESS) | st.sampled_from((*PATTERNS, "/b/**", "/a/b")).map(Pattern.parse),
            author=st.none() | st.just("tom"),
        ),
    ),
    min_size=3,
    max_size=10,
)


@pytest.fixture(scope="module", autouse=True)
def merging_alone() -> Iterator[None]:
    """What is not all is looked for by addresses, of which no look covers all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "MERGE_SLICE_ENTRIES", 2)
        patch.setattr(
            finder, "choose", lambda task: Plan.SCAN if task.matched_addresses is None else Plan.MERGE
        )
        yield


async def do(journal: SqliteJournal, act: str, base: int) -> None:
    """Take something out of a journal, or let it forget all that it remembers."""
    verb, _, rest = act.partition(" ")
    if verb == "forget":
        await journal.forget(rest)
    elif verb == "thin":
        await journal.thin(THINNED, before_us=LATE_US, now_us=LATE_US)
    elif verb == "compact":
        await journal.compact(base + 1)
    else:
        storage = await journal._opened()
        writer = storage.writer.entries
        storage.catalog.recency = writer.recency = writer.catalog.recency = Recency(writer.latest_seq)


@pytest.mark.property
@given(story=steps, limit=st.integers(1, 4), back=st.integers(0, 20))
def test_the_newest_are_the_same_whatever_came_and_went(
    story: list[list[JournalEntry] | str | Selection], limit: int, back: int, growing: Growing
) -> None:
    """Asked again and again, also while entries are appended, after some became blanks or were removed."""

    async def tell(journal: SqliteJournal, base: int) -> None:
        for step in story:
            if isinstance(step, list):
                await journal.append(step)
            elif isinstance(step, str):
                await do(journal, step, base)
            else:
                upto = await journal.latest_seq()
                asking = journal.newest(step, limit, after_seq=0, upto_seq=upto)
                found, _ = await asyncio.gather(
                    asking, journal.append([was_set("/a/b", 2), was_sent("/b/*", 3)])
                )
                there = await journal.page(Selection(), 0, upto, 10_000)
                wanted = [entry for entry in there if step.matches(entry)]
                assert found == wanted[-limit:]
                behind = [entry for entry in wanted if entry.seq > upto - back]
                assert await journal.page(step, max(0, upto - back), upto, limit) == behind[:limit]
                async with SqliteJournal(journal.path, read_only=True) as reader:
                    assert await journal.oldest_seq() == await reader.oldest_seq()

    growing.tell(tell)


async def test_entries_that_come_back_under_their_numbers_are_found(tmp_path: Path) -> None:
    """A journal that is open, and has been asked already, gets them from elsewhere."""
    told = [was_set(address, n) for n, address in enumerate(("/a/1", "/a/2", "/b/1", "/a/2"))]
    async with SqliteJournal(tmp_path / "a.db") as source, SqliteJournal(tmp_path / "b.db") as journal:
        await source.append(told)
        await journal.append(told[:1])
        assert len(await journal.query("/a/*", limit=1, newest=True)) == 1
        origin = Origin("", journal.epoch, 0)
        await journal.insert_missing(await source.bodies(1, 4, 10), origin)
        await journal.append([was_set("/c", 4)])
        for pattern in ("/a/*", "/a/2", "/a/**"):
            newest = await journal.query(pattern, limit=1, newest=True)
            assert [entry.seq for entry in newest] == [4]
        assert [entry.seq for entry in await journal.query("/b/1", after_seq=1)] == [3]


def test_what_is_learned_late_does_not_replace_what_was_noted() -> None:
    """A search saw the file before a commit, and tells what it found after it."""
    recency = Recency(10)
    recency.note({2: 11}, {3: 12}, upto_seq=12)
    recency.learn([1, 2, 3], {1: 4, 2: 5, 3: 6}, Span(0, 10))
    assert list(recency.bounds([1, 2, 3])) == [4, 11, 12]


def test_a_search_of_the_past_teaches_nothing() -> None:
    """What it did not find may lie behind it."""
    recency = Recency(10)
    recency.learn([1, 2], {1: 4}, Span(0, 9))
    assert list(recency.bounds([1, 2])) == [0, 0]
    recency.learn([1, 2], {1: 4}, Span(3, 10))
    assert list(recency.bounds([1, 2])) == [4, 3]


def test_what_came_in_between_may_be_the_last() -> None:
    """A blank stands where another address had its entry."""
    recency = Recency(10)
    recency.note({1: 11}, upto_seq=14)
    recency.loosen(1)
    assert list(recency.bounds([1])) == [14]
