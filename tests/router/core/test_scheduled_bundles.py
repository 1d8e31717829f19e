"""BUNDLE with a time: what is checked when, who is answered, and how much may wait."""

import pytest

from clasp_journal import value as values
from router.core import agenda
from router.core.limits import SECOND_US
from router.wire.codes import ErrorCode
from router.wire.messages import Ack, Bundle, Get, Publish, Set
from tests.router.core.desk import Desk, codes
from tests.router.core.gatekeeper import GuardedDesk, scopes

ONE = values.encode(1)


def at(desk, seconds, *parts):
    """A bundle for so many seconds from now."""
    return Bundle(list(parts), timestamp=desk.now + round(seconds * SECOND_US))


def test_a_bundle_for_later_is_done_then(desk):
    """Not a moment before; its ACK and its entries have the time of the execution."""
    client, reader = desk.connect(), desk.connect()
    reader.subscribe("/**")
    assert client.say(at(desk, 5, Set("/a", ONE), Publish("/e", encoded=ONE)), 1) == []
    desk.later(4.999)
    assert client.heard() == []
    assert desk.ports.recorded == []
    assert reader.heard() == []
    desk.later(0.001)
    assert client.heard() == [Ack(revision=1)]
    assert reader.heard() == [Set("/a", ONE, 1), Publish("/e", encoded=ONE)]
    assert {now for _, _, now in desk.ports.recorded} == {desk.now}


@pytest.mark.parametrize("seconds", [0, -1, -1_000_000])
def test_a_time_that_has_come_means_now(desk, seconds):
    """Past, present, and no time at all are the same."""
    client = desk.connect()
    assert client.say(at(desk, seconds, Set("/a", ONE)), 1) == [Ack(revision=1)]


def test_bundles_run_in_the_order_of_their_times(desk):
    """And those for the same time in the order in which they came."""
    client, reader = desk.connect(), desk.connect()
    reader.subscribe("/**")
    for seconds, value in ((3, 1), (1, 2), (3, 3), (2, 4)):
        client.say(at(desk, seconds, Set("/a", values.encode(value))))
    desk.later(10)
    assert reader.values() == [2, 4, 1, 3]


def test_form_is_checked_on_arrival(desk):
    """A bad address, too many parts or a time too far ahead are refused at once, and wait for nothing."""
    client = desk.connect()
    assert codes(client.say(at(desk, 5, Set("/a", ONE), Set("bad", ONE)))) == [ErrorCode.INVALID_ADDRESS]
    assert codes(client.say(at(desk, 5, *[Set("/a", ONE)] * 1_001))) == [ErrorCode.INVALID_VALUE]
    assert codes(client.say(at(desk, 3_600.001, Set("/a", ONE)))) == [ErrorCode.INVALID_VALUE]
    assert desk.core.ground.agenda.next_due is None
    assert codes(client.say(at(desk, 3_600, Set("/a", ONE)))) == []


def test_the_rest_is_checked_when_its_time_has_come(desk):
    """Locks and revisions are those of then; a refusal is answered then and applies nothing."""
    client, other = desk.connect(), desk.connect()
    client.say(at(desk, 5, Set("/b", ONE), Set("/a", ONE, revision=1)), 1)
    client.say(at(desk, 6, Set("/b", ONE), Set("/a", ONE)), 1)
    other.set("/a", 1, lock=True)
    desk.later(5)
    assert codes(client.heard()) == [ErrorCode.LOCK_HELD]
    assert client.say(Get("/b")) == []
    other.leave()
    desk.later(1)
    assert client.heard() == [Ack(revision=2)]


