"""What waits for a slow reader, and what becomes of it when there is too much."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.entry import ParamSnapshot
from router.core.answers import packed
from router.core.ports import Fate
from router.core.topics import Topic, Topics
from router.runtime.backlog import Backlog
from router.wire.codec import decode
from router.wire.frame import decode_frame
from router.wire.messages import Publish, Set
from router.wire.packing import unpack

SIZE = len(packed(Publish("/e", encoded=values.encode(0.0))))


class Board:
    """Topics whose values change, and the packed messages that tell of it."""

    def __init__(self) -> None:
        self.topics = Topics(10)

    def set(self, address: str, number: float) -> tuple[bytes, Topic]:
        """Give a param a value; the message for its readers."""
        known = self.topics.known.get(address.encode())
        revision = known.revision + 1 if known else 1
        self.topics.restore([ParamSnapshot(address, values.encode(number), revision, "w", 1)], 1)
        topic = self.topics.known[address.encode()]
        return packed(Set(address, values.encode(number), revision), 1), topic

    def publish(self, number: float) -> tuple[bytes, Topic]:
        """A signal."""
        return packed(Publish("/e", encoded=values.encode(number))), self.topics.obtain_passing(b"/e")


def taken(backlog: Backlog) -> list[tuple[str, object]]:
    """Everything that waits, as (address, value)."""
    found = []
    while backlog:
        for frame in unpack(backlog.take(1)):
            message = decode(decode_frame(frame).payload)
            assert isinstance(message, (Set, Publish))
            found.append((message.address, message.value))
    return found


def test_all_of_it_comes_in_order_while_there_is_room():
    """Nobody loses a value for being a little slow."""
    board, backlog = Board(), Backlog(10_000)
    for number in range(3):
        backlog.add(*board.set("/a", number), Fate.CONFLATE)
        backlog.add(*board.publish(number), Fate.KEEP)
    assert taken(backlog) == [("/a", 0.0), ("/e", 0.0), ("/a", 1.0), ("/e", 1.0), ("/a", 2.0), ("/e", 2.0)]
    assert backlog.size_bytes == 0


def test_a_full_one_keeps_the_newest_value_of_each_param_at_its_place():
    """Between two values of a param there may be an event; the value that stays comes after it."""
    board, backlog = Board(), Backlog(6 * SIZE)
    for number in range(20):
        backlog.add(*board.set("/a", number), Fate.CONFLATE)
    backlog.add(*board.publish(7), Fate.KEEP)
    backlog.add(*board.set("/a", 99), Fate.CONFLATE)
    assert taken(backlog) == [("/e", 7.0), ("/a", 99.0)]
    assert backlog.conflated > 0
    assert not backlog.is_hopeless


def test_samples_go_oldest_first():
    """What is left of a stream is its newest part, without a hole in it."""
    board, backlog = Board(), Backlog(5 * SIZE)
    for number in range(12):
        backlog.add(*board.publish(number), Fate.DROP)
    assert taken(backlog) == [("/e", float(number)) for number in range(7, 12)]
    assert backlog.dropped == 7


def test_events_are_never_dropped_but_make_it_hopeless():
    """Whoever cannot take events is told so; they do not vanish."""
    board, backlog = Board(), Backlog(5 * SIZE)
    for number in range(6):
        backlog.add(*board.publish(number), Fate.KEEP)
    assert backlog.is_hopeless
    assert len(taken(backlog)) == 6


def test_events_take_hardly_more_memory_than_their_bytes():
    """The limit is in bytes of messages: what each of them takes besides would be many times that."""
    board, backlog = Board(), Backlog(10_000_000)
    tracemalloc.start()
    try:
        for number in range(20_000):
            backlog.add(*board.publish(number), Fate.KEEP)
        taken_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert backlog.size_bytes == 20_000 * SIZE
    assert taken_bytes < 1.5 * backlog.size_bytes


def test_answers_do_not_make_it_hopeless():
    """They are bounded by not reading the session; see `Outbox`."""
    backlog = Backlog(SIZE)
    for _ in range(10):
        backlog.add_answer(b"x" * SIZE)
    assert not backlog.is_hopeless
    assert backlog.answer_bytes == backlog.size_bytes == 10 * SIZE


def test_a_param_that_expired_meanwhile_is_not_told():
    """Its message is made when its turn comes, and then there is no value."""
    board, backlog = Board(), Backlog(2 * SIZE)
    for number in range(9):
        backlog.add(*board.set("/a", number), Fate.CONFLATE)
    board.topics.bury(board.topics.known[b"/a"])
    assert taken(backlog) == []


@pytest.mark.property
@given(
    st.lists(st.tuples(st.sampled_from(("/a", "/b", "/c", "event", "sample")), st.booleans()), max_size=80),
    st.integers(1, 30),
)
def test_whatever_comes_the_last_of_each_param_arrives_and_every_event_in_order(steps, room):
    """Bounded by its limit, and never out of order, with any mixture of messages and of takes."""
    board, backlog = Board(), Backlog(room * SIZE)
    seen: list[tuple[str, object]] = []
    sent: list[tuple[str, float]] = []
    for number, (what, takes) in enumerate(steps):
        if what == "event":
            backlog.add(*board.publish(number), Fate.KEEP)
        elif what == "sample":
            backlog.add(*board.publish(number), Fate.DROP)
        else:
            backlog.add(*board.set(what, number), Fate.CONFLATE)
        sent.append((what, float(number)))
        if backlog.is_hopeless:
            return
        assert backlog.size_bytes <= room * SIZE
        if takes and backlog:
            seen += [
                (message.address, message.value)
                for message in (decode(decode_frame(f).payload) for f in unpack(backlog.take(1)))
                if isinstance(message, (Set, Publish))
            ]
    seen += taken(backlog)
    numbers = [number for _, number in seen]
    assert numbers == sorted(numbers)
    assert [n for what, n in sent if what == "event"] == [n for n in numbers if ("event", n) in sent]
    for address in ("/a", "/b", "/c"):
        last = [n for what, n in sent if what == address][-1:]
        assert [n for a, n in seen if a == address][-1:] == last
