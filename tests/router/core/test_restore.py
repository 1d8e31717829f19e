"""What the journal remembers becomes the state again: values as they were, timers by their rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import restore
from clasp_journal import value as values
from clasp_journal.entry import (
    TTL_NEVER,
    EntryKind,
    JournalEntry,
    ParamSnapshot,
    SignalType,
    absolute_ttl,
    sliding_ttl,
)
from router.core.limits import SECOND_US
from router.wire.codes import ErrorCode
from router.wire.messages import Ack, Bundle, Get, Hello, Set
from tests.router.core.desk import START_US, Desk, codes
from tests.router.core.ports import messages_in

ONE = values.encode(1)


def restored(params, floor=0, now=START_US):
    """A desk that has been given these params."""
    desk = Desk()
    desk.now = now
    desk.core.restore(params, floor, now)
    desk.core.restored()
    desk.later(0)
    return desk


def param(address, revision=3, ttl=None, encoded=ONE, timestamp=START_US):
    """One param as a journal keeps it."""
    return ParamSnapshot(address, encoded, revision, "before", timestamp, ttl)


def everything(desk):
    """All params as a newcomer hears of them, by address."""
    _, *snapshots = desk.knock("newcomer").say(Hello())
    return {one.address: one for snapshot in snapshots for one in snapshot.params}


def test_params_come_back_as_they_were():
    """Value, revision, writer and time; nobody is told, and nothing becomes an entry."""
    kept = [param("/a"), param("/b", 9, encoded=b"\x06\x7f\xc0\x00\x01", timestamp=START_US - 5)]
    desk = restored(kept)
    assert everything(desk) == {one.address: one for one in kept}
    assert desk.ports.entries == desk.ports.recorded == desk.ports.groups == []


def test_revisions_go_on():
    """Of params and of those that are gone; who expects a revision means the restored one."""
    client = restored([param("/a", 3), param("/gone", 7, encoded=None)]).connect()
    assert client.say(Get("/gone")) == []
    assert client.set("/a", 2, qos=1, revision=3) == [Ack("/a", 4)]
    assert client.set("/gone", 2, qos=1, revision=0) == [Ack("/gone", 8)]


def test_new_addresses_start_above_the_floor():
    """They may have had revisions that nobody remembers; known ones have their own."""
    client = restored([param("/a", 3), param("/gone", 7, encoded=None)], floor=100).connect()
    assert client.set("/new", 1, qos=1, revision=0) == [Ack("/new", 101)]
    assert client.set("/a", 1, qos=1) == [Ack("/a", 4)]
    assert client.set("/gone", 1, qos=1) == [Ack("/gone", 8)]


def test_the_state_may_come_in_parts():
    """The floor is the highest that was told."""
    desk = Desk()
    desk.core.restore([param("/a")], 5, desk.now)
    desk.core.restore([param("/b")], 3, desk.now)
    desk.core.restored()
    assert set(everything(desk)) == {"/a", "/b"}
    assert desk.core.ground.topics.live == 2
    assert desk.connect().set("/new", 1, qos=1) == [Ack("/new", 6)]


def test_what_is_told_twice_is_as_it_was_told_last():
    """Whether there was a param before, or only a tombstone; timers start for what it is at the end."""
    desk = Desk()
    first = [param("/a"), param("/goes", 4, ttl=absolute_ttl(5)), param("/comes", 7, encoded=None)]
    desk.core.restore([*first, param("/gone", encoded=None)], 0, desk.now)
    last = [param("/a", 5, ttl=sliding_ttl(9)), param("/comes", 8), param("/goes", 5, encoded=None)]
    desk.core.restore(last, 0, desk.now)
    desk.core.restored()
    topics = desk.core.ground.topics
    assert (topics.live, [topic.text for topic in topics.tombstones()]) == (2, ["/gone", "/goes"])
    assert {one.address: one.revision for one in topics.snapshot()} == {
        "/a": 5,
        "/comes": 8,
        "/gone": 3,
        "/goes": 5,
    }
    desk.later(8)
    assert set(everything(desk)) == {"/a", "/comes"}
    desk.later(1)
    assert set(everything(desk)) == {"/comes"}


def test_sliding_timers_start_anew():
    """Nobody could use the param while the router was away."""
    desk = restored([param("/a", ttl=sliding_ttl(10), timestamp=START_US - 3_600 * SECOND_US)])
    desk.later(9)
    assert "/a" in everything(desk)
    desk.later(1)
    assert everything(desk) == {}
    assert [(entry.address, entry.revision) for entry in desk.ports.entries] == [("/a", 3)]


def test_absolute_timers_have_run_on():
    """What has passed expires at once, and is recorded; the rest goes at its time."""
    desk = restored(
        [
            param("/past", ttl=absolute_ttl(10), timestamp=START_US - 11 * SECOND_US),
            param("/soon", ttl=absolute_ttl(10), timestamp=START_US - 6 * SECOND_US),
        ]
    )
    assert [entry.address for entry in desk.ports.entries] == ["/past"]
    assert set(everything(desk)) == {"/soon"}
    desk.later(4)
    assert everything(desk) == {}


def test_locks_do_not_come_back():
    """Their holders are gone."""
    assert codes(restored([param("/a")]).connect().set("/a", 2)) == []


def test_a_restored_param_takes_the_fast_form_if_it_is_plain():
    """And the full one if it has a TTL."""
    known = restored([param("/a"), param("/b", ttl=sliding_ttl(5))]).core.ground.topics.known
    assert (known[b"/a"].is_plain, known[b"/b"].is_plain) == (True, False)


def expired(desk, client, *addresses):
    """Params that were set, each once more than the one before it, and have run out."""
    for times, address in enumerate(addresses, 1):
        for _ in range(times):
            client.set(address, 1, ttl=absolute_ttl(1))
        desk.later(1)


def test_only_so_many_tombstones_are_kept(monkeypatch):
    """The oldest goes first, and addresses that are then new start above its revision."""
    monkeypatch.setattr("router.core.topics.TOMBSTONES_MAX", 2)
    desk = Desk()
    client = desk.connect()
    expired(desk, client, "/1", "/2", "/3", "/4")
    assert [topic.text for topic in desk.core.ground.topics.tombstones()] == ["/3", "/4"]
    assert codes(client.set("/1", 1, revision=1)) == [ErrorCode.REVISION_CONFLICT]
    assert client.set("/1", 1, qos=1, revision=0) == [Ack("/1", 3)]
    assert client.set("/4", 1, qos=1, revision=5) == [Ack("/4", 6)]


def test_what_has_come_back_is_no_tombstone(monkeypatch):
    """It is not dropped when there are too many of those."""
    monkeypatch.setattr("router.core.topics.TOMBSTONES_MAX", 2)
    desk = Desk()
    client = desk.connect()
    expired(desk, client, "/1", "/2")
    client.set("/1", "back", ttl=TTL_NEVER)
    expired(desk, client, "/3")
    assert [topic.text for topic in desk.core.ground.topics.tombstones()] == ["/2", "/3"]
    assert everything(desk)["/1"].value == "back"


def test_what_is_walked_over_does_not_grow_with_what_was_dropped(monkeypatch):
    """The list of all topics is made anew now and then."""
    monkeypatch.setattr("router.core.topics.TOMBSTONES_MAX", 2)
    desk = Desk()
    client = desk.connect()
    for number in range(100):
        expired(desk, client, f"/{number}")
    assert len(desk.core.ground.topics.in_order) <= 6


def folded(desk):
    """The state that a journal would tell from what it was given."""
    authors = {session.number: session.author for session, _, _ in desk.ports.recorded}
    entries = []
    for call in desk.ports.calls:
        if call[0] == "record_entry":
            entries.append(call[1])
        elif call[0] == "record":
            for message in messages_in(call[2]):
                if isinstance(message, Set):
                    entries.append(_entry(message, authors[call[1]], call[3]))
    return restore.fold(None, entries)


def _entry(message, author, now):
    return JournalEntry(
        now,
        author,
        message.address,
        EntryKind.SET,
        SignalType.PARAM,
        message.encoded,
        message.revision,
        ttl=message.ttl,
    )


addresses = st.sampled_from(["/a", "/b", "/c"])
ttls = st.sampled_from([None, None, 0, sliding_ttl(2), absolute_ttl(2), absolute_ttl(5)])
sets = st.builds(
    Set,
    addresses,
    st.integers(-2, 2).map(values.encode),
    st.sampled_from([None, None, 1]),
    lock=st.booleans(),
    ttl=ttls,
)
acts = st.lists(
    st.tuples(st.integers(0, 1), sets | st.builds(Bundle, st.lists(sets, max_size=3)), st.integers(0, 3)),
    max_size=20,
)


@pytest.mark.property
@given(acts)
def test_the_state_after_a_restart_is_the_state_before(acts):
    """Folded from what was recorded: every value, revision, writer, time and TTL, and every tombstone."""
    desk = Desk()
    clients = [desk.connect(), desk.connect()]
    for who, message, wait_s in acts:
        clients[who].say(message)
        desk.later(wait_s)
    state = folded(desk)
    after = restored(state.params(), state.revision_floor, desk.now)
    assert everything(after) == everything(desk)
    before_topics, after_topics = desk.core.ground.topics.known, after.core.ground.topics.known
    assert before_topics.keys() == after_topics.keys()
    for address, topic in before_topics.items():
        same = after_topics[address]
        assert (topic.revision, topic.ttl, topic.encoded) == (same.revision, same.ttl, same.encoded)
