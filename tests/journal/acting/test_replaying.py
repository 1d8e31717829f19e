"""When entries are due, and what they are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.acting.replaying import AS_RECORDED, AT_ONCE, Pace, Timetable, parse_renaming, renamed
from clasp_journal.errors import BadInput


def due(pace, times):
    """When entries of these times are due."""
    timetable = Timetable(pace)
    return [timetable.due_us(at_us) for at_us in times]


@pytest.mark.property
@given(st.lists(st.integers(0, 10**12)).map(sorted))
def test_the_gaps_are_those_of_the_record(times):
    """To the microsecond, from the first entry on."""
    assert due(AS_RECORDED, times) == [at_us - times[0] for at_us in times]


def test_speed_divides_and_gaps_are_cut_as_they_are_waited():
    """Four times as fast, and no wait above two seconds."""
    assert due(Pace(4.0), [0, 4_000_000, 8_000_000]) == [0, 1_000_000, 2_000_000]
    assert due(Pace(4.0, 2_000_000), [0, 4_000_000, 40_000_000]) == [0, 1_000_000, 3_000_000]


def test_a_clock_that_went_back_costs_no_time():
    """The next entry follows at once, and gaps count from there."""
    assert due(AS_RECORDED, [100, 50, 60]) == [0, 0, 10]


def test_at_once_never_waits():
    """Whatever the record says."""
    assert due(AT_ONCE, [0, 10**9, 10**10]) == [0, 0, 0]


@pytest.mark.parametrize(
    ("texts", "address", "expected"),
    [
        (["/a=/b"], "/a/x", "/b/x"),
        (["/a=/b"], "/a", "/b"),
        (["/a=/b"], "/ab", "/ab"),
        (["/a=/b/c", "/=/all"], "/a/x", "/b/c/x"),
        (["/a=/b/c", "/=/all"], "/z", "/all/z"),
        (["/a=/"], "/a/x", "/x"),
        (["/a=/"], "/a", "/"),
        (["/a/=/b/"], "/a/x", "/b/x"),
        ([], "/a", "/a"),
    ],
)
def test_a_subtree_gets_another_root(texts, address, expected):
    """The first renaming that concerns an address counts; whole segments only."""
    assert renamed(address, [parse_renaming(text) for text in texts]) == expected


@pytest.mark.parametrize(
    "text", ["/a", "a=/b", "/a=b", "=", "/a=", "/a//b=/c", "/a/**=/b/**", "/a=/b/*", "/z*=/b"]
)
def test_what_is_no_renaming_is_refused(text):
    """With examples, or what is wrong with it. A pattern would fit nothing: all would be played in place."""
    with pytest.raises(BadInput):
        parse_renaming(text)
