"""Acts of thinning and blanks: they say what they mean, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.forgetting import IMPORTED
from clasp_journal.thinned import Thinned, act_of, blank_of, stands_for, told_by, was_thinned
from clasp_journal.value import encode
from tests.journal.sqlite.making import START_US, was_set

PATTERNS = tuple(map(Pattern.parse, ("/a/**", "/a/*", "/a/b", "/b/zone*", "/**", "/**/x", "/c")))
ADDRESSES = ("/a", "/a/b", "/a/x", "/b/zone5", "/c", "/d/x")

acts = st.builds(
    Thinned,
    st.sampled_from(PATTERNS),
    st.sampled_from(("last-only", "sample 1s")),
    st.integers(1, 1 << 40),
    st.integers(1, 1 << 40),
    st.integers(1, 1 << 40),
    st.lists(st.sampled_from(PATTERNS), max_size=2).map(tuple),
)


@pytest.mark.property
@given(acts, st.sampled_from(PATTERNS))
def test_an_act_is_read_as_it_was_written(act: Thinned, asked: Pattern) -> None:
    """And says of no pattern that it is whole if one of its addresses is not."""
    assert told_by(act_of(act, at_us=START_US)) == act
    for address in ADDRESSES:
        if act.holds_for(address) and asked.matches(address):
            assert act.may_meet(asked)


@pytest.mark.parametrize(
    "details",
    [
        None,
        b"\xff",
        encode([1]),
        encode({"from": 1, "to": 9, "count": 9, "rule": "age"}),
        encode({"from": 1, "to": 9, "count": 9, "rule": "last-only", "pattern": "no address"}),
        encode({"from": "1", "to": 9, "count": 9, "rule": "last-only", "pattern": "/a"}),
        encode({"from": 1, "to": 9, "count": 9, "rule": "last-only", "pattern": "/a", IMPORTED: True}),
    ],
)
def test_what_is_no_act_is_taken_for_none(details: bytes | None) -> None:
    """Other notes of removals, those of other journals, and what nobody understands."""
    assert told_by(JournalEntry(START_US, "", "", EntryKind.REMOVED, details=details)) is None


def test_a_blank_keeps_number_time_and_address() -> None:
    """It stands for its entry only; a note of a removal is none."""
    entry = was_set("/a", "secret", START_US, 7)._replace(seq=3)
    blank = blank_of(entry)
    assert (blank.seq, blank.timestamp, blank.address) == (3, START_US, "/a")
    assert was_thinned(blank)
    assert stands_for(blank, entry)
    assert not stands_for(blank, entry._replace(seq=4))
    assert not was_thinned(blank._replace(address=""))
    assert not was_thinned(blank._replace(details=encode({IMPORTED: True})))
    assert not was_thinned(entry)
