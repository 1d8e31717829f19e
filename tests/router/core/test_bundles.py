"""BUNDLE: all or nothing, in order, with nothing of anyone else in between."""

import pytest

from clasp_journal import value as values
from clasp_journal.entry import Phase, SignalType, absolute_ttl
from router.wire.codes import ErrorCode
from router.wire.messages import Ack, Announce, Bundle, Get, Ping, Publish, Set, Subscribe
from tests.router.core.desk import Desk, acks, codes

ONE = values.encode(1)


def setting(address, value=1, **rest):
    """A part that sets."""
    return Set(address, values.encode(value), **rest)


def test_the_parts_arrive_one_by_one_in_their_order(desk):
    """SETs with their revisions, PUBLISHes to all but the sender; nobody hears a BUNDLE."""
    sender, reader = desk.connect(), desk.connect()
    sender.subscribe("/**")
    reader.subscribe("/**")
    event = Publish("/e", encoded=ONE)
    parts = [setting("/a"), event, setting("/b", 2), setting("/a", 3)]
    told = [setting("/a", revision=1), event, setting("/b", 2, revision=1), setting("/a", 3, revision=2)]
    assert sender.say(Bundle(parts)) == [told[0], told[2], told[3]]
    assert reader.heard() == told
    assert desk.recorded() == told


@pytest.mark.parametrize(("qos", "expected"), [(0, []), (1, [1]), (2, [2]), (3, [])])
def test_one_ack_for_all_iff_asked_for(desk, qos, expected):
    """With the revision of the last SET and no address, after the echoes."""
    client = desk.connect()
    client.set("/b", 0)
    client.subscribe("/**")
    heard = client.say(Bundle([setting("/b"), setting("/a"), Publish("/e")]), qos)
    assert acks(heard) == [Ack(revision=1)] * len(expected)
    assert not expected or heard[-1] == Ack(revision=1)
    assert [call[3] for call in desk.ports.calls if call[0] == "acknowledge"] == expected


def test_a_bundle_of_signals_is_acknowledged_without_a_revision(desk):
    """There is none; an empty bundle is done at once, too."""
    client = desk.connect()
    assert client.say(Bundle([Publish("/e")]), 1) == [Ack()]
    assert client.say(Bundle(), 1) == [Ack()]
    assert client.say(Bundle(), 0) == []


REFUSALS = [
    (setting("bad"), ErrorCode.INVALID_ADDRESS, "bad"),
    (Publish("bad", encoded=ONE), ErrorCode.INVALID_ADDRESS, "bad"),
    (setting("/known", revision=7), ErrorCode.REVISION_CONFLICT, "/known"),
    (setting("/known", revision=0), ErrorCode.REVISION_CONFLICT, "/known"),
    (setting("/locked"), ErrorCode.LOCK_HELD, "/locked"),
    (Publish("/clasp/p2p/signal/nobody", encoded=ONE), ErrorCode.NO_SUCH_TARGET, "/clasp/p2p/signal/nobody"),
    (setting("/large", bytes(65_000)), ErrorCode.INVALID_VALUE, "/large"),
    (Publish("/large", encoded=values.encode(bytes(65_000))), ErrorCode.INVALID_VALUE, "/large"),
]


@pytest.mark.parametrize(("bad", "code", "address"), REFUSALS)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_refused_part_refuses_all(desk, bad, code, address, at):
    """One ERROR with its code and address; nothing applied, told or recorded, wherever it stands."""
    holder, client, reader = desk.connect(), desk.connect(), desk.connect()
    holder.set("/locked", 1, lock=True)
    client.set("/known", 1)
    reader.subscribe("/**")
    reader.heard()
    desk.recorded()
    parts = [setting("/a"), Publish("/e", encoded=ONE)]
    parts.insert(at, bad)
    (error,) = client.say(Bundle(parts), 2)
    assert (error.code, error.address) == (code, address)
    assert reader.heard() == []
    assert desk.recorded() == []
    assert client.say(Get("/a")) == []


def test_each_part_is_checked_against_what_those_before_it_will_have_done(desk):
    """Revisions, locks and existence are those of the moment when the part's turn comes."""
    client = desk.connect()
    chain = [
        setting("/a", 1, revision=0),
        setting("/a", 2, revision=1, lock=True),
        setting("/a", 3, revision=2, unlock=True),
    ]
    assert client.say(Bundle(chain), 1) == [Ack(revision=3)]
    assert codes(client.say(Bundle([setting("/b"), setting("/b", revision=0)]))) == [
        ErrorCode.REVISION_CONFLICT
    ]
    assert client.set("/a", 4, qos=1, revision=3) == [Ack("/a", 4)]


