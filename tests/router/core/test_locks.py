"""Locks: who holds one, who is refused, and when it ends."""

from clasp_journal.entry import absolute_ttl
from router.wire.codes import ErrorCode
from router.wire.messages import Ack, Get
from tests.router.core.desk import codes


def test_only_the_holder_writes(desk):
    """Everybody else gets ERROR 401, whatever else their SET asks for, and nothing changes."""
    holder, other = desk.connect(), desk.connect()
    holder.set("/a", 1, lock=True)
    desk.recorded()
    for rest in ({}, {"unlock": True}, {"lock": True}, {"revision": 1}, {"revision": 7}):
        (error,) = other.set("/a", 9, qos=1, **rest)
        assert (error.code, error.address) == (ErrorCode.LOCK_HELD, "/a")
    assert desk.recorded() == []
    assert holder.set("/a", 2, qos=1) == [Ack("/a", 2)]


def test_only_the_holder_unlocks(desk):
    """The SET that unlocks is a write like any other; then the address is everybody's."""
    holder, other = desk.connect(), desk.connect()
    holder.set("/a", 1, lock=True)
    assert holder.set("/a", 2, qos=1, unlock=True) == [Ack("/a", 2)]
    assert other.set("/a", 3, qos=1) == [Ack("/a", 3)]


def test_a_lock_can_be_taken_when_it_is_free(desk):
    """Also on a param that is there already, and again by who has it."""
    first, second = desk.connect(), desk.connect()
    first.set("/a", 1)
    second.set("/a", 2, lock=True)
    assert second.set("/a", 3, qos=1, lock=True) == [Ack("/a", 3)]
    assert codes(first.set("/a", 4)) == [ErrorCode.LOCK_HELD]


def test_lock_and_unlock_at_once_leaves_it_free(desk):
    """Taken and given back by one SET."""
    one, other = desk.connect(), desk.connect()
    one.set("/a", 1, lock=True, unlock=True)
    assert other.set("/a", 2, qos=1) == [Ack("/a", 2)]


def test_unlocking_what_is_free_is_a_plain_write(desk):
    """There is nothing to refuse."""
    client = desk.connect()
    assert client.set("/a", 1, qos=1, unlock=True) == [Ack("/a", 1)]
    assert client.set("/a", 2, qos=1, unlock=True) == [Ack("/a", 2)]


def test_a_lock_dies_with_its_holder(desk):
    """Whoever leaves gives back what they held, and nobody else's."""
    holder, keeper, other = desk.connect(), desk.connect(), desk.connect()
    for address in ("/a", "/b"):
        holder.set(address, 1, lock=True)
    keeper.set("/c", 1, lock=True)
    holder.leave()
    assert other.set("/a", 2, qos=1) == [Ack("/a", 2)]
    assert other.set("/b", 2, qos=1, lock=True) == [Ack("/b", 2)]
    assert codes(other.set("/c", 2)) == [ErrorCode.LOCK_HELD]
    assert codes(keeper.set("/b", 3)) == [ErrorCode.LOCK_HELD]


def test_the_fast_form_comes_back_when_a_lock_has_ended(desk):
    """The first write after the holder left settles it; the next ones are plain."""
    holder, other = desk.connect(), desk.connect()
    holder.set("/a", 1, lock=True)
    holder.leave()
    other.set("/a", 2)
    assert desk.core.ground.topics.known[b"/a"].is_plain
    assert other.set("/a", 3, qos=1) == [Ack("/a", 3)]


def test_a_lock_does_not_hinder_reading_or_publishing(desk):
    """It is about the value; who publishes at the same address changes none."""
    holder, other = desk.connect(), desk.connect()
    holder.subscribe("/a")
    holder.set("/a", 1, lock=True)
    holder.heard()
    assert [param.value for message in other.say(Get("/a")) for param in message.params] == [1]
    assert other.publish("/a", "ping", qos=2) == [Ack("/a")]
    assert holder.values() == ["ping"]


def test_a_lock_ends_with_the_param(desk):
    """What has expired is nobody's."""
    holder, other = desk.connect(), desk.connect()
    holder.set("/a", 1, lock=True, ttl=absolute_ttl(5))
    desk.later(5)
    assert other.set("/a", 2, qos=1) == [Ack("/a", 2)]


def test_a_refused_set_takes_no_lock(desk):
    """A conflict changes nothing, the lock included."""
    one, other = desk.connect(), desk.connect()
    one.set("/a", 1)
    assert codes(one.set("/a", 2, revision=7, lock=True)) == [ErrorCode.REVISION_CONFLICT]
    assert other.set("/a", 3, qos=1) == [Ack("/a", 2)]
