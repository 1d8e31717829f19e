"""TTL: what counts as use, when a param is gone, and what stays of it."""

import pytest

from clasp_journal.entry import TTL_NEVER, EntryKind, JournalEntry, absolute_ttl, sliding_ttl
from router.core import agenda
from router.core.ground import Settings
from router.wire.messages import Ack, Get
from tests.router.core.desk import Desk


def is_there(desk, address="/a"):
    """Whether a newcomer hears of the param; asking does not count as use."""
    return desk.snapshot(address) is not None


def test_a_param_stays_for_ever_unless_told_otherwise(desk):
    """The default is never."""
    desk.connect().set("/a", 1)
    desk.later(10**9)
    assert is_there(desk)
    assert desk.ports.entries == []


@pytest.mark.parametrize("word", [sliding_ttl(10), absolute_ttl(10)])
def test_an_unused_param_goes_when_its_time_has_run_out(desk, word):
    """Not a moment before; GET is silent then, and a newcomer hears nothing."""
    client = desk.connect()
    client.set("/a", 1, ttl=word)
    desk.later(9.999)
    assert is_there(desk)
    desk.later(0.001)
    assert not is_there(desk)
    assert client.say(Get("/a")) == []


def test_expiry_is_recorded_and_told_to_nobody(desk):
    """The journal gets the address and its last revision; readers get nothing."""
    client = desk.connect()
    client.subscribe("/**")
    client.set("/a", 1, ttl=absolute_ttl(10))
    client.set("/a", 2)
    client.heard()
    desk.later(60)
    assert client.heard() == []
    expired_at = desk.now - 50_000_000
    assert desk.ports.entries == [JournalEntry(expired_at, "", "/a", EntryKind.EXPIRE, revision=2)]


def test_reading_and_writing_refresh_a_sliding_ttl(desk):
    """GET and SET count as use; hearing a SNAPSHOT or publishing at the address do not."""
    client = desk.connect()
    client.set("/a", 1, ttl=sliding_ttl(10))
    desk.later(6)
    client.say(Get("/a"))
    desk.later(6)
    assert is_there(desk)
    client.set("/a", 2)
    desk.later(6)
    client.publish("/a", 3)
    assert is_there(desk)
    desk.later(4)
    assert not is_there(desk)


def test_only_writing_refreshes_an_absolute_ttl(desk):
    """It counts from the last SET."""
    client = desk.connect()
    client.set("/a", 1, ttl=absolute_ttl(10))
    desk.later(6)
    client.set("/a", 2)
    desk.later(6)
    client.say(Get("/a"))
    assert is_there(desk)
    desk.later(4)
    assert not is_there(desk)


def test_a_set_without_ttl_keeps_the_one_before(desk):
    """And one with TTL replaces it, by never too."""
    client = desk.connect()
    for address in ("/a", "/b"):
        client.set(address, 1, ttl=absolute_ttl(10))
        client.set(address, 2)
    client.set("/b", 3, ttl=TTL_NEVER)
    desk.later(10)
    assert not is_there(desk)
    assert is_there(desk, "/b")


def test_a_shorter_ttl_counts_at_once(desk):
    """However far ahead the time was that had been noted for the longer one."""
    client = desk.connect()
    client.set("/a", 1, ttl=sliding_ttl(3600))
    client.set("/a", 2, ttl=sliding_ttl(5))
    desk.later(5)
    assert not is_there(desk)


def test_a_longer_ttl_counts_too(desk):
    """What was noted for the shorter one comes, finds time left, and goes."""
    client = desk.connect()
    client.set("/a", 1, ttl=absolute_ttl(5))
    client.set("/a", 2, ttl=absolute_ttl(60))
    desk.later(59)
    assert is_there(desk)
    desk.later(1)
    assert not is_there(desk)


def test_an_absolute_ttl_of_nothing_expires_at_once(desk):
    """It is accepted, acknowledged, recorded and gone."""
    client = desk.connect()
    assert client.set("/a", 1, qos=1, ttl=absolute_ttl(0)) == [Ack("/a", 1)]
    desk.later(0)
    assert not is_there(desk)


def test_a_revision_goes_on_after_expiry(desk):
    """A number that was given is never given again; and whoever expects no param is right."""
    client = desk.connect()
    client.set("/a", 1, ttl=absolute_ttl(5))
    client.set("/a", 2)
    desk.later(5)
    assert client.set("/a", 3, qos=1, revision=0) == [Ack("/a", 3)]


def test_what_comes_back_comes_without_its_old_ttl(desk):
    """A param that had expired is new; it has the router's default."""
    client = desk.connect()
    client.set("/a", 1, ttl=absolute_ttl(5))
    desk.later(5)
    client.set("/a", 2)
    desk.later(10**6)
    assert is_there(desk)


def test_the_default_ttl_goes_for_params_that_bring_none():
    """Set by the operator; a SET that brings its own has its own."""
    desk = Desk(Settings(default_ttl=sliding_ttl(10)))
    client = desk.connect()
    client.set("/a", 1)
    client.set("/b", 1, ttl=TTL_NEVER)
    desk.later(10)
    assert not is_there(desk)
    assert is_there(desk, "/b")


def test_many_changes_of_mind_leave_one_note(desk):
    """A TTL that gets shorter and shorter does not fill the agenda."""
    client = desk.connect()
    for seconds in range(2_000, 1_000, -1):
        client.set("/a", 1, ttl=sliding_ttl(seconds))
    assert len(desk.core.ground.agenda) < 300


def test_what_expires_together_is_worked_off_in_turns(desk):
    """One call does a bounded part and asks to be called again at once; in the end all are gone."""
    client = desk.connect()
    count = 3 * agenda.EFFORT_AT_ONCE
    for number in range(count):
        client.set(f"/a/{number}", 1, ttl=absolute_ttl(5))
    desk.now += 5_000_000
    assert desk.core.advance(desk.now) <= desk.now
    assert len(desk.ports.entries) == agenda.EFFORT_AT_ONCE
    desk.later(0)
    assert len(desk.ports.entries) == count
    assert desk.core.ground.agenda.next_due is None
