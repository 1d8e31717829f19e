"""Which SETs bring a state back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import JournalEntry, fold
from clasp_journal import value as values
from clasp_journal.acting.undoing import plan_undo
from clasp_journal.entry import EntryKind, absolute_ttl, sliding_ttl
from clasp_journal.restore import State

ADDRESSES = ("/a", "/a/b", "/a/c", "/b")


def everything(address):
    """Every address is meant."""
    return True


def was_set(address, value, at, ttl=None):
    """A SET that took place."""
    return JournalEntry.from_set(address, value, timestamp=at)._replace(ttl=ttl)


def played(state, steps):
    """The state after the steps; each finds the revision that it expects."""
    after = State(state.params(), state.revision_floor)
    for step in steps:
        live = after.live.get(step.address)
        assert step.revision == (live.revision if live else 0)
        ttl = step.ttl if step.ttl is not None or live is None else live.ttl
        after.apply(JournalEntry(0, "", step.address, EntryKind.SET, encoded=step.encoded, ttl=ttl))
    return after


changes = st.tuples(
    st.sampled_from(ADDRESSES),
    st.integers(0, 3) | st.floats(0, 1),
    st.none() | st.sampled_from([0, sliding_ttl(60), absolute_ttl(9)]),
    st.booleans(),
)


@pytest.mark.property
@given(st.lists(changes, max_size=15), st.integers(0, 15))
def test_the_subtree_is_what_it_was_then(history, cut):
    """Whatever was there has its value and its TTL again; what is new is named; nothing else is touched."""
    entries = [
        JournalEntry(at, "", address, EntryKind.EXPIRE) if gone else was_set(address, value, at, ttl)
        for at, (address, value, ttl, gone) in enumerate(history)
    ]
    then, now = fold(None, entries[:cut]), fold(None, entries)
    plan = plan_undo(then, now, lambda address: address.startswith("/a"))
    after = played(now, plan.steps)
    for address in ADDRESSES:
        was, has_been, is_now = (state.live.get(address) for state in (then, now, after))
        if address == "/b":
            assert is_now == has_been
        elif was is not None:
            assert is_now.encoded == was.encoded
            if has_been is None or has_been.encoded != was.encoded:
                assert (is_now.ttl or 0) == (was.ttl or 0)
        else:
            assert is_now == has_been
    assert plan.left == [now.live[a] for a in sorted(now.live) if a.startswith("/a") and a not in then.live]


def test_nothing_to_undo_is_nothing_to_do():
    """What has not changed is not set."""
    state = fold(None, [was_set("/a", 1, 0)])
    assert plan_undo(state, state, everything) == ([], [])


def test_what_was_not_there_can_be_let_expire():
    """It is set to what it is, for a second."""
    now = fold(None, [was_set("/new", 7, 0)])
    [step] = plan_undo(State(), now, everything, expire_new=True).steps
    assert (step.address, step.encoded, step.revision) == ("/new", values.encode(7), 1)
    assert step.ttl == absolute_ttl(1)
    assert step.then is None