def test_it_runs_although_its_sender_has_left(desk):
    """Nobody is answered, no lock is taken, the entries bear the sender's name."""
    client, reader, other = desk.connect("gone"), desk.connect(), desk.connect()
    reader.subscribe("/**")
    client.say(at(desk, 5, Set("/a", ONE, lock=True)), 2)
    client.say(at(desk, 5, Set("/a", ONE, revision=7)), 2)
    client.leave()
    calls = len(desk.ports.calls)
    desk.later(5)
    assert {call[0] for call in desk.ports.calls[calls:]} == {"record", "deliver"}
    assert reader.heard() == [Set("/a", ONE, 1, lock=True)]
    assert desk.snapshot("/a").writer == "gone"
    assert other.set("/a", 2, qos=1) == [Ack("/a", 2)]


def test_so_many_may_wait_and_no_more():
    """ERROR 429 beyond; those that have run make room."""
    desk = Desk(scheduled_bundles=2)
    one, two = desk.connect(), desk.connect()
    assert codes(one.say(at(desk, 5, Set("/a", ONE)))) == []
    assert codes(two.say(at(desk, 6, Set("/a", ONE, revision=9)))) == []
    assert codes(one.say(at(desk, 7, Set("/a", ONE)))) == [ErrorCode.TOO_MANY]
    desk.later(5)
    assert codes(one.say(at(desk, 7, Set("/a", ONE)))) == []
    desk.later(1)
    assert codes(two.heard()) == [ErrorCode.REVISION_CONFLICT]
    assert codes(two.say(at(desk, 7, Set("/a", ONE)))) == []


def test_one_author_leaves_room_for_others():
    """Half of what may wait, also of all that came before it left."""
    desk = Desk(scheduled_bundles=4)
    greedy, other = desk.connect(), desk.connect()
    for _ in range(2):
        assert codes(greedy.say(at(desk, 5, Set("/a", ONE)))) == []
    assert codes(greedy.say(at(desk, 5, Set("/a", ONE)))) == [ErrorCode.TOO_MANY]
    assert codes(other.say(at(desk, 6, Set("/a", ONE)))) == []
    desk.later(5)
    assert codes(greedy.say(at(desk, 5, Set("/a", ONE)))) == []


def test_a_share_is_given_back_by_who_took_it():
    """Also when the token of the sender has got another subject meanwhile."""
    desk = GuardedDesk(scheduled_bundles=2)
    client = desk.with_scopes("write:/**")
    assert codes(client.say(at(desk, 5, Set("/a", ONE)))) == []
    for subject in ("another", client.session.author):
        desk.gate.given["write:/**"].grant(subject, scopes("write:/**"))
        desk.core.review()
        desk.later(5)
    assert codes(client.say(at(desk, 5, Set("/a", ONE)))) == []


def test_how_far_ahead_is_a_limit_of_the_router():
    """The operator can make it shorter."""
    desk = Desk(schedule_ahead_us=SECOND_US)
    client = desk.connect()
    assert codes(client.say(at(desk, 1, Set("/a", ONE)))) == []
    assert codes(client.say(at(desk, 1.1, Set("/a", ONE)))) == [ErrorCode.INVALID_VALUE]


def test_it_is_refused_while_the_journal_cannot_write(desk):
    """Its time has come and it cannot be kept: ERROR 500, nothing applied, nothing left waiting."""
    client = desk.connect()
    client.say(at(desk, 5, Set("/a", ONE)), 1)
    desk.core.ground.accepting = False
    desk.later(5)
    assert codes(client.heard()) == [ErrorCode.INTERNAL]
    assert desk.core.ground.agenda.next_due is None


def test_large_bundles_for_one_moment_are_done_in_turns(desk):
    """As many as are worth one turn of the router, then the others get theirs; none is cut in two."""
    client = desk.connect()
    parts = agenda.EFFORT_AT_ONCE // 2
    for _ in range(4):
        client.say(at(desk, 5, *[Publish("/e")] * parts))
    desk.now += 5 * SECOND_US
    done = []
    while (due := desk.core.advance(desk.now)) is not None and due <= desk.now:
        done.append(len(desk.recorded()))
    assert done == [2 * parts]
    assert len(desk.recorded()) == 2 * parts
