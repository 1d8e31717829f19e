"""The options of SUBSCRIBE that thin updates out: max_rate, window and epsilon."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.entry import SignalType
from router.core.ports import Fate
from router.wire.messages import Set, Snapshot, Unsubscribe
from tests.router.core.desk import Desk


def test_a_rate_lets_one_through_per_interval_and_the_last_one_always(desk):
    """The first at once, the newest when the interval is over."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/**", max_rate=10)
    for value in range(5):
        writer.set("/a", value)
    assert reader.values() == [0]
    desk.later(0.099)
    assert reader.values() == []
    desk.later(0.001)
    assert reader.values() == [4]
    desk.later(10)
    assert reader.heard() == []
    writer.set("/a", 5)
    assert reader.values() == [5]


def test_a_window_is_an_interval_in_milliseconds(desk):
    """Of rate and window, the slower one counts."""
    writer, reader, slowest = desk.connect(), desk.connect(), desk.connect()
    reader.subscribe("/a", window_ms=200)
    slowest.subscribe("/a", window_ms=200, max_rate=1)
    for value in range(3):
        writer.set("/a", value)
    desk.later(0.2)
    assert reader.values() == [0, 2]
    assert slowest.values() == [0]
    desk.later(0.8)
    assert slowest.values() == [2]


def test_an_epsilon_skips_changes_that_are_smaller(desk):
    """Measured from what was sent last, so that small steps add up."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", epsilon=1.0)
    for value in (0, 0.4, 0.8, 1.2, 1.9, 2.2, 2):
        writer.set("/a", value)
    assert reader.values() == [0, 1.2, 2.2]


def test_an_epsilon_is_about_numbers_only(desk):
    """Text, truth values, NaN and a change between a number and something else always pass."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", epsilon=100.0)
    sent = ["x", "y", True, False, 1, "z", 1, None, math.nan]
    for value in sent:
        writer.set("/a", value)
    heard = reader.values()
    assert heard[:-1] == sent[:-1]
    assert math.isnan(heard[-1])


def test_an_epsilon_tells_large_integers_apart(desk):
    """Beyond 2**53, where floats do not."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", epsilon=0.5)
    sent = [2**53, 2**53 + 1, -(2**63), 2**63 - 1, 2**63 - 2]
    for value in sent:
        writer.set("/a", value)
    assert reader.values() == sent


def test_streams_are_thinned_like_params_and_apart_from_them(desk):
    """The last sample and the last value of one address both arrive."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", max_rate=10)
    for value in range(3):
        writer.set("/a", value)
        writer.stream("/a", 10 + value)
    assert reader.values() == [0, 10]
    desk.later(1)
    assert reader.values() == [2, 12]
    assert desk.ports.fates == [Fate.CONFLATE, Fate.DROP, Fate.CONFLATE, Fate.DROP]


@pytest.mark.parametrize("signal", [SignalType.EVENT, SignalType.GESTURE, SignalType.TIMELINE])
def test_what_is_no_update_is_not_thinned(desk, signal):
    """Every event counts."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/**", max_rate=1, window_ms=1000, epsilon=1000.0)
    for value in range(5):
        writer.publish("/a", value, signal=signal)
        desk.later(0.02)
    assert reader.values() == list(range(5))


def test_of_overlapping_subscriptions_the_loosest_wins(desk):
    """Each option by itself; one without options wants everything; still one copy of each."""
    writer, paced, free = desk.connect(), desk.connect(), desk.connect()
    paced.subscribe("/a", 1, max_rate=1, epsilon=5.0)
    paced.subscribe("/**", 2, max_rate=10, epsilon=10.0)
    free.subscribe("/a", 1, max_rate=1)
    free.subscribe("/*", 2)
    for value in (0, 3, 6):
        writer.set("/a", value)
    assert free.values() == [0, 3, 6]
    assert paced.values() == [0]
    desk.later(0.1)
    assert paced.values() == [6]


def test_each_kind_of_update_has_the_pace_of_the_subscriptions_to_it(desk):
    """A slow subscription to params does not slow the samples down."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", 1, type_mask=1 << SignalType.PARAM, max_rate=1)
    reader.subscribe("/a", 2, type_mask=1 << SignalType.STREAM, max_rate=10)
    for value in range(3):
        writer.set("/a", value)
        writer.stream("/a", 10 + value)
    reader.heard()
    desk.later(0.1)
    assert reader.values() == [12]


