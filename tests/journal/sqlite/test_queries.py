"""However entries are found, they are the ones that `Selection.matches` says."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.selection import Selection
from clasp_journal.sqlite import SqliteJournal, finder, merging
from clasp_journal.sqlite.planner import (
    PROBE_ENTRIES_MAX,
    PROBE_ENTRIES_MIN,
    Plan,
    Task,
    choose,
    probe_entries,
)
from tests.journal.sqlite.making import PATTERNS, Growing, entries, times

selections = st.builds(
    Selection,
    pattern=st.sampled_from(PATTERNS).map(Pattern.parse),
    from_us=st.none() | times,
    to_us=st.none() | times,
    types=st.none() | st.frozensets(st.sampled_from(SignalType), max_size=2),
    author=st.none() | st.sampled_from(("s1", "tom", "desk", "nobody")),
    kinds=st.none() | st.frozensets(st.sampled_from(EntryKind).map(int), max_size=3),
)


@pytest.fixture(params=[*Plan, None], ids=["merging", "scanning", "as planned"], scope="module")
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each way to the entries, in slices so small that several are needed."""
    plan = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finder, "SCAN_SLICE_ENTRIES", 3)
        patch.setattr(finder, "probe_entries", lambda task: 2)
        patch.setattr(merging, "MERGE_SLICE_ENTRIES", 3)
        patch.setattr(merging, "GROWTH", 2)
        patch.setattr(finder, "ADDRESSES_IN_SQL_MAX", 2)
        if plan is not None:
            patch.setattr(
                finder, "choose", lambda task: Plan.SCAN if task.matched_addresses is None else plan
            )
        yield


@pytest.mark.property
@pytest.mark.usefixtures("way")
@given(
    batch=st.lists(entries, max_size=25),
    asked=st.lists(selections, min_size=1, max_size=4),
    span=st.tuples(st.integers(0, 25), st.integers(0, 30)),
    limit=st.integers(1, 8),
)
def test_a_page_is_what_the_definition_says(
    batch: list[JournalEntry],
    asked: list[Selection],
    span: tuple[int, int],
    limit: int,
    growing: Growing,
) -> None:
    """Merged or scanned, oldest or newest, with clocks that go back and every character in an address."""

    async def story(journal: SqliteJournal, base: int) -> None:
        await journal.append(batch[:9])
        await journal.append(batch[9:])
        after, upto = base + span[0], base + span[1]
        kept = [entry._replace(seq=seq) for seq, entry in enumerate(batch, base + 1)]
        for selection in asked:
            wanted = [entry for entry in kept if after < entry.seq <= upto and selection.matches(entry)]
            assert await journal.page(selection, after, upto, limit) == wanted[:limit]
            assert await journal.newest(selection, limit, after_seq=after, upto_seq=upto) == wanted[-limit:]
            nth = await journal.nth_newest(selection, limit, after_seq=after, upto_seq=upto)
            assert nth == (wanted[-limit].seq if len(wanted) >= limit else after + 1)

    growing.tell(story)


def test_few_addresses_are_merged_and_many_are_scanned() -> None:
    """The cheaper way is taken, at both ends of the scale."""
    assert choose(Task(1, 100_000, 10_000_000, 100)) is Plan.MERGE
    assert choose(Task(None, 100_000, 10_000_000, 100)) is Plan.SCAN
    assert choose(Task(50_000, 100_000, 10_000_000, 100)) is Plan.SCAN


def test_a_scan_that_finds_little_gives_way_to_merging() -> None:
    """What was found in the slices so far counts more than the guess."""
    hopeful = Task(2_000, 10_000, 10_000_000, 100)
    assert choose(hopeful) is Plan.SCAN
    assert choose(hopeful._replace(density=1 / 40_000)) is Plan.MERGE


def test_a_guess_is_tried_on_few_entries_before_many_are_scanned() -> None:
    """Twice what it expects to be enough; one that everything or nothing matches is tried all the same."""
    hopeful = Task(2_000, 10_000, 10_000_000, 300)
    assert probe_entries(hopeful) == 3_000
    assert probe_entries(hopeful._replace(matched_addresses=10_000)) == PROBE_ENTRIES_MIN
    assert probe_entries(hopeful._replace(matched_addresses=0)) == PROBE_ENTRIES_MAX
