"""PUBLISH: who hears it, what is carried, what is answered; and what passes between two peers."""

import pytest

from clasp_journal import value as values
from clasp_journal.entry import Phase, SignalType
from router.core.ports import Fate
from router.wire import codec
from router.wire.codes import ErrorCode
from router.wire.frame import encode_frame
from router.wire.messages import Ack, Get, Publish, pack_samples
from tests.router.core.desk import Desk, codes, framed

ONE = values.encode(1)


@pytest.mark.parametrize("signal", SignalType)
def test_a_signal_reaches_every_reader_but_its_sender(desk, signal):
    """Also where the sender subscribed; and it leaves no value behind."""
    sender, reader, stranger = desk.connect(), desk.connect(), desk.connect()
    sender.subscribe("/**")
    reader.subscribe("/a/*")
    stranger.subscribe("/b")
    message = Publish("/a/x", signal, ONE)
    for _ in range(2):
        assert sender.say(message) == []
    desk.later(1)
    assert reader.heard() == [message, message]
    assert stranger.heard() == []
    assert stranger.say(Get("/a/x")) == []


@pytest.mark.parametrize("qos", [0, 1, 2, 3])
def test_only_commit_is_acknowledged(desk, qos):
    """The ACK names the address and no revision."""
    client = desk.connect()
    expected = [Ack("/a")] if qos == 2 else []
    assert client.publish("/a", 1, qos) == expected
    assert client.publish("/a", 1, qos) == expected


def test_the_payload_is_passed_on_and_recorded_as_it_came(desk):
    """Unknown bits, bytes that nobody reads and odd values included."""
    sender, reader = desk.connect(), desk.connect()
    reader.subscribe("/**")
    head = codec.encode(Publish("/a"))[2:-1]
    payloads = [
        codec.encode(Publish("/a", SignalType.STREAM, samples=pack_samples([0.5, -0.0]), rate=48_000)),
        codec.encode(Publish("/a", timestamp=7, encoded=ONE)),
        codec.encode(Publish("/a")),
        codec.encode(Publish("/a", encoded=values.NULL)),
        b"\x20\x20" + head + b"\x01\x07\x7f\xf8\x00\x00\x00\x00\xbe\xef",
        b"\x20\x25" + head + b"\x00\x01\x02",
        b"\x20\xe0" + head + b"\x01\x01\x07",
    ]
    for payload in payloads:
        sender.send(encode_frame(payload, 1))
    assert [frame.payload for frame in reader.frames()] == payloads
    assert [codec.encode(message) for message in desk.recorded()] == [
        codec.encode(codec.decode(payload)) for payload in payloads
    ]


def test_what_comes_as_messagepack_goes_on_in_binary(desk):
    """Readers hear one form, whatever a sender speaks."""
    sender, reader = desk.connect(), desk.connect()
    reader.subscribe("/**")
    message = Publish("/a", SignalType.STREAM, ONE, timestamp=9)
    assert sender.say(message, 2, legacy_form=True) == [Ack("/a")]
    (frame,) = reader.frames()
    assert frame.payload == codec.encode(message)
    assert desk.recorded() == [message]


def test_the_fate_of_a_message_is_that_of_its_kind(desk):
    """Samples and moves may be dropped, a param may be conflated, everything else has to arrive."""
    sender, reader = desk.connect(), desk.connect()
    reader.subscribe("/**")
    expected = []
    for signal in (SignalType.PARAM, SignalType.EVENT, SignalType.STREAM, SignalType.TIMELINE):
        sender.publish("/a", 1, signal=signal)
        expected.append(Fate.DROP if signal is SignalType.STREAM else Fate.KEEP)
    for phase in Phase:
        sender.publish("/g", 1, signal=SignalType.GESTURE, phase=phase)
        expected.append(Fate.DROP if phase is Phase.MOVE else Fate.KEEP)
    sender.set("/p", 1)
    assert desk.ports.fates == [*expected, Fate.CONFLATE]


def test_a_bad_address_is_refused(desk):
    """ERROR 200, no entry, no delivery; twice, since nothing of it is remembered."""
    client = desk.connect()
    for _ in range(2):
        assert codes(client.publish("a/b", 1, qos=2)) == [ErrorCode.INVALID_ADDRESS]
    assert desk.recorded() == []