def test_options_that_thin_nothing_out_cost_nothing(desk):
    """Zeroes, negative numbers and rates beyond a million are as good as none."""
    writer, reader = desk.connect(), desk.connect()
    for number, options in enumerate(
        ({"max_rate": 0}, {"window_ms": 0}, {"epsilon": 0.0}, {"epsilon": -1.0}, {"max_rate": 2_000_000})
    ):
        reader.subscribe(f"/{number}", number, **options)
        for value in range(3):
            writer.set(f"/{number}", value)
        assert reader.values() == [0, 1, 2]


def test_a_sender_hears_its_own_updates_thinned_and_its_own_samples_never(desk):
    """As with any subscription: params come back, signals do not."""
    client = desk.connect()
    client.subscribe("/a", max_rate=10)
    heard = []
    for value in range(3):
        heard += client.set("/a", value)
        heard += client.stream("/a", 10 + value)
    desk.later(1)
    heard += client.heard()
    assert [message.value for message in heard] == [0, 2]


def test_who_subscribes_anew_without_options_hears_what_waited_before_the_snapshot(desk):
    """It is not told after something newer."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", max_rate=1)
    writer.set("/a", 0)
    writer.set("/a", 1)
    reader.heard()
    waited, snapshot = reader.subscribe("/a")
    assert isinstance(snapshot, Snapshot)
    assert waited.value == snapshot.params[0].value == 1
    writer.set("/a", 2)
    desk.later(5)
    assert reader.values() == [2]


def test_what_waits_goes_with_its_session_or_subscription(desk):
    """Nothing arrives afterwards, and the agenda does not keep it until its time has come."""
    writer = desk.connect()
    for number in range(1_000):
        reader = desk.connect()
        reader.subscribe("/a", window_ms=2**32 - 1)
        writer.set("/a", number)
        writer.set("/a", -number)
        reader.leave()
    assert len(desk.core.ground.agenda) < 300
    reader = desk.connect()
    reader.subscribe("/a", max_rate=1)
    writer.set("/a", 0)
    writer.set("/a", 1)
    assert reader.values() == [0]
    reader.say(Unsubscribe(1))
    desk.later(5)
    assert reader.heard() == []


def test_addresses_beyond_the_limit_pass_untouched():
    """Per session; nothing is lost for want of room."""
    desk = Desk(thinned_addresses=1)
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/**", max_rate=1)
    for value in range(3):
        writer.set("/a", value)
        writer.set("/b", 10 + value)
    assert reader.values() == [0, 10, 11, 12]
    desk.later(1)
    assert reader.values() == [2]


def test_updates_beyond_the_bytes_that_may_wait_pass_untouched():
    """The newest at once, in place of an older one that waited; and when there is room again, they wait."""
    desk = Desk(thinned_bytes=1_000)
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/**", max_rate=1)
    short, long = "x" * 100, "x" * 900
    for value in (short, short, long):
        writer.set("/a", value)
        writer.set("/b", value)
    assert reader.values() == [short, short, long, long]
    desk.later(1)
    assert reader.values() == []
    for value in (long, short):
        writer.set("/a", value)
    assert reader.values() == [long]
    desk.later(1)
    assert reader.values() == [short]


steps = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from(["/a", "/b"]), st.integers(-3, 3)), min_size=1, max_size=30
)


@pytest.mark.property
@given(steps, st.sampled_from([5, 10, 1000]), st.sampled_from([None, 2.0]))
def test_thinned_updates_keep_their_interval_their_order_and_their_last_value(steps, max_rate, epsilon):
    """Whatever is written when: never two within an interval, never an old one after a newer one."""
    desk = Desk()
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/**", max_rate=max_rate, epsilon=epsilon)
    last, got, told_at = {}, {}, {}
    for wait_ms, address, value in [*steps, (2_000, "/c", 0)]:
        for _ in range(wait_ms):
            desk.later(0.001)
            _take_down(desk, reader, got, told_at, 1_000_000 // max_rate)
        writer.set(address, value)
        last[address] = value
        _take_down(desk, reader, got, told_at, 1_000_000 // max_rate)
    for address, value in last.items():
        assert got[address].value == value or abs(got[address].value - value) < (epsilon or 0)


def _take_down(desk, reader, got, told_at, interval_us):
    for message in reader.heard():
        assert isinstance(message, Set)
        address = message.address
        if address in got:
            assert message.revision > got[address].revision
            assert desk.now - told_at[address] >= interval_us
        got[address], told_at[address] = message, desk.now
