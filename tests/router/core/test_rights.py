"""Every way to a value asks for a right, and what is refused is refused alike whether it is there or not."""

import pytest

from clasp_journal import value as values
from router.wire.codes import ErrorCode
from router.wire.messages import (
    Ack,
    Announce,
    Bundle,
    Error,
    Get,
    Hello,
    JournalDo,
    Publish,
    Query,
    Replay,
    Result,
    Set,
    SignalDef,
    Snapshot,
    Subscribe,
    SubscribeOptions,
    Welcome,
)
from tests.router.core.desk import acks, codes
from tests.router.core.gatekeeper import GuardedDesk

ONE = values.encode(1)
NO_ARGUMENTS = values.encode({})


@pytest.fixture
def desk():
    """A desk where everybody needs a token, and somebody has set two params and announced two signals."""
    desk = GuardedDesk()
    desk.root.set("/a/x", 1)
    desk.root.set("/b", 2)
    desk.root.say(Announce("/", [SignalDef("/a/x"), SignalDef("/b")]))
    desk.root.heard()
    desk.recorded()
    return desk


ASKED = {
    "GET": (lambda address: Get(address), "read"),
    "SUBSCRIBE": (lambda address: Subscribe(1, address), "read"),
    "QUERY": (lambda address: Query(address), "read"),
    "SET": (lambda address: Set(address, ONE), "write"),
    "PUBLISH": (lambda address: Publish(address, encoded=ONE), "write"),
    "BUNDLE": (lambda address: Bundle([Set("/mine", ONE), Bundle([Publish(address)])]), "write"),
    "ANNOUNCE": (lambda address: Announce("/", [SignalDef("/mine"), SignalDef(address)]), "write"),
    "REPLAY": (lambda address: Replay(address), "history"),
}
"""By door: what is said there about an address, and the right that it takes."""


OPENS_FOR = {
    "read": ("read", "write", "admin"),
    "write": ("write", "admin"),
    "history": ("history", "admin"),
}
"""By the right that is needed: those that give it."""


@pytest.mark.parametrize("legacy_form", [False, True])
@pytest.mark.parametrize("door", ASKED)
def test_every_door_asks_for_its_right(desk, door, legacy_form):
    """With the right it opens; with any other it answers 301 and nothing has happened, in both forms."""
    make, needed = ASKED[door]
    for right in ("read", "write", "history", "admin"):
        client = desk.with_scopes(f"write:/mine {right}:/b")
        client.heard()
        heard = client.say(make("/b"), legacy_form=legacy_form)
        if right in OPENS_FOR[needed]:
            assert codes(heard) == []
        else:
            assert codes(heard) == [ErrorCode.FORBIDDEN]
            assert len(heard) == 1
            assert desk.recorded() == []
            assert desk.ports.replays == []
        desk.ports.replays.clear()
        desk.recorded()


@pytest.mark.parametrize("door", ASKED)
def test_a_refusal_does_not_tell_whether_there_is_something(desk, door):
    """The same words for an address with a value and for one without."""
    make, _ = ASKED[door]
    client = desk.with_scopes("write:/mine")
    told = []
    for address in ("/a/x", "/a/y"):
        (error,) = client.say(make(address))
        assert isinstance(error, Error)
        told.append((error.code, error.message))
    assert told[0] == told[1]


def test_a_refused_bundle_names_the_address(desk):
    """The first that is not open; nothing of it is done."""
    client = desk.with_scopes("write:/mine")
    (error,) = client.say(Bundle([Set("/mine", ONE), Set("/b", ONE)]), qos=1)
    assert (error.code, error.address) == (ErrorCode.FORBIDDEN, "/b")
    assert desk.snapshot_of("/mine") is None


def test_the_first_snapshot_is_narrowed_to_what_may_be_read(desk):
    """Empty, if that is nothing; a client waits for it."""
    for held, seen in {
        "read:/a/**": ["/a/x"],
        "write:/b": ["/b"],
        "history:/**": [],
        "read:/none": [],
        "read:/**": ["/a/x", "/b"],
    }.items():
        heard = desk.knock().say(Hello(token=held))
        assert isinstance(heard[0], Welcome)
        assert all(isinstance(message, Snapshot) for message in heard[1:])
        assert len(heard) == 2
        assert [param.address for param in heard[1].params] == seen


@pytest.mark.parametrize(("token", "code"), [(None, 300), ("", 300), ("wrong", 300)])
def test_who_has_no_token_is_told_and_closed(desk, token, code):
    """ERROR, then close, and nothing else was heard."""
    client = desk.knock()
    (error,) = client.say(Hello(token=token))
    assert error.code == code
    assert [session for session, _, _ in desk.ports.closes] == [client.session]
    assert client.say(Get("/b")) == []


