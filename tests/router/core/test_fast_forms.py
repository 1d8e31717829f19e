"""The fast forms of SET and PUBLISH do what the full forms do: frame by frame, call by call."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.entry import Phase, SignalType, sliding_ttl
from router.core.access import Access, Scope
from router.wire import codec
from router.wire.frame import encode_frame
from router.wire.messages import Bundle, Get, Publish, Set, Subscribe, SubscribeOptions, Unsubscribe
from tests.router.core.desk import Desk, codes, framed
from tests.router.wire.strategies import any_encoded, mutated, samples

ADDRESSES = ("/a", "/a/b", "/b", "bad", "/clasp/p2p/announce", "/clasp/p2p/signal/session-2")
CLIENTS = 3


def no_short_way(session, frames, now):
    """Every message takes the long way."""
    return next(frames, None)


addresses = st.sampled_from(ADDRESSES)
flags = st.sampled_from([0x01, 0x41, 0x81, 0xC1, 0x00, 0x19, 0x41])
plain_sets = st.builds(Set, addresses, any_encoded)
rare_sets = st.builds(
    Set,
    addresses,
    any_encoded,
    st.sampled_from([None, 0, 1, 2]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 0, sliding_ttl(1)]),
)
bodies = st.one_of(
    st.just({}), any_encoded.map(lambda one: {"encoded": one}), samples.map(lambda one: {"samples": one})
)
publishes = st.builds(
    lambda address, signal, phase, body, rest: Publish(address, signal, phase=phase, **body, **rest),
    addresses,
    st.sampled_from(SignalType),
    st.sampled_from(Phase),
    bodies,
    st.fixed_dictionaries({}, optional={"timestamp": st.integers(0, 99), "rate": st.integers(0, 99)}),
)
listening = st.one_of(
    st.builds(
        Subscribe,
        st.integers(0, 2),
        st.sampled_from(["/**", "/a", "/a/*", "/*"]),
        st.sampled_from([0xFF, 0x01, 0x02, 0x06]),
        st.sampled_from([None, None, SubscribeOptions(max_rate=10), SubscribeOptions(epsilon=2.0)]),
    ),
    st.builds(Unsubscribe, st.integers(0, 2)),
    st.builds(Get, addresses),
)
parts = st.builds(Bundle, st.lists(plain_sets | publishes, max_size=3))
messages = st.one_of(plain_sets, plain_sets, publishes, publishes, rare_sets, listening, parts)


@st.composite
def frames(draw):
    """What a client may send: mostly sound, sometimes with bytes too many, too few or wrong."""
    payload = codec.encode(draw(messages)) + draw(st.sampled_from([b"", b"", b"", b"\x00", b"\x00" * 4]))
    frame = encode_frame(payload, flags=draw(flags), timestamp=draw(st.sampled_from([None, None, None, 5])))
    return draw(mutated(frame)) if draw(st.integers(0, 9)) == 0 else frame


def steps(burst):
    """Who sends so many frames in a row, and how long nothing happens then."""
    pauses = st.sampled_from([0, 0, 0, 0.02, 1.5])
    return st.lists(st.tuples(st.integers(0, CLIENTS - 1), st.lists(frames(), max_size=burst), pauses))


def performed(steps, desk):
    """Every call at the ports that comes of it."""
    clients = [desk.connect() for _ in range(CLIENTS)]
    clients[0].subscribe("/**")
    for number, burst, wait_s in steps:
        desk.core.receive(clients[number].session, iter(burst), desk.now)
        desk.ports.calls.append(("received", "burst"))
        desk.later(wait_s)
    desk.later(10)
    return desk.ports.calls, desk.ports.closes


@pytest.mark.property
@given(steps(1))
def test_whatever_is_sent_the_long_way_comes_to_the_same(steps):
    """Every reply, delivery, record and close is the same, in the same order, with the same bytes."""
    fast, slow = Desk(), Desk()
    slow.core.take = no_short_way
    calls, closes = performed(steps, fast)
    expected_calls, expected_closes = performed(steps, slow)
    assert calls == expected_calls
    assert [(session.number, code) for session, code, _ in closes] == [
        (session.number, code) for session, code, _ in expected_closes
    ]


@pytest.mark.property
@given(steps(6))
def test_many_frames_at_once_come_to_the_same_as_one_by_one(steps):
    """What the journal gets, and what each session, keeps its order; only ACKs are told apart from it; which
    of a burst asks for the disk is all the same.
    """
    fast, slow = Desk(), Desk()
    slow.core.take = no_short_way
    assert sorted_out(performed(steps, fast)[0]) == sorted_out(performed(steps, slow)[0])


def sorted_out(calls):
    """The calls by whom they reach."""
    found = defaultdict(list)
    highest_qos = 0
    for kind, *rest in calls:
        if kind == "acknowledge":
            number, packed, qos = rest
            found["acks", number].append(packed)
            highest_qos = max(highest_qos, qos)
        elif kind == "received":
            found["burst"].append(highest_qos)
            highest_qos = 0
        else:
            found["journal" if kind in ("record", "record_entry") else rest[0]].append((kind, *rest))
    return found


@pytest.mark.parametrize("message", [Set("/a", values.encode(1)), Publish("/a", encoded=values.encode(1))])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_plain_messages_do_take_the_short_way(desk, message, qos):
    """Otherwise nobody would notice that it is closed."""
    client = desk.connect()
    client.say(message)
    desk.core._handlers.clear()
    desk.ports.calls.clear()
    client.say(message, qos)
    assert desk.ports.calls[0][0] == "record"


def test_a_head_seen_before_does_not_vouch_for_what_follows(desk):
    """Eight bytes of a number are a number whatever they are; eight bytes of a text have to be looked at."""
    client, reader = desk.connect(), desk.connect()
    reader.subscribe("/**")
    for value in (1.5, "abcdef", 2**40):
        client.say(Set("/a", values.encode(value)))
        client.say(Set("/a", values.encode(value)))
    good = encode_frame(codec.encode(Set("/a", values.encode("abcdef"))))
    assert codes(client.send(good)) == []
    assert codes(client.send(good[:-8] + b"\x00\x09" + good[-6:])) == [101]
    assert codes(client.send(good[:-1] + b"\xff")) == [101]
    values_heard = [message.value for message in reader.heard()]
    assert values_heard == [1.5, 1.5, "abcdef", "abcdef", 2**40, 2**40, "abcdef"]


def test_the_short_way_asks_for_the_right_to_write_too(desk):
    """In the middle of a burst, and although others have made the address known."""
    owner, guest = desk.connect(), desk.connect()
    owner.set("/a", 1.0)
    owner.set("/b", 1.0)
    guest.session.access = Access(None, [Scope.parse("write:/a")])
    burst = [framed(Set(address, values.encode(2.0))) for address in ("/a", "/a", "/b", "/a")]
    desk.recorded()
    desk.core.receive(guest.session, iter(burst), desk.now)
    assert codes(guest.heard()) == [301]
    assert [message.address for message in desk.recorded()] == ["/a", "/a", "/a"]
