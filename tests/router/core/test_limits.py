"""Every bound of the core is reached here; those of doors, outboxes and the journal are named."""

from dataclasses import fields

import pytest

from clasp_journal import value as values
from clasp_journal.entry import Phase, SignalType
from router.core.limits import Limits
from router.wire.messages import Announce, Bundle, Hello, Publish, Replay, Set, SignalDef, Subscribe
from tests.router.core.desk import Desk, codes

ELSEWHERE = {
    "connections_per_address",
    "handshakes",
    "hello_timeout_s",
    "wrong_tokens_per_minute",
    "wrong_token_addresses",
    "message_bytes",
    "ping_after_s",
    "session_timeout_s",
    "replays_queued",
    "errands",
    "history_per_address",
    "history_entries",
    "outbox_bytes",
    "journal_backlog_bytes",
}
"""What the core does not decide."""

ONE = values.encode(1)
LONG = values.encode("x" * 100)


def later(desk, count):
    """So many bundles for another time."""
    return [Bundle([Set("/a", ONE)], timestamp=desk.now + 1_000 * number) for number in range(1, count + 1)]


def announcements(count, text=""):
    """So many, one signal each."""
    return [Announce("/", [SignalDef(f"/{number}", datatype=text)]) for number in range(count)]


REFUSALS = {
    "errors_per_minute": (2, lambda desk: [Set("bad", ONE)] * 3, [200, 200, 200]),
    "messages_per_s": (3, lambda desk: [Set("/a", ONE)] * 4, [429, 429]),
    "params": (2, lambda desk: [Set(f"/{number}", ONE) for number in range(3)], [429]),
    "params_bytes": (100, lambda desk: [Set("/a", LONG), Set("/b", LONG), Set("/b", ONE)], [429]),
    "set_bytes": (10, lambda desk: [Set("/a", ONE), Set("/ab", ONE)], [402]),
    "publish_bytes": (8, lambda desk: [Publish("/a"), Publish("/ab"), Publish("/abcd")], [402]),
    "subscriptions": (2, lambda desk: [Subscribe(2, "/b"), Subscribe(3, "/b"), Replay("/a")], [429, 429]),
    "wildcards": (3, lambda desk: [Subscribe(1, "/*/**"), Subscribe(2, "/a*"), Subscribe(3, "/b/*")], [429]),
    "bundle_parts": (2, lambda desk: [Bundle([Set("/a", ONE)] * count) for count in (2, 3)], [402]),
    "scheduled_bundles": (2, lambda desk: later(desk, 3), [429]),
    "schedule_ahead_us": (2_000, lambda desk: later(desk, 3), [402]),
    "definitions": (2, lambda desk: announcements(3), [429]),
    "definitions_bytes": (100, lambda desk: announcements(3, "x" * 40), [429]),
    "one_author_percent": (1, lambda desk: later(desk, 11), [429]),
}
"""By limit: a small one, what is then said, and with which ERRORs it is answered."""


@pytest.mark.parametrize("name", REFUSALS)
def test_what_goes_beyond_a_limit_is_refused(name):
    """That far and no further, with the code that the limit's line names."""
    limit, messages, expected = REFUSALS[name]
    desk = Desk(**{"one_author_percent": 100, name: limit})
    client = desk.connect()
    if name in ("messages_per_s", "subscriptions"):
        client.subscribe("/a")
    answers = [code for message in messages(desk) for code in codes(client.say(message))]
    assert answers == expected
    assert bool(desk.ports.closes) == (name == "errors_per_minute")


def test_sessions_beyond_the_limit_are_sent_away():
    """With ERROR 503 and a close."""
    desk = Desk(sessions=1)
    desk.connect()
    assert codes(desk.knock().say(Hello())) == [503]
    assert desk.ports.closes[0][1] == 1013


def test_a_name_is_cut_at_its_limit():
    """Never inside a character."""
    desk = Desk(name_bytes=4)
    assert [desk.connect(name=name).session.name for name in ("lamp", "lamps", "aüü", "aaaü")] == [
        "lamp",
        "lamp",
        "aü",
        "aaa",
    ]


def moves(client, count):
    """So many gestures at once, two moves each."""
    for number in list(range(count)) * 2:
        client.publish(f"/{number}", 1, signal=SignalType.GESTURE, phase=Phase.MOVE)


def test_thinning_ends_at_its_limits_and_delivery_does_not():
    """Gestures and thinned addresses for which there is no room pass untouched."""
    desk = Desk(gestures=2, gesture_window_us=1_000, thinned_addresses=2)
    sender, hand, slow = desk.connect(), desk.connect(), desk.connect()
    hand.subscribe("/**", type_mask=1 << SignalType.GESTURE)
    slow.subscribe("/**", type_mask=1 << SignalType.STREAM, max_rate=1)
    moves(sender, 3)
    assert len(hand.heard()) == 4
    desk.later(0.001)
    assert len(hand.heard()) == 2
    for number in [0, 1, 2] * 2:
        sender.stream(f"/{number}", 1)
    assert len(slow.heard()) == 4


def test_what_is_remembered_for_speed_alone_is_bounded():
    """Addresses without a param; the oldest go."""
    desk = Desk(passing_topics=2)
    sender = desk.connect()
    for number in range(5):
        sender.publish(f"/{number}", 1)
    assert len(desk.core.ground.topics.passing) == 2


def test_snapshots_are_cut_at_their_limits():
    """By number and by size."""
    by_number, by_size = Desk(snapshot_params=2), Desk(snapshot_bytes=100)
    for desk in (by_number, by_size):
        for number in range(5):
            desk.connect("w").set(f"/{number}", 1)
    assert [len(one.params) for one in by_number.knock().say(Hello())[1:]] == [2, 2, 1]
    assert [len(one.params) for one in by_size.knock().say(Hello())[1:]] == [2, 2, 1]


def test_no_limit_is_forgotten():
    """Each is reached here, or belongs to who stands around the core."""
    here = {*REFUSALS, "sessions", "gestures", "gesture_window_us", "thinned_addresses", "thinned_bytes"}
    here |= {"name_bytes", "passing_topics", "snapshot_params", "snapshot_bytes"}
    assert here | ELSEWHERE == {field.name for field in fields(Limits)}
