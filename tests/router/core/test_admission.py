"""The threshold: HELLO and its answer, surplus sessions, floods of errors and of messages."""

import pytest

from clasp_journal import value as values
from router.core.ground import Settings
from router.wire import codec
from router.wire.codes import ErrorCode
from router.wire.frame import encode_frame
from router.wire.masks import FEATURES_OF_ROUTERS, Feature
from router.wire.messages import (
    Ack,
    Error,
    FederationOp,
    FederationSync,
    Get,
    Hello,
    Ping,
    Pong,
    Set,
    Snapshot,
    Subscribe,
    Sync,
    Welcome,
)
from tests.router.core.desk import Desk, codes, framed

BAD_FRAME = b"\x54\x01\x00\x01\x41"
EMPTY_PAYLOAD = b"\x53\x01\x00\x00"


def test_hello_is_answered_with_welcome_and_a_snapshot(desk):
    """The snapshot comes even when there is nothing in it; any version is welcome."""
    client = desk.knock("me")
    for_all = FEATURES_OF_ROUTERS | Feature.JOURNAL
    welcome = Welcome(desk.now, "me", "clasp-router", 1, int(for_all))
    assert client.say(Hello("desk", version=9, token="ignored")) == [welcome, Snapshot()]


def test_hello_in_messagepack_is_answered_in_binary(desk):
    """All clients read that."""
    client = desk.knock()
    desk.core.receive(client.session, iter((framed(Hello("old"), legacy_form=True),)), desk.now)
    assert [frame.payload[0] for frame in client.frames()] == [0x02, 0x23]


def test_welcome_tells_what_the_router_is():
    """Its name, and whether it has a journal."""
    desk = Desk(Settings(name="stage", has_journal=False))
    welcome = desk.knock().say(Hello())[0]
    assert (welcome.name, welcome.features & Feature.JOURNAL) == ("stage", 0)


def test_the_snapshot_after_hello_has_every_param(desk):
    """Values, revisions and writers; not what has expired."""
    writer = desk.connect("writer")
    writer.set("/a", 1)
    writer.set("/b", 2, ttl=1)
    desk.later(5)
    _, snapshot = desk.knock().say(Hello())
    assert [(param.address, param.revision, param.writer) for param in snapshot.params] == [
        ("/a", 1, "writer")
    ]


def test_a_snapshot_comes_even_if_all_expires_before_it_is_made(desk):
    """The client was promised one."""
    desk.connect().set("/a", 1, ttl=1)
    desk.ports.is_streaming = False
    client = desk.knock()
    client.say(Hello())
    desk.later(5)
    desk.ports.is_streaming = True
    desk.ports.stream(*desk.ports.streams.pop())
    assert client.heard() == [Snapshot()]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (BAD_FRAME, ErrorCode.INVALID_FRAME),
        (b"", ErrorCode.INVALID_FRAME),
        (EMPTY_PAYLOAD, ErrorCode.INVALID_MESSAGE),
        (encode_frame(b"\xff"), ErrorCode.INVALID_MESSAGE),
        (encode_frame(codec.encode(Ping())), ErrorCode.INVALID_MESSAGE),
        (encode_frame(codec.encode(Set("/a", values.encode(1)))), ErrorCode.INVALID_MESSAGE),
        (encode_frame(codec.encode(Hello())[:-1]), ErrorCode.INVALID_MESSAGE),
    ],
)
def test_who_does_not_begin_with_hello_is_told_and_sent_away(desk, frame, code):
    """And not heard any more, though a HELLO may be right behind."""
    client = desk.knock()
    assert codes(client.send(frame)) == [code]
    assert [(session, code) for session, code, _ in desk.ports.closes] == [(client.session, 1008)]
    assert client.say(Hello()) == []
    assert desk.core.ground.sessions == {}
    assert desk.snapshot("/a") is None


def test_a_second_hello_is_an_error_and_the_session_goes_on(desk):
    """ERROR 101; subscriptions stay."""
    client = desk.connect()
    client.subscribe("/a")
    assert codes(client.say(Hello("again"))) == [ErrorCode.INVALID_MESSAGE]
    assert client.say(Ping()) == [Pong()]
    client.set("/a", 1)
    assert desk.ports.closes == []
    assert len(desk.core.ground.sessions) == 1


def test_surplus_sessions_are_told_to_come_again():
    """ERROR 503 and close 1013; the others do not notice, and who leaves makes room."""
    desk = Desk(sessions=2)
    one, _ = desk.connect(), desk.connect()
    surplus = desk.knock()
    assert codes(surplus.say(Hello())) == [ErrorCode.OVERLOADED]
    assert [(session, code) for session, code, _ in desk.ports.closes] == [(surplus.session, 1013)]
    assert surplus.say(Hello()) == []
    assert one.say(Ping()) == [Pong()]
    surplus.leave()
    one.leave()
    assert isinstance(desk.knock().say(Hello())[0], Welcome)