def test_a_lock_taken_in_a_bundle_holds_after_it(desk):
    """And one that is given back in it does not."""
    client, other = desk.connect(), desk.connect()
    client.say(Bundle([setting("/a", lock=True), setting("/b", lock=True), setting("/b", unlock=True)]))
    assert codes(other.set("/a", 2)) == [ErrorCode.LOCK_HELD]
    assert codes(other.set("/b", 2)) == []


def test_revisions_are_checked_where_a_forgotten_number_is_the_floor(desk):
    """An address that may have had revisions once starts above them, in a bundle as outside."""
    desk.core.restore([], 10, desk.now)
    client = desk.connect()
    assert codes(client.say(Bundle([setting("/a"), setting("/a", revision=1)]))) == [
        ErrorCode.REVISION_CONFLICT
    ]
    assert client.say(Bundle([setting("/a"), setting("/a", revision=11)]), 1) == [Ack(revision=12)]


def test_nested_bundles_are_flattened(desk):
    """In the order in which they are read; what a bundle should not hold is passed over."""
    client, reader = desk.connect(), desk.connect()
    reader.subscribe("/**")
    inner = Bundle([setting("/b"), Bundle([Publish("/c", encoded=ONE)], timestamp=1)])
    client.say(Bundle([setting("/a"), Ping(), inner, Subscribe(1, "/**"), Announce("/x"), setting("/d")]))
    assert [message.address for message in reader.heard()] == ["/a", "/b", "/c", "/d"]
    assert not desk.core.ground.subscriptions.of(client.session)


def test_a_bundle_in_messagepack_is_the_same_bundle(desk):
    """Published clients send it so."""
    client, reader = desk.connect(), desk.connect()
    reader.subscribe("/**")
    bundle = Bundle([setting("/a"), Publish("/e", encoded=ONE)])
    assert client.say(bundle, 1, legacy_form=True) == [Ack(revision=1)]
    assert reader.heard() == [setting("/a", revision=1), Publish("/e", encoded=ONE)]


def test_a_bundle_has_room_for_so_many_parts():
    """The flattened ones count; one more is ERROR 402."""
    desk = Desk(bundle_parts=3)
    client = desk.connect()
    inner = Bundle([setting("/b"), setting("/c")])
    assert codes(client.say(Bundle([setting("/a"), inner]))) == []
    assert codes(client.say(Bundle([setting("/a"), inner, setting("/d")]))) == [ErrorCode.INVALID_VALUE]


def test_the_limit_of_params_is_checked_for_all_parts_together():
    """What is there already counts once, and a bundle of known params always has room."""
    desk = Desk(params=2)
    client = desk.connect()
    client.set("/a", 1)
    assert codes(client.say(Bundle([setting("/b"), setting("/c")]))) == [ErrorCode.TOO_MANY]
    assert client.say(Get("/b")) == []
    assert codes(client.say(Bundle([setting("/b"), setting("/a"), setting("/b", 2)]))) == []


def test_a_full_router_still_takes_bundles_of_what_it_knows():
    """Also where more was restored than the limit now allows."""
    desk = Desk()
    desk.connect().say(Bundle([setting("/a"), setting("/b")]))
    smaller = Desk(params=1)
    smaller.core.restore([desk.snapshot("/a"), desk.snapshot("/b")], 0, smaller.now)
    client = smaller.connect()
    assert client.say(Bundle([setting("/a", 2), Publish("/e")]), 1) == [Ack(revision=2)]


def test_a_bundle_is_refused_whole_while_the_journal_cannot_write(desk):
    """ERROR 500, nothing applied."""
    client = desk.connect()
    desk.core.ground.accepting = False
    assert codes(client.say(Bundle([setting("/a")]), 1)) == [ErrorCode.INTERNAL]
    desk.core.ground.accepting = True
    assert client.say(Get("/a")) == []


def test_what_is_in_a_bundle_follows_the_rules_of_its_kind(desk):
    """TTLs run, peers hear what is theirs alone, starts and ends of gestures pass."""
    client, peer, reader = desk.connect(), desk.connect("peer"), desk.connect()
    reader.subscribe("/**")
    secret = Publish("/clasp/p2p/signal/peer", encoded=ONE)
    hand = [Publish("/g", SignalType.GESTURE, phase=phase) for phase in (Phase.START, Phase.MOVE, Phase.END)]
    client.say(Bundle([setting("/a", ttl=absolute_ttl(5)), secret, *hand]))
    assert peer.heard() == [secret]
    assert reader.heard()[1:] == hand
    assert len(desk.recorded()) == 4
    desk.later(5)
    assert client.say(Get("/a")) == []
