"""What Hypothesis draws for recorders: things that happen to a router, one packet after the other."""

from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry
from router.wire.messages import Set
from tests.router.recording.history import Recorded, session
from tests.router.wire.strategies import (
    any_encoded,
    any_values,
    optional,
    publishes,
    sets,
    texts,
    u32,
    u64,
)

TIMES_US = st.integers(0, 1 << 40)

sessions = st.builds(session, st.integers(1, 4), st.just(""), st.just("")) | st.sampled_from(
    [session(7, "subject", "a client"), session(8, "sübject", "ünïcode"), session(9, "s9", "")]
)
own_entries = st.builds(
    lambda now, address, kind, revision, details: JournalEntry(
        now, "", address, kind, revision=revision, details=details
    ),
    TIMES_US,
    texts,
    st.sampled_from((EntryKind.EXPIRE, EntryKind.GAP)),
    optional(u64),
    optional(st.dictionaries(texts, any_values, min_size=1, max_size=2).map(values.encode)),
)
large_values = st.integers(100, 60_000).map(bytes).map(values.encode)
"""Values whose frames need each of the three widths of a length."""
revised_sets = st.builds(Set, texts, any_encoded | large_values, u64, ttl=optional(u32))

anything_recorded = st.builds(Recorded, sets() | revised_sets | publishes() | own_entries, sessions, TIMES_US)
runs = st.lists(anything_recorded, min_size=1, max_size=12)

ADDRESSES = ("/a", "/a/b", "/a/b/c", "/d", "/d/e")


@st.composite
def histories(draw):
    """Packets as a router makes them over a few addresses: revisions rise, time goes on."""
    revisions = dict.fromkeys(ADDRESSES, 0)
    now = draw(st.integers(1, 1_000))
    packets = []
    for _ in range(draw(st.integers(1, 6))):
        recorded = []
        for _ in range(draw(st.integers(1, 8))):
            now += draw(st.integers(0, 3))
            recorded.append(Recorded(draw(_happening(revisions, now)), draw(sessions), now))
        packets.append(recorded)
    return packets


@st.composite
def _happening(draw, revisions, now):
    address = draw(st.sampled_from(ADDRESSES))
    what = draw(st.integers(0, 5))
    if what == 0:
        return draw(publishes().map(lambda message: _at(message, address)))
    if what == 1 and revisions[address]:
        return JournalEntry(now, "", address, EntryKind.EXPIRE, revision=revisions[address])
    revisions[address] += 1
    return Set(address, draw(any_encoded), revisions[address], ttl=draw(optional(u32)))


def _at(message, address):
    message.address = address
    return message