def test_before_hello_nothing_is_open(desk):
    """Not even the fast forms."""
    client = desk.knock()
    client.say(Set("/b", ONE))
    assert desk.recorded() == []


def test_the_subject_is_the_author_and_the_id_holds_the_lock(desk):
    """Two sessions of one token are one writer, and two holders."""
    one, other = (desk.with_scopes("write:/lock") for _ in range(2))
    one.set("/lock", 1, lock=True)
    assert codes(other.set("/lock", 2)) == [ErrorCode.LOCK_HELD]
    subject = one.session.access.subject
    assert desk.snapshot_of("/lock").writer == subject == other.session.author
    assert one.session.id != subject


def test_queries_need_the_whole_pattern(desk):
    """Otherwise 301; what is listed is what is open."""
    client = desk.with_scopes("read:/a/**")
    (result,) = client.say(Query("/a/**"))
    assert isinstance(result, Result)
    assert [signal.address for signal in result.signals] == ["/a/x"]
    assert codes(client.say(Query("/**"))) == [ErrorCode.FORBIDDEN]


def test_a_subscription_that_is_refused_leaves_the_one_before(desk):
    """The id still stands for what it stood for."""
    client = desk.with_scopes("read:/a/**")
    client.subscribe("/a/*")
    client.heard()
    assert codes(client.subscribe("/**")) == [ErrorCode.FORBIDDEN]
    desk.root.set("/a/x", 5)
    desk.root.set("/b", 5)
    assert client.values() == [5]


def test_the_history_of_a_subscription_takes_the_right_to_it(desk):
    """Reading what is does not open what was."""
    wish = Subscribe(1, "/a/**", 0xFF, SubscribeOptions(history=5))
    assert codes(desk.with_scopes("read:/a/**").say(wish)) == [ErrorCode.FORBIDDEN]
    assert desk.ports.backfills == []
    desk.with_scopes("read:/a/** history:/a/**").say(wish)
    assert len(desk.ports.backfills) == 1


def test_a_message_to_one_session_takes_two_rights(desk):
    """The sender has to be allowed to write there, the other to read it: else it is not there."""
    sender = desk.with_scopes("write:/clasp/p2p/**")
    deaf = desk.with_scopes("read:/a")
    hearer = desk.connect("ear", token="read:/clasp/p2p/signal/*")
    signal = "/clasp/p2p/signal/"
    assert codes(sender.publish(signal + deaf.session.id, 1)) == [ErrorCode.NO_SUCH_TARGET]
    assert codes(sender.publish(signal + "ear", 1)) == []
    assert hearer.values() == [1]
    assert codes(deaf.publish(signal + "ear", 1)) == codes(deaf.publish(signal + "no", 1)) == [301]
    assert not any(isinstance(message, Publish) for message in deaf.heard())


def test_a_bundle_is_checked_when_it_comes_and_when_its_time_has_come(desk):
    """Whoever may not any more by then is told so, and nothing is done."""
    late = Bundle([Set("/late", ONE)], timestamp=desk.now + 1_000_000)
    assert codes(desk.with_scopes("read:/late").say(late, qos=1)) == [ErrorCode.FORBIDDEN]
    client, leaver = desk.with_scopes("write:/late"), desk.with_scopes("write:/late read:/x")
    assert client.say(late, qos=1) == leaver.say(late, qos=1) == []
    leaver.leave()
    desk.change("write:/late", "write:/other")
    desk.change("write:/late read:/x", "read:/x")
    desk.later(2)
    assert codes(client.heard()) == [ErrorCode.FORBIDDEN]
    assert desk.snapshot_of("/late") is None


@pytest.mark.parametrize("verb", ["stats", "state", "notes"])
def test_a_tool_that_reads_takes_a_right_to_some_history(desk, verb):
    """How much of it is told is the journal's side's matter."""
    request = JournalDo(1, verb, NO_ARGUMENTS)
    assert codes(desk.with_scopes("write:/**").say(request)) == [ErrorCode.FORBIDDEN]
    assert desk.with_scopes("history:/a").say(request) == []
    assert len(desk.ports.errands) == 1


@pytest.mark.parametrize("verb", ["snapshot", "mark", "compact", "forget"])
def test_a_tool_that_changes_takes_admin_over_everything_from_wherever_it_comes(desk, verb):
    """Coming from this machine is enough only where there are no tokens."""
    request = JournalDo(1, verb, NO_ARGUMENTS)
    local = desk.connect(token="history:/** write:/** admin:/a/**", is_trusted=True)
    (error,) = local.say(request)
    assert (error.code, error.address) == (ErrorCode.FORBIDDEN, None)
    assert desk.root.say(request) == []
    assert len(desk.ports.errands) == 1


