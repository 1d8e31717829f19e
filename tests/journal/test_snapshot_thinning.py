"""Which snapshots go, and which stay for good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.snapshot_thinning import APART_ENTRIES, APART_US, NEWEST_KEPT, Taken, surplus

MINUTE_US = 60_000_000


def test_the_newest_four_and_the_base_stay() -> None:
    """However close together they are."""
    assert surplus(Taken(seq, 0) for seq in range(1, 11)) == [2, 3, 4, 5, 6]
    assert surplus(Taken(seq, 0) for seq in range(1, 6)) == []


@pytest.mark.parametrize(
    ("entries", "minutes", "stays"),
    [
        (APART_ENTRIES, 10, True),
        (APART_ENTRIES - 1, 10, False),
        (APART_ENTRIES, 9, False),
        (10 * APART_ENTRIES, 1, False),
        (1, 1_000, False),
        (APART_ENTRIES, -30, True),
    ],
)
def test_an_old_one_stays_when_both_entries_and_minutes_have_passed(
    entries: int, minutes: int, stays: bool
) -> None:
    """The later of the two counts; a clock that went back counts as time that has passed."""
    hour = 60 * MINUTE_US
    base, old = Taken(1, hour), Taken(1 + entries, hour + minutes * MINUTE_US)
    newest = [Taken(old.at_seq + n, old.at_us + n) for n in range(1, NEWEST_KEPT + 1)]
    assert surplus([base, old, *newest]) == ([] if stays else [old.at_seq])


@pytest.mark.property
@given(
    st.lists(
        st.tuples(st.integers(1, APART_ENTRIES), st.integers(-MINUTE_US, APART_US)), min_size=1, max_size=60
    )
)
def test_thinning_as_one_goes_leaves_what_thinning_at_the_end_leaves(steps: list[tuple[int, int]]) -> None:
    """What was kept once stays, so the gaps do not grow with the number of rounds."""
    kept: dict[int, int] = {}
    at_seq, at_us = 0, APART_US * 100
    written: list[Taken] = []
    for entries, elapsed_us in steps:
        at_seq, at_us = at_seq + entries, at_us + elapsed_us
        kept[at_seq] = at_us
        written.append(Taken(at_seq, at_us))
        for gone in surplus(Taken(*item) for item in kept.items()):
            del kept[gone]
    gone_at_the_end = surplus(written)
    assert sorted(kept) == [taken.at_seq for taken in written if taken.at_seq not in gone_at_the_end]
    assert min(kept) == written[0].at_seq
    assert sorted(kept)[-NEWEST_KEPT:] == [taken.at_seq for taken in written[-NEWEST_KEPT:]]
