"""ANNOUNCE and QUERY: what is kept, what is told, and how much of it."""

import pytest

from clasp_journal.entry import SignalType
from router.core.answers import SCAN_TOPICS
from router.wire.codes import ErrorCode
from router.wire.messages import Ack, Announce, Meta, Query, Result, SignalDef
from tests.router.core.desk import Desk, codes
from tests.router.core.ports import messages_in


def announced(client, *addresses):
    """Announce params by their addresses; what was answered."""
    return client.say(Announce("/", [SignalDef(address) for address in addresses]))


@pytest.mark.parametrize(("qos", "expected"), [(0, []), (1, [Ack("/ns")]), (2, [Ack("/ns")]), (3, [])])
def test_an_announcement_is_acknowledged_iff_asked_for(desk, qos, expected):
    """By its namespace; others hear nothing, and the journal gets nothing."""
    client, other = desk.connect(), desk.connect()
    other.subscribe("/**")
    assert client.say(Announce("/ns", [SignalDef("/ns/a")]), qos) == expected
    assert other.heard() == []
    assert desk.ports.recorded == []


def test_a_query_tells_what_its_pattern_matches(desk):
    """Type, datatype and access with it; what nobody announced is not there, though it has a value."""
    client = desk.connect()
    full = SignalDef("/a/x", SignalType.STREAM, "f64", "rw", Meta("dB", (0.0, 1.0)))
    client.say(Announce("/", [full, SignalDef("/a/y"), SignalDef("/b")]))
    client.set("/a/z", 1)
    expected = [SignalDef("/a/x", SignalType.STREAM, "f64", "rw"), SignalDef("/a/y")]
    assert desk.connect().say(Query("/a/*")) == [Result(expected)]
    assert desk.connect().say(Query("/a/*"), legacy_form=True) == [Result(expected)]


def test_a_result_is_made_when_it_has_its_turn(desk):
    """Until then a query takes no room, however much is announced."""
    client = desk.connect()
    announced(client, "/a/1")
    desk.ports.is_streaming = False
    client.say(Query("/a/*"))
    announced(client, "/a/2")
    ((_, frames),) = desk.ports.streams
    (result,) = [message for packed in frames for message in messages_in(packed)]
    assert [signal.address for signal in result.signals] == ["/a/1", "/a/2"]


def test_a_query_without_a_match_has_an_empty_result(desk):
    """Clients wait for one."""
    assert desk.connect().say(Query("/**"), 1) == [Result()]


def test_a_bad_pattern_or_address_is_refused(desk):
    """ERROR 202 and 200; of an announcement all is taken or nothing."""
    client = desk.connect()
    assert codes(client.say(Query("a"))) == [ErrorCode.INVALID_PATTERN]
    assert codes(announced(client, "/good", "bad")) == [ErrorCode.INVALID_ADDRESS]
    assert client.say(Query("/**")) == [Result()]


def test_the_newest_announcement_counts_and_outlives_its_maker(desk):
    """Definitions are the router's."""
    client = desk.connect()
    announced(client, "/a")
    client.say(Announce("/", [SignalDef("/a", SignalType.EVENT)]))
    client.leave()
    assert desk.connect().say(Query("/a")) == [Result([SignalDef("/a", SignalType.EVENT)])]


def test_definitions_end_at_the_limit():
    """ERROR 429 beyond, and nothing of that announcement is taken; known ones can change."""
    desk = Desk(definitions=2, one_author_percent=100)
    client = desk.connect()
    assert codes(announced(client, "/a")) == []
    assert codes(announced(client, "/b", "/c")) == [ErrorCode.TOO_MANY]
    assert codes(announced(client, "/b", "/a", "/b")) == []
    assert codes(announced(client, "/c")) == [ErrorCode.TOO_MANY]
    assert codes(announced(client, "/a", "/b")) == []


def test_the_text_of_definitions_has_a_limit_too():
    """ERROR 429; what replaces something counts only by what it adds, and what is never told not at all."""
    desk = Desk(definitions_bytes=150, one_author_percent=100)
    client = desk.connect()
    large = SignalDef("/a", datatype="x" * 100)
    wordy = SignalDef("/b", meta=Meta(description="x" * 10_000))
    assert codes(client.say(Announce("/", [large]))) == []
    assert codes(client.say(Announce("/", [SignalDef("/c", datatype="x" * 100)]))) == [ErrorCode.TOO_MANY]
    for _ in range(3):
        assert codes(client.say(Announce("/", [large, wordy]))) == []


def test_one_author_leaves_room_for_others():
    """Half of the number and of the bytes; whose announcement counts, has it."""
    desk = Desk(definitions=4, definitions_bytes=1_000)
    greedy, other = desk.connect(), desk.connect()
    assert codes(announced(greedy, "/a", "/b")) == []
    assert codes(announced(greedy, "/c")) == [ErrorCode.TOO_MANY]
    wordy = [SignalDef(f"/{name}", datatype="x" * 200) for name in "abc"]
    assert codes(greedy.say(Announce("/", wordy[:2]))) == []
    assert codes(other.say(Announce("/", wordy[1:]))) == []
    assert codes(other.say(Announce("/", wordy[:1]))) == [ErrorCode.TOO_MANY]
    assert codes(announced(greedy, "/d")) == []
    assert codes(announced(greedy, "/c", "/d", "/e")) == [ErrorCode.TOO_MANY]


def test_a_long_result_comes_in_parts_that_fit_and_gives_way_to_others(desk):
    """Each definition once, in order; empty items between say: ask again."""
    client = desk.connect()
    addresses = [f"/{number:04}/{'x' * 100}" for number in range(3 * SCAN_TOPICS)]
    for start in range(0, len(addresses), 500):
        announced(client, *addresses[start : start + 500])
    results = client.say(Query("/**"))
    assert len(results) == 3
    assert [signal.address for result in results for signal in result.signals] == addresses
    desk.ports.is_streaming = False
    client.say(Query("/none"))
    _, frames = desk.ports.streams.pop()
    assert [bool(frame) for frame in frames] == [False, False, False, True]