def test_rights_that_shrink_end_what_they_no_longer_permit(desk):
    """Subscriptions outside go with an ERROR; those inside go on, and so does the session."""
    client = desk.with_scopes("read:/**")
    client.subscribe("/a/**", 1)
    client.subscribe("/b", 2)
    client.heard()
    desk.change("read:/**", "read:/a/**")
    (error,) = client.heard()
    assert (error.code, error.address) == (ErrorCode.FORBIDDEN, "/b")
    assert [number for _, number in desk.ports.cancelled][-1] == 2
    desk.root.set("/b", 3)
    desk.root.set("/a/x", 3)
    assert client.values() == [3]
    assert codes(client.say(Get("/b"))) == [ErrorCode.FORBIDDEN]
    desk.core.review()
    assert client.heard() == []


def test_a_snapshot_on_its_way_heeds_rights_that_shrink(desk):
    """What has not left yet is judged by what is permitted then."""
    desk.ports.is_streaming = False
    client = desk.with_scopes("read:/**")
    desk.change("read:/**", "read:/a/**")
    desk.ports.is_streaming = True
    (session, frames), *_ = [found for found in desk.ports.streams if found[0] is client.session]
    desk.ports.stream(session, frames)
    told = [message for message in client.heard() if isinstance(message, Snapshot)]
    assert [param.address for message in told for param in message.params] == ["/a/x"]


def test_what_is_thinned_out_for_subscriptions_that_end_is_not_told_any_more(desk):
    """Not even while they end one after the other."""
    client = desk.with_scopes("read:/**")
    for number, pattern in enumerate(("/b", "/**/b", "/b/**")):
        client.subscribe(pattern, number, window_ms=5_000)
    for number in range(2):
        desk.root.set("/b", number)
    client.heard()
    desk.change("read:/**", "read:/a/**")
    desk.later(10)
    assert codes(heard := client.heard()) == [ErrorCode.FORBIDDEN] * 3
    assert len(heard) == 3


def test_a_result_on_its_way_heeds_rights_that_shrink(desk):
    """Of the signals too only those are told that are open when they have their turn."""
    client = desk.with_scopes("read:/**")
    desk.ports.is_streaming = False
    client.say(Query("/**"))
    desk.change("read:/**", "read:/a/**")
    desk.ports.is_streaming = True
    desk.ports.stream(*desk.ports.streams.pop())
    (result,) = [message for message in client.heard() if isinstance(message, Result)]
    assert [signal.address for signal in result.signals] == ["/a/x"]


def test_a_lock_is_none_when_its_holder_may_not_write_any_more(desk):
    """Others write, and the lock is theirs to take."""
    client = desk.with_scopes("write:/a/x read:/**")
    client.set("/a/x", 2, lock=True)
    assert codes(desk.root.set("/a/x", 3)) == [ErrorCode.LOCK_HELD]
    desk.change("write:/a/x read:/**", "read:/**")
    assert desk.root.set("/a/x", 3, qos=1, lock=True) == [Ack("/a/x", 3)]


@pytest.mark.parametrize("code", [ErrorCode.UNAUTHORIZED, ErrorCode.TOKEN_EXPIRED])
def test_a_token_that_ends_ends_its_sessions(desk, code):
    """All of them, with the reason; others stay."""
    mine = [desk.with_scopes("write:/a/x") for _ in range(2)]
    other = desk.with_scopes("read:/b")
    for client in (*mine, other):
        client.heard()
    mine[0].set("/a/x", 4)
    desk.recorded()
    desk.gate.given["write:/a/x"].end(code)
    assert codes(mine[0].set("/a/x", 5)) == [ErrorCode.FORBIDDEN]
    desk.core.review()
    assert [codes(client.heard()) for client in (*mine, other)] == [[code], [code], []]
    assert {session for session, _, _ in desk.ports.closes} == {client.session for client in mine}
    assert mine[0].set("/a/x", 6) == []
    assert desk.recorded() == []


def test_the_fast_forms_serve_who_may_write_there(desk):
    """The first message to an address is judged, those after it are taken at once; others never are."""
    client = desk.with_scopes("write:/a/*")
    for number in range(3):
        (ack,) = acks(client.set("/a/x", number, qos=1))
        assert ack == Ack(address="/a/x", revision=number + 2)
        assert client.publish("/a/e", number) == []
        assert codes(client.set("/b", number)) == codes(client.publish("/b", number)) == [301]
    assert client.session.access.writable == {b"/a/x", b"/a/e"}
    assert len(desk.recorded()) == 6
