"""What waits for groups of readers: however they take turns, each reader gets its messages in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.ports import Fate
from router.core.session import Session
from router.core.subscriptions import Readers
from router.core.topics import Topic
from router.runtime.spread import Spread

SESSIONS = [Session(number, str(number), None) for number in range(5)]
TOPIC = Topic(b"/a", "/a")
GROUPS = [
    Readers(tuple(SESSIONS[n] for n in numbers), {}) for numbers in ((0, 1), (1, 2, 3), (4,), (0, 4), ())
]

additions = st.tuples(
    st.integers(0, len(GROUPS) - 1),
    st.sampled_from([None, 0, 4]),
    st.sampled_from((Fate.KEEP, Fate.CONFLATE, Fate.DROP)),
    st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=3),
)


def added(spread, group, sender, fate, messages):
    """One more delivery."""
    sending = None if sender is None else SESSIONS[sender]
    spread.add(GROUPS[group], messages, [TOPIC] * len(messages), fate, sending)


def handed_out(spread):
    """What every reader gets, joined and one by one."""
    joined = {session.number: b"" for session in SESSIONS}
    single = {session.number: [] for session in SESSIONS}
    for readers, excluding, together, stretches in spread.take():
        for session in readers:
            if session is not excluding:
                joined[session.number] += together
                for one in stretches:
                    fate = one.fate_for(session)
                    single[session.number] += [(m, fate) for messages, _ in one.pieces for m in messages]
    return joined, single


@pytest.mark.property
@given(st.lists(additions, max_size=40))
def test_each_reader_gets_what_is_for_it_in_order(deliveries):
    """As if every message had been handed out alone, whether the groups share readers or not."""
    spread, expected = Spread(), {session.number: [] for session in SESSIONS}
    for group, sender, fate, messages in deliveries:
        added(spread, group, sender, fate, messages)
        for session in GROUPS[group].members:
            theirs = fate
            if session.number == sender:
                if fate is not Fate.CONFLATE:
                    continue
                theirs = Fate.ECHO
            expected[session.number] += [(message, theirs) for message in messages]
    assert spread.size_bytes == sum(len(message) for *_, messages in deliveries for message in messages)
    joined, single = handed_out(spread)
    assert single == expected
    assert joined == {number: b"".join(m for m, _ in got) for number, got in expected.items()}
    assert not spread
    assert spread.size_bytes == 0


def test_groups_that_take_turns_get_one_piece_each():
    """A hundred changes of readers do not cost a hundred pieces per reader."""
    spread = Spread()
    for at in range(100):
        added(spread, (0, 2)[at % 2], None, Fate.KEEP, [b"%03d" % at])
    shares = list(spread.take())
    assert [list(readers) for readers, *_ in shares] == [SESSIONS[:2], SESSIONS[4:]]
    assert [joined[:9] for _, _, joined, _ in shares] == [b"000002004", b"001003005"]


def test_readers_of_both_groups_get_them_merged():
    """Order is kept across groups for whoever is in both."""
    spread = Spread()
    for at in range(100):
        added(spread, (0, 3)[at % 2], None, Fate.KEEP, [b"%03d" % at])
    by_reader = {one.number: joined for readers, _, joined, _ in spread.take() for one in readers}
    assert by_reader[0] == b"".join(b"%03d" % at for at in range(100))
    assert by_reader[1] == b"".join(b"%03d" % at for at in range(0, 100, 2))
