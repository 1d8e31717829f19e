"""SUBSCRIBE's first answer, and the requests for the past: what passes to the journal and what is refused."""

import pytest

from router.core.ground import Settings
from router.wire import codec
from router.wire.codes import ErrorCode
from router.wire.frame import encode_frame
from router.wire.messages import (
    JournalDo,
    Replay,
    ReplayExtension,
    Snapshot,
    Subscribe,
    SubscribeOptions,
    Unsubscribe,
)
from tests.router.core.desk import Desk, codes

PATTERNS = ["/a", "/a/*", "/**", "/*/b*", "/a/**"]


def told(heard):
    """The addresses in SNAPSHOTs."""
    return [param.address for message in heard if isinstance(message, Snapshot) for param in message.params]


def test_a_subscription_is_answered_with_what_it_matches(desk):
    """The live values, each once, by the one meaning of patterns; whatever types were asked for."""
    client = desk.connect()
    for address in ("/a", "/a/b", "/a/bc", "/ab", "/a/b/c"):
        client.set(address, address)
    assert told(client.subscribe("/a/*")) == ["/a/b", "/a/bc"]
    assert told(client.subscribe("/a/**", type_mask=0x02)) == ["/a", "/a/b", "/a/bc", "/a/b/c"]
    assert told(client.subscribe("/*/b*")) == ["/a/b", "/a/bc"]
    assert told(client.subscribe("/ab")) == ["/ab"]
    assert len(told(client.subscribe("/**"))) == 5


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_subscription_that_matches_nothing_is_answered_with_nothing(desk, pattern):
    """Neither an empty SNAPSHOT nor an ACK, at any QoS; what was only published has no value."""
    client = desk.connect()
    client.publish("/a/b", 1)
    assert client.say(Subscribe(1, pattern), 2) == []


def test_a_bad_pattern_is_refused_by_name(desk):
    """ERROR 202, for REPLAY too."""
    client = desk.connect()
    for request in (Subscribe(1, "a"), Replay("a")):
        (error,) = client.say(request)
        assert (error.code, error.address) == (ErrorCode.INVALID_PATTERN, "a")
    assert desk.ports.replays == []


def test_history_comes_from_the_journal_and_the_snapshot_after_it(desk):
    """The port gets both; without a journal the option is ignored."""
    request = Subscribe(1, "/**", options=SubscribeOptions(history=5))
    client = desk.connect()
    client.set("/a", 1)
    assert told(client.say(request)) == ["/a"]
    assert desk.ports.backfills == [(client.session, request)]

    forgetful = Desk(Settings(has_journal=False))
    client = forgetful.connect()
    client.set("/a", 1)
    assert told(client.say(request)) == ["/a"]
    assert forgetful.ports.backfills == []


def test_no_history_asked_for_is_none_given(desk):
    """history 0 is a plain subscription."""
    desk.connect().say(Subscribe(1, "/**", options=SubscribeOptions(history=0, max_rate=5)))
    assert desk.ports.backfills == []


def test_a_replay_passes_to_the_journal(desk):
    """As it was asked for, with its QoS, plain or with the extension."""
    client = desk.connect()
    plain, extended = Replay("/**", limit=3), Replay("/a", extension=ReplayExtension(7, follow=True))
    assert client.say(plain, 1) == []
    assert client.say(extended, 2) == []
    assert desk.ports.replays == [(client.session, plain, 1), (client.session, extended, 2)]


def test_without_a_journal_there_is_no_past():
    """ERROR 501 for REPLAY and for JOURNAL_DO, whatever else is wrong with them."""
    desk = Desk(Settings(has_journal=False))
    client = desk.connect(is_trusted=True)
    for request in (Replay("/**"), Replay("bad"), JournalDo(1, "stats"), JournalDo(1, "compact")):
        assert codes(client.say(request, 1)) == [ErrorCode.UNAVAILABLE]
    assert desk.ports.replays == desk.ports.errands == []


def test_another_version_of_the_extension_is_not_known(desk):
    """ERROR 501, and nothing is replaced or asked for."""
    client = desk.connect(is_trusted=True)
    client.subscribe("/a", 7)
    desk.ports.cancelled.clear()
    frame_tail = b"\x02\x00\x00\x00\x00\x07"
    plain = codec.encode(Replay("/**"))
    assert codes(client.send(encode_frame(plain + frame_tail))) == [ErrorCode.UNAVAILABLE]
    assert codes(client.say(JournalDo(1, "stats", version=2))) == [ErrorCode.UNAVAILABLE]
    assert desk.ports.replays == desk.ports.errands == desk.ports.cancelled == []
    assert list(desk.core.ground.subscriptions.of(client.session)) == [7]


def test_ids_of_subscriptions_and_replays_are_one_space(desk):
    """Who uses one again, for either, ends what it stood for."""
    writer, client = desk.connect(), desk.connect()
    client.subscribe("/a", 7)
    client.say(Replay("/a", extension=ReplayExtension(7)))
    writer.publish("/a", 1)
    assert client.heard() == []
    assert desk.ports.cancelled[-1] == (client.session, 7)
    desk.ports.cancelled.clear()
    client.subscribe("/a", 7)
    client.say(Unsubscribe(8))
    assert desk.ports.cancelled == [(client.session, 7), (client.session, 8)]


def test_replays_count_as_subscriptions():
    """ERROR 429 beyond the limit of both together; one that replaces a subscription takes its room."""
    desk = Desk(subscriptions=2)
    client = desk.connect()
    client.subscribe("/a", 1)
    client.session.replays = 1
    assert codes(client.say(Replay("/a"))) == [ErrorCode.TOO_MANY]
    assert codes(client.say(Replay("/a", extension=ReplayExtension(2)))) == [ErrorCode.TOO_MANY]
    assert codes(client.say(Replay("/a", extension=ReplayExtension(1)))) == []


@pytest.mark.parametrize("verb", ["stats", "state", "unheard-of"])
def test_anybody_may_ask_the_journal(desk, verb):
    """What only reads is passed on from everywhere; the journal knows its verbs."""
    client = desk.connect()
    request = JournalDo(1, verb)
    assert client.say(request) == []
    assert desk.ports.errands == [(client.session, request)]


@pytest.mark.parametrize("verb", ["snapshot", "mark", "compact", "forget"])
def test_only_who_is_on_this_machine_may_change_the_journal(desk, verb):
    """Others get ERROR 301."""
    near, far = desk.connect(is_trusted=True), desk.connect()
    assert codes(far.say(JournalDo(1, verb))) == [ErrorCode.FORBIDDEN]
    assert desk.ports.errands == []
    assert near.say(JournalDo(2, verb)) == []
    assert len(desk.ports.errands) == 1