@pytest.mark.parametrize("legacy_form", [False, True])
@pytest.mark.parametrize("address", ["/known", "/new"])
def test_a_payload_beyond_the_limit_is_refused(desk, address, legacy_form):
    """65,000 bytes pass, one more is ERROR 402, in whichever form it comes."""
    sender, reader = desk.connect(), desk.connect()
    reader.subscribe("/**")
    sender.publish("/known", 1)
    reader.heard()
    overhead = len(codec.encode(Publish(address, encoded=values.encode(b""))))
    fitting = Publish(address, encoded=values.encode(bytes(65_000 - overhead)))
    beyond = Publish(address, encoded=values.encode(bytes(65_001 - overhead)))
    (error,) = sender.say(beyond, legacy_form=legacy_form)
    assert (error.code, error.address) == (ErrorCode.INVALID_VALUE, address)
    assert sender.say(fitting, legacy_form=legacy_form) == []
    assert reader.heard() == [fitting]


def test_what_grows_beyond_the_limit_in_binary_is_refused_for_its_size(desk):
    """Small numbers take one byte in MessagePack and nine here."""
    client = desk.connect()
    growing = Publish("/a", encoded=values.encode([1] * 20_000))
    assert codes(client.say(growing, legacy_form=True)) == [ErrorCode.INVALID_VALUE]


def test_a_peer_hears_what_is_meant_for_it_alone(desk):
    """No pattern sees it, no journal keeps it, no subscription is needed."""
    caller, peer, listener = desk.connect(), desk.connect("peer"), desk.connect()
    listener.subscribe("/**")
    desk.recorded()
    message = Publish("/clasp/p2p/signal/peer", encoded=values.encode({"sdp": "x"}))
    assert caller.say(message, 2) == [Ack(message.address)]
    assert peer.heard() == [message]
    assert caller.say(message, legacy_form=True) == []
    assert peer.heard() == [message]
    assert listener.heard() == []
    assert desk.recorded() == []


def test_a_param_at_the_address_of_a_peer_changes_nothing_about_that(desk):
    """The fast form of PUBLISH knows the address then, and leaves it alone."""
    caller, peer, listener = desk.connect(), desk.connect("peer"), desk.connect()
    caller.set("/clasp/p2p/signal/peer", 1)
    listener.subscribe("/**")
    listener.heard()
    desk.recorded()
    caller.publish("/clasp/p2p/signal/peer", "secret")
    assert peer.values() == ["secret"]
    assert listener.heard() == []
    assert desk.recorded() == []


def test_a_peer_that_does_not_listen_cannot_be_made_to_cost_memory(desk):
    """What is for one peer is an event to it, not an answer that is kept for ever."""
    caller, peer = desk.connect(), desk.connect("peer")
    caller.publish("/clasp/p2p/signal/peer", 1)
    assert desk.ports.fates == [Fate.KEEP]
    assert desk.ports.calls[-1][:2] == ("deliver", peer.session.number)


def test_a_peer_that_is_not_there_is_an_error(desk):
    """ERROR 404, also when it has left."""
    caller, peer = desk.connect(), desk.connect("peer")
    assert codes(caller.publish("/clasp/p2p/signal/nobody", 1)) == [ErrorCode.NO_SUCH_TARGET]
    peer.leave()
    assert codes(caller.publish("/clasp/p2p/signal/peer", 1, qos=2)) == [ErrorCode.NO_SUCH_TARGET]


def test_peers_may_talk_while_the_journal_cannot_write(desk):
    """What it never keeps does not need it."""
    caller, peer = desk.connect(), desk.connect("peer")
    desk.core.ground.accepting = False
    assert caller.publish("/clasp/p2p/signal/peer", 1) == []
    assert peer.values() == [1]


def test_an_announcement_of_a_peer_is_heard_whatever_types_were_asked_for(desk):
    """By every session whose pattern matches, but not by its maker; and it is an entry."""
    caller, params_only, stranger = desk.connect(), desk.connect(), desk.connect()
    caller.subscribe("/**")
    params_only.subscribe("/clasp/**", type_mask=0x01, max_rate=1)
    stranger.subscribe("/a")
    message = Publish("/clasp/p2p/announce", encoded=ONE)
    for _ in range(2):
        assert caller.say(message) == []
    assert params_only.heard() == [message, message]
    assert stranger.heard() == []
    assert desk.recorded() == [message, message]


def test_addresses_without_a_param_are_remembered_up_to_a_limit():
    """The oldest make room; what is published there is heard all the same."""
    desk = Desk(passing_topics=3)
    sender, reader = desk.connect(), desk.connect()
    reader.subscribe("/**")
    addresses = [f"/{number}" for number in (1, 2, 3, 4, 5, 1)]
    for address in addresses:
        sender.send(framed(Publish(address)))
    assert [message.address for message in reader.heard()] == addresses
    assert list(desk.core.ground.topics.passing) == [b"/4", b"/5", b"/1"]
