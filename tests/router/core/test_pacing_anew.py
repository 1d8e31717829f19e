"""What is thinned out, where subscriptions change meanwhile: it begins anew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.address import Pattern
from clasp_journal.entry import SignalType
from router.wire.messages import Set, Unsubscribe
from tests.router.core.desk import Desk


def test_what_waited_for_a_subscription_that_was_given_up_does_not_come_to_the_next_one(desk):
    """It is older than the snapshot of that one."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", max_rate=1)
    for value in range(2):
        writer.set("/a", value)
    reader.say(Unsubscribe(1))
    writer.set("/a", 2)
    (snapshot,) = reader.subscribe("/a", max_rate=1)
    assert snapshot.params[0].value == 2
    desk.later(5)
    assert reader.heard() == []


def test_the_last_sample_arrives_though_a_subscription_that_wants_all_of_them_comes_between(desk):
    """It is told at once; no snapshot has it."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", 1, max_rate=1)
    for value in range(2):
        writer.stream("/a", value)
    assert reader.values() == [0]
    (sample,) = reader.subscribe("/**", 2)
    assert sample.value == 1
    desk.later(5)
    assert reader.heard() == []


def test_the_last_value_arrives_though_one_of_two_slow_subscriptions_ends(desk):
    """The other one still asks for it, and begins anew with it."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", 1, max_rate=1)
    reader.subscribe("/**", 2, max_rate=2)
    for value in range(2):
        writer.set("/a", value)
    assert reader.values() == [0]
    (update,) = reader.say(Unsubscribe(2))
    assert update.value == 1
    desk.later(5)
    assert reader.heard() == []


@pytest.mark.parametrize("between", ["a snapshot", "a subscription without options"])
def test_an_epsilon_is_not_measured_from_what_was_told_before_something_else(desk, between):
    """The reader has 5 in mind, however it heard of it."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", epsilon=1.0)
    writer.set("/a", 0.0)
    if between == "a snapshot":
        reader.say(Unsubscribe(1))
        writer.set("/a", 5.0)
        reader.subscribe("/a", epsilon=1.0)
    else:
        reader.subscribe("/**", 2)
        writer.set("/a", 5.0)
        reader.say(Unsubscribe(2))
    reader.heard()
    writer.set("/a", 0.2)
    assert reader.values() == [0.2]


def test_other_addresses_go_on_as_they_were(desk):
    """Who subscribes to one thing more does not hear the rest more often."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", 1, max_rate=1)
    for value in range(2):
        writer.set("/a", value)
    assert reader.values() == [0]
    reader.subscribe("/b/**", 2, max_rate=1)
    reader.say(Unsubscribe(2))
    assert reader.heard() == []
    desk.later(1)
    assert reader.values() == [1]


def test_a_value_that_is_only_published_does_not_take_the_place_of_one_that_was_set(desk):
    """The last of both arrives."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", max_rate=1)
    for value in range(2):
        writer.set("/a", value)
        writer.publish("/a", 10 + value, signal=SignalType.PARAM)
    desk.later(5)
    assert reader.values() == [0, 10, 1, 11]


ADDRESSES = ("/a", "/b/c")
acts = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.sampled_from(ADDRESSES), st.integers(-3, 3)),
        st.tuples(st.just("wait"), st.integers(1, 400)),
        st.tuples(st.just("unsubscribe"), st.integers(1, 2)),
        st.tuples(
            st.just("subscribe"),
            st.integers(1, 2),
            st.sampled_from(["/**", "/a", "/b/*"]),
            st.sampled_from([{}, {"max_rate": 4}, {"max_rate": 10, "epsilon": 2.0}, {"epsilon": 1.5}]),
        ),
    ),
    max_size=40,
)


@pytest.mark.property
@given(acts)
def test_however_subscriptions_change_nothing_old_comes_late_and_the_last_value_arrives(acts):
    """What a reader was told last of an address is what it is, or nearly so where it asked for that."""
    desk = Desk()
    writer, reader = desk.connect(), desk.connect()
    patterns, told, last = {}, {}, {}
    for act in [*acts, ("wait", 2_000)]:
        heard = []
        match act:
            case "set", address, value:
                writer.set(address, value)
                last[address] = value
            case "wait", span_ms:
                desk.later(span_ms / 1_000)
            case "unsubscribe", number:
                heard = reader.say(Unsubscribe(number))
                patterns.pop(number, None)
            case "subscribe", number, pattern, options:
                heard = reader.subscribe(pattern, number, **options)
                patterns[number] = Pattern.parse(pattern)
        _take_down(heard + reader.heard(), told)
    for address, value in last.items():
        if any(pattern.matches(address) for pattern in patterns.values()):
            assert abs(told[address].value - value) < 2.0


def _take_down(heard, told):
    for message in heard:
        params = [message] if isinstance(message, Set) else message.params
        for param in params:
            if param.address in told:
                assert param.revision >= told[param.address].revision
            told[param.address] = param
