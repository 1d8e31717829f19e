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
from router.runtime.backlog import PLACE_BYTES, Backlog
from router.wire.codec import decode
from router.wire.frame import decode_frame
from router.wire.messages import Publish, Set
from router.wire.packing import unpack

SIZE = len(packed(Publish("/e", encoded=values.encode(0.0))))
ROOM = SIZE + PLACE_BYTES
"""For a message that waits by itself."""


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
    board, backlog = Board(), Backlog(6 * ROOM)
    for number in range(20):
        backlog.add(*board.set("/a", number), Fate.CONFLATE)
    backlog.add(*board.publish(7), Fate.KEEP)
    backlog.add(*board.set("/a", 99), Fate.CONFLATE)
    assert taken(backlog) == [("/e", 7.0), ("/a", 99.0)]
    assert backlog.conflated > 0
    assert not backlog.is_hopeless


def test_events_that_fill_it_stay_behind_the_params_before_them():
    """Room is made among the params while the events still come."""
    board, backlog = Board(), Backlog(6 * ROOM)
    for number in range(5):
        backlog.add(*board.set("/a", number), Fate.CONFLATE)
    for number in range(20):
        backlog.add(*board.publish(number), Fate.KEEP)
    assert backlog.conflated == 4
    assert taken(backlog) == [("/a", 4.0), *(("/e", float(number)) for number in range(20))]
    assert backlog.size_bytes == 0


def test_samples_go_oldest_first():
    """What is left of a stream is its newest part, without a hole in it."""
    board, backlog = Board(), Backlog(5 * ROOM)
    for number in range(12):
        backlog.add(*board.publish(number), Fate.DROP)
    assert taken(backlog) == [("/e", float(number)) for number in range(7, 12)]
    assert backlog.dropped == 7


def test_events_are_never_dropped_but_make_it_hopeless():
    """Whoever cannot take events is told so; they do not vanish."""
    board, backlog = Board(), Backlog(5 * SIZE + PLACE_BYTES)
    for number in range(6):
        backlog.add(*board.publish(number), Fate.KEEP)
    assert backlog.is_hopeless
    assert len(taken(backlog)) == 6


@pytest.mark.parametrize("fate", list(Fate))
@pytest.mark.parametrize("answers_between", [0, 1])
def test_what_it_takes_in_memory_is_what_it_says(fate, answers_between):
    """Also of messages so short that Python needs many times their bytes to keep them."""
    board, backlog = Board(), Backlog(10_000_000)
    _, topic = board.publish(0.0)
    tracemalloc.start()
    try:
        for number in range(20_000):
            backlog.add(str(number).encode() * 9, topic, fate)
            for _ in range(answers_between):
                backlog.add_answer(str(number).encode() * 9)
        taken_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.7 < taken_bytes / backlog.size_bytes < 1.15


def test_events_in_a_row_and_answers_in_a_row_take_hardly_more_than_their_bytes():
    """They are what must not be dropped, so as many of them as can be have to fit."""
    board, backlog = Board(), Backlog(10_000_000)
    for number in range(20_000):
        backlog.add(*board.publish(number), Fate.KEEP)
    assert backlog.size_bytes < 1.1 * 20_000 * SIZE
    for _ in range(20_000):
        backlog.add_answer(b"x" * SIZE)
    assert backlog.answer_bytes < 1.1 * 20_000 * SIZE


def test_answers_do_not_make_it_hopeless():
    """They are bounded by not reading the session; see `Outbox`."""
    backlog = Backlog(ROOM)
    for _ in range(10):
        backlog.add_answer(b"x" * SIZE)
    assert not backlog.is_hopeless
    assert backlog.answer_bytes == backlog.size_bytes == 10 * SIZE + PLACE_BYTES


def test_what_its_reader_has_set_itself_is_all_told_and_after_nothing_newer():
    """What others have set before gives way to it: that would be told with the newest value."""
    board, backlog = Board(), Backlog(2 * ROOM)
    for number in range(9):
        backlog.add(*board.set("/a", number), Fate.CONFLATE)
    for number in range(9, 12):
        backlog.add(*board.set("/a", number), Fate.ECHO)
    assert backlog.answer_bytes == backlog.size_bytes > 0
    assert taken(backlog) == [("/a", 9.0), ("/a", 10.0), ("/a", 11.0)]
    assert not backlog.is_hopeless


def test_a_param_that_expired_meanwhile_is_not_told():
    """Its message is made when its turn comes, and then there is no value."""
    board, backlog = Board(), Backlog(2 * ROOM)
    for number in range(9):
        backlog.add(*board.set("/a", number), Fate.CONFLATE)
    board.topics.bury(board.topics.known[b"/a"])
    assert taken(backlog) == []


@pytest.mark.property
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("/a", "/b", "/c", "event", "sample")),
            st.sampled_from((Fate.CONFLATE, Fate.ECHO)),
            st.booleans(),
        ),
        max_size=80,
    ),
    st.integers(1, 30),
)
def test_whatever_comes_the_last_of_each_param_arrives_and_every_event_and_echo_in_order(steps, room):
    """Bounded by its limit, and never out of order, with any mixture of messages and of takes."""
    board, backlog = Board(), Backlog(room * ROOM)
    seen: list[tuple[str, object]] = []
    sent: list[tuple[str, float]] = []
    kept: list[float] = []
    for number, (what, fate_of_params, takes) in enumerate(steps):
        if what == "event":
            backlog.add(*board.publish(number), Fate.KEEP)
        elif what == "sample":
            backlog.add(*board.publish(number), Fate.DROP)
        else:
            backlog.add(*board.set(what, number), fate_of_params)
        sent.append((what, float(number)))
        if what == "event" or (what != "sample" and fate_of_params is Fate.ECHO):
            kept.append(float(number))
        if backlog.is_hopeless:
            return
        assert backlog.size_bytes - backlog.answer_bytes <= room * ROOM
        if takes and backlog:
            seen += [
                (message.address, message.value)
                for message in (decode(decode_frame(f).payload) for f in unpack(backlog.take(1)))
                if isinstance(message, (Set, Publish))
            ]
    seen += taken(backlog)
    numbers = [number for _, number in seen]
    assert numbers == sorted(numbers)
    assert set(kept) <= set(numbers)
    assert backlog.size_bytes == backlog.answer_bytes == 0
    for address in ("/a", "/b", "/c"):
        last = [n for what, n in sent if what == address][-1:]
        assert [n for a, n in seen if a == address][-1:] == last
