"""State is the fold of entries over a snapshot, wherever the cut between the two is made."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import restore
from clasp_journal.entry import EntryKind, JournalEntry, ParamSnapshot, SignalType, absolute_ttl
from clasp_journal.restore import Change, Snapshot, State, diff, fold
from clasp_journal.value import encode


def was_set(address: str, value: object = 0, revision: int | None = None, at: int = 0) -> JournalEntry:
    """A SET."""
    return JournalEntry.from_set(address, value, author="desk", timestamp=at, revision=revision)


def has_expired(address: str, revision: int | None = None) -> JournalEntry:
    """The end of a param."""
    return JournalEntry(9, "", address, EntryKind.EXPIRE, revision=revision)


def test_the_last_set_of_an_address_is_its_param() -> None:
    """With value, revision, writer, timestamp and TTL."""
    last = was_set("/a", "new", 7, at=5)._replace(author="lights", ttl=absolute_ttl(60))
    state = fold(None, [was_set("/a", "old", 6), was_set("/b", 1, 1), last])
    assert state.live["/a"] == ParamSnapshot("/a", encode("new"), 7, "lights", 5, absolute_ttl(60))
    assert state.live.keys() == {"/a", "/b"}


def test_entries_are_outcomes_so_there_are_no_conflicts() -> None:
    """A lower revision that comes later wins: the router had accepted it."""
    assert fold(None, [was_set("/a", 1, 9), was_set("/a", 2, 3)]).live["/a"].revision == 3


def test_a_set_without_a_revision_gets_the_next_one() -> None:
    """Above what is known of the address, else above the floor."""
    assert fold(None, [was_set("/a"), was_set("/a")]).live["/a"].revision == 2
    above_floor = State(revision_floor=40)
    above_floor.apply(was_set("/a"))
    assert above_floor.live["/a"].revision == 41


def test_an_expired_param_leaves_its_revision_behind() -> None:
    """It is gone, and whoever sets it again goes on counting."""
    state = fold(None, [was_set("/a", 1, 5), has_expired("/a", 5)])
    assert not state.live
    assert state.tombstones["/a"].revision == 5
    state.apply(was_set("/a"))
    assert state.live["/a"].revision == 6
    assert not state.tombstones


def test_an_expiry_without_a_revision_keeps_the_last_known_one() -> None:
    """A revision that was given is never given again."""
    assert fold(None, [was_set("/a", 1, 5), has_expired("/a")]).tombstones["/a"].revision == 5


@pytest.mark.parametrize("kind", sorted(set(EntryKind) - {EntryKind.SET, EntryKind.EXPIRE}))
def test_other_kinds_change_nothing(kind: EntryKind) -> None:
    """Events pass by; marks, gaps and removals are about the journal, not about params."""
    before = fold(None, [was_set("/a", 1, 1)])
    after = fold(None, [was_set("/a", 1, 1), JournalEntry(5, "x", "/a", kind, SignalType.EVENT, b"\x01\x01")])
    assert after.live == before.live
    assert after.tombstones == before.tombstones


def test_tombstones_above_the_cap_raise_the_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes, and addresses that are then new start above it."""
    monkeypatch.setattr(restore, "TOMBSTONES_MAX", 2)
    state = fold(None, [has_expired("/a", 70), has_expired("/b", 5), has_expired("/c", 6)])
    assert list(state.tombstones) == ["/b", "/c"]
    assert state.revision_floor == 70
    state.apply(was_set("/a"))
    assert state.live["/a"].revision == 71
    state.apply(has_expired("/d", 1))
    assert state.revision_floor == 70, "a floor never sinks"


def test_a_snapshot_holds_the_living_then_the_gone() -> None:
    """Loading it gives the same state, with the tombstones in the order of their age."""
    state = fold(None, [has_expired("/z", 1), has_expired("/a", 2), was_set("/m", 1, 1)])
    params = state.params()
    assert [param.address for param in params] == ["/m", "/z", "/a"]
    again = State(params)
    assert again.live == state.live
    assert list(again.tombstones.items()) == list(state.tombstones.items())


def test_a_diff_names_what_came_went_and_changed() -> None:
    """In order of address; what is the same to the bit is left out."""
    before = fold(None, [was_set("/went", 1), was_set("/same", 1), was_set("/b", 0.0), was_set("/t", 1)])
    after = fold(
        None, [was_set("/same", 1, 99), was_set("/came", 1), was_set("/b", -0.0), was_set("/t", 1.0)]
    )
    assert diff(before, after) == [
        Change("/b", before.live["/b"], after.live["/b"]),
        Change("/came", None, after.live["/came"]),
        Change("/t", before.live["/t"], after.live["/t"]),
        Change("/went", before.live["/went"], None),
    ]
    assert diff(before, before) == []


ADDRESSES = st.sampled_from(["/a", "/b", "/c/d", "/c/e"])
REVISIONS = st.none() | st.integers(0, 50)
ENTRIES = st.lists(
    st.one_of(
        st.builds(was_set, ADDRESSES, st.integers(0, 3) | st.none(), REVISIONS),
        st.builds(has_expired, ADDRESSES, REVISIONS),
        st.builds(
            JournalEntry, st.integers(0, 9), st.just("x"), ADDRESSES, st.sampled_from(EntryKind)
        ).filter(lambda entry: entry.kind not in (EntryKind.SET, EntryKind.EXPIRE)),
    ),
    max_size=30,
)


def same(one: State, other: State) -> bool:
    """Whether two states will ever answer alike."""
    return (
        one.live == other.live
        and list(one.tombstones.items()) == list(other.tombstones.items())
        and one.revision_floor == other.revision_floor
    )


@pytest.mark.property
@given(ENTRIES, st.lists(st.integers(0, 30), max_size=4))
def test_a_snapshot_may_be_taken_anywhere(entries: list[JournalEntry], cuts: Iterable[int]) -> None:
    """Folding in pieces, each piece over a snapshot of the ones before, is folding at once."""
    whole = fold(None, entries)
    state = State()
    places = sorted({0, len(entries), *(min(cut, len(entries)) for cut in cuts)})
    for begin, end in pairwise(places):
        snapshot = Snapshot(begin, state.params(), state.revision_floor)
        state = fold(snapshot, entries[begin:end])
    assert same(state, whole)


@pytest.mark.property
@given(ENTRIES)
def test_an_address_is_alive_or_gone_never_both(entries: list[JournalEntry]) -> None:
    """And it is never forgotten: whatever had a revision still has one."""
    state = fold(None, entries)
    assert not state.live.keys() & state.tombstones.keys()
    told = {e.address for e in entries if e.kind in (EntryKind.SET, EntryKind.EXPIRE)}
    assert told == state.live.keys() | state.tombstones.keys()
