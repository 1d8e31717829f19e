"""Long answers: SNAPSHOTs and RESULTs cut into messages that fit, made as they are taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.entry import absolute_ttl
from router.core.answers import SCAN_TOPICS
from router.wire.frame import PAYLOAD_MAX_BYTES
from router.wire.messages import Hello, Set, Snapshot, Subscribe
from tests.router.core.desk import Desk
from tests.router.core.ports import messages_in, opened

PARAMS_MAX, BYTES_MAX = 800, PAYLOAD_MAX_BYTES


def filled(desk, count, value=0):
    """A client that has set so many params."""
    client = desk.connect()
    for number in range(count):
        client.set(f"/{number}", value)
    return client


def told(packed_parts):
    """The params in packed SNAPSHOTs."""
    return [param for packed in packed_parts for message in messages_in(packed) for param in message.params]


def waiting(desk, message):
    """What a newcomer's message gets: an iterator that nobody has drawn from yet."""
    client = desk.connect()
    desk.ports.is_streaming = False
    client.say(message)
    desk.ports.is_streaming = True
    return desk.ports.streams.pop()[1]


def test_a_snapshot_has_so_many_params_at_most(desk):
    """800 in one message, the rest in the next, each param exactly once."""
    filled(desk, 1_700)
    _, *snapshots = desk.knock().say(Hello())
    assert [len(snapshot.params) for snapshot in snapshots] == [800, 800, 100]
    assert len({param.address for snapshot in snapshots for param in snapshot.params}) == 1_700


def test_a_snapshot_has_so_many_bytes_at_most(desk):
    """65,535, whatever the sizes of the params are."""
    client = desk.connect()
    sizes = [65_000 - 100, 1, 300, 40_000, 30_000, 20_000, 65_000 - 100, 65_000 - 100, 5]
    for number, size in enumerate(sizes):
        client.set(f"/{number}", bytes(size))
    late = desk.connect()
    late.say(Subscribe(1, "/**"))
    frames = list(waiting(desk, Subscribe(1, "/**")))
    payloads = [frame.payload for packed in frames for frame in opened(packed)]
    assert max(map(len, payloads)) <= BYTES_MAX
    assert [len(param.value) for param in told(frames)] == sizes


@pytest.mark.property
@given(st.lists(st.integers(0, 40), max_size=40), st.integers(1, 7), st.integers(200, 400))
def test_chunks_are_bounded_both_ways_and_as_few_as_that_allows(sizes, params_max, bytes_max):
    """Nothing is lost or doubled, and no two neighbours would have fitted into one."""
    desk = Desk(snapshot_params=params_max, snapshot_bytes=bytes_max)
    client = desk.connect()
    for number, size in enumerate(sizes):
        client.set(f"/{number}", bytes(size))
    chunks = [packed for packed in waiting(desk, Subscribe(1, "/**")) if packed]
    payloads = [frame.payload for packed in chunks for frame in opened(packed)]
    assert [param.address for param in told(chunks)] == [f"/{number}" for number in range(len(sizes))]
    counts = [len(told([packed])) for packed in chunks]
    assert all(count <= params_max for count in counts)
    assert all(len(payload) <= bytes_max for payload in payloads)
    for index in range(len(chunks) - 1):
        first_of_next = len(payloads[index + 1]) - 3 if counts[index + 1] == 1 else bytes_max
        assert counts[index] == params_max or len(payloads[index]) + first_of_next > bytes_max


def test_each_chunk_is_made_from_what_is_true_when_it_is_taken(desk):
    """Changes and expiries between chunks are seen; every param is there exactly once."""
    client = filled(desk, 1_000)
    client.set("/999", 1, ttl=absolute_ttl(5))
    frames = waiting(desk, Subscribe(1, "/**"))
    drawn = [next(frames)]
    while not drawn[-1]:
        drawn.append(next(frames))
    client.set("/0", "too late for this snapshot")
    client.set("/990", "changed")
    client.set("/new", "added")
    desk.later(5)
    drawn += frames
    params = {param.address: param.value for param in told(drawn)}
    assert len(told(drawn)) == len(params) == 1_000
    assert (params["/0"], params["/990"], params["/new"]) == (0, "changed", "added")
    assert "/999" not in params


def test_a_snapshot_survives_that_what_it_walks_over_is_dropped(desk):
    """Expired and set again between two chunks: still once, with its newest value."""
    client = filled(desk, 900)
    for number in range(900):
        client.set(f"/{number}", 1, ttl=absolute_ttl(5))
    frames = waiting(desk, Subscribe(1, "/**"))
    drawn = [next(frames), next(frames)]
    desk.later(5)
    client.set("/850", "again")
    drawn += frames
    tail = [(param.address, param.value) for param in told(drawn)][800:]
    assert tail == [("/850", "again")]


def test_looking_for_little_among_much_lets_others_have_their_turn(desk):
    """After so many topics an empty item says: nothing yet, ask again."""
    filled(desk, 3 * SCAN_TOPICS)
    frames = list(waiting(desk, Subscribe(1, "/*9999")))
    assert frames == [b""] * 3
    frames = list(waiting(desk, Subscribe(1, f"/{3 * SCAN_TOPICS - 1}*")))
    assert frames[:-1] == [b""] * 3
    assert len(told(frames)) == 1


def test_params_are_told_in_the_order_in_which_they_came(desk):
    """The oldest address first, however often it was set since."""
    client = filled(desk, 5)
    client.set("/0", 7)
    (snapshot,) = desk.connect().say(Subscribe(1, "/**"))
    assert [param.address for param in snapshot.params] == ["/0", "/1", "/2", "/3", "/4"]


def test_a_value_that_was_sent_is_told_to_the_bit(desk):
    """In a SNAPSHOT as in a SET."""
    client = desk.connect()
    encoded = [b"\x04\xff\xff\xff\xff", b"\x06\x7f\xc0\x00\x01", values.encode({"z": [1], "a": b"\x00"})]
    for number, one in enumerate(encoded):
        client.say(Set(f"/{number}", one))
    (snapshot,) = desk.connect().say(Subscribe(1, "/**"))
    assert isinstance(snapshot, Snapshot)
    assert [param.encoded for param in snapshot.params] == encoded