def test_who_is_at_the_door_is_no_session_yet(desk):
    """Peers are not found, and leaving is no matter."""
    desk.knock("early").leave()
    client = desk.connect()
    assert codes(client.publish("/clasp/p2p/signal/early")) == [ErrorCode.NO_SUCH_TARGET]


BAD_INPUT = [
    BAD_FRAME,
    EMPTY_PAYLOAD,
    encode_frame(b"\xff"),
    encode_frame(codec.encode(Set("a", values.encode(1)))),
    encode_frame(codec.encode(Subscribe(1, "a"))),
    encode_frame(codec.encode(Set("/a", values.encode(bytes(65_000))))),
    encode_frame(codec.encode(Hello())),
]


@pytest.mark.parametrize("frame", BAD_INPUT)
def test_a_flood_of_bad_input_ends_the_connection(frame):
    """Each is answered; one more than the limit in a minute closes with 1008, and nothing is heard then."""
    desk = Desk(errors_per_minute=3)
    client = desk.connect()
    for _ in range(3):
        assert len(codes(client.send(frame))) == 1
    assert client.say(Ping()) == [Pong()]
    assert len(codes(client.send(frame))) == 1
    assert [(session, code) for session, code, _ in desk.ports.closes] == [(client.session, 1008)]
    assert client.send(frame) == client.say(Ping()) == []
    assert len(desk.ports.closes) == 1


def test_bad_input_now_and_then_is_forgiven():
    """The limit is per minute."""
    desk = Desk(errors_per_minute=3)
    client = desk.connect()
    for _ in range(20):
        client.send(BAD_FRAME)
        desk.later(30)
    assert desk.ports.closes == []


def test_refusals_that_can_meet_anybody_do_not_end_the_connection():
    """Conflicts, locks, limits and a journal that fails are no bad input."""
    desk = Desk(errors_per_minute=3, params=1)
    holder, client = desk.connect(), desk.connect()
    holder.set("/a", 1, lock=True)
    for _ in range(5):
        heard = client.set("/a", 2) + client.set("/b", 2, revision=7) + client.set("/c", 1)
        heard += client.publish("/clasp/p2p/signal/nobody")
        assert codes(heard) == [401, 400, 429, 404]
    desk.core.ground.accepting = False
    for _ in range(5):
        assert codes(client.set("/a", 2)) == [ErrorCode.INTERNAL]
    assert desk.ports.closes == []


def test_one_bad_client_costs_nobody_else(desk):
    """Errors are counted per session."""
    bad, good = desk.connect(), desk.connect()
    for _ in range(1_001):
        bad.send(BAD_FRAME)
    assert [session for session, _, _ in desk.ports.closes] == [bad.session]
    assert good.set("/a", 1, qos=1) == [Ack("/a", 1)]


def test_messages_beyond_the_rate_are_refused():
    """ERROR 429 for each, nothing applied, the connection stays; the next second is a new one."""
    desk = Desk(messages_per_s=3)
    client, other = desk.connect(), desk.connect()
    heard = [message for value in range(5) for message in client.set("/a", value, qos=1)]
    assert [type(message) for message in heard] == [Ack, Ack, Ack, Error, Error]
    assert codes(heard) == [ErrorCode.TOO_MANY] * 2
    assert other.set("/a", 9, qos=1) == [Ack("/a", 4)]
    desk.later(1)
    assert client.set("/a", 1, qos=1) == [Ack("/a", 5)]
    assert desk.ports.closes == []


def test_sync_and_ping_are_answered_to_who_asked(desk):
    """With the router's time twice; nobody else hears of it."""
    client, other = desk.connect(), desk.connect()
    assert client.say(Sync(5), 1) == [Sync(5, desk.now, desk.now)]
    assert client.say(Ping()) == [Pong()]
    assert other.heard() == []


def test_federation_is_not_served(desk):
    """ERROR 403 for who did not offer it, 501 for who did."""
    plain, router = desk.connect(), desk.connect(features=int(Feature.FEDERATION))
    request = FederationSync(FederationOp.DECLARE_NAMESPACES, ["/**"])
    assert codes(plain.say(request)) == [ErrorCode.REFUSED]
    assert codes(router.say(request)) == [ErrorCode.UNAVAILABLE]


def test_what_only_a_router_sends_is_passed_over(desk):
    """WELCOME, SNAPSHOT, ACK, ERROR and PONG from a client mean nothing and are no fault."""
    client = desk.connect()
    client.set("/a", 1)
    for message in (Welcome(1, "x", "y"), Snapshot(), Ack("/a", 7), Error(500, "x"), Pong()):
        assert client.say(message, 1) == []
    assert client.say(Get("/a"))[0].params[0].revision == 1


def test_an_error_does_not_send_back_a_text_that_is_too_long(desk):
    """The address is left out then."""
    client = desk.connect()
    (error,) = client.set("x" * 60_000, 1)
    assert (error.code, error.address) == (ErrorCode.INVALID_ADDRESS, None)
