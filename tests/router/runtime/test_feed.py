"""The feed: what goes in on the router's side comes out as entries on the journal's."""

import pytest
from hypothesis import given

from clasp_journal.entry import EntryKind, JournalEntry
from router.runtime.feed import CLERKS_KINDS, Feed, feed_count
from router.runtime.feed_reading import read_feed
from router.wire.messages import Set
from tests.router.runtime.history import Recorded, entry_of, packed, packet, session, sets
from tests.router.runtime.recorded import runs


@pytest.mark.property
@given(runs)
def test_what_was_recorded_is_what_is_read(recorded):
    """Every entry has everything that the message, its session and its moment say, in order."""
    assert list(read_feed(packet(recorded))) == [entry_of(one) for one in recorded]


@pytest.mark.property
@given(runs)
def test_a_packet_tells_how_many_entries_it_holds(recorded):
    """The count can be had without reading the packet."""
    assert feed_count(packet(recorded)) == len(recorded)


def test_a_packet_stands_for_itself():
    """The second packet of a session introduces it again."""
    feed, who = Feed(), session(5, "subject", "name")
    feed.add(who, (packed(Set("/a", b"\x00", 1)),), 10)
    feed.take()
    feed.add(who, (packed(Set("/a", b"\x00", 2)),), 10)
    (entry,) = read_feed(feed.take())
    assert (entry.author, entry.name, entry.timestamp, entry.revision) == ("subject", "name", 10, 2)


def test_an_empty_feed_has_no_packet():
    """Neither at first nor after everything was taken."""
    feed = Feed()
    assert feed.take() is None
    feed.add(session(1), (packed(Set("/a", b"\x00", 1)),), 1)
    assert feed.take() is not None
    assert feed.take() is None


def test_a_feed_tells_how_much_waits_in_it():
    """Size and count grow with what is added, whenever one asks, and begin anew with a packet."""
    feed = Feed()
    whole = sets(5)
    for at, one in enumerate(whole, start=1):
        feed.add(one.who, (packed(one.what),), one.now)
        assert feed.count == at
    size_bytes = feed.size_bytes
    assert sum(len(packed(one.what)) for one in whole) < size_bytes <= len(feed.take())
    assert (feed.count, feed.size_bytes) == (0, 0)


def test_a_feed_knows_who_has_written():
    """Those sessions have to wait when the journal is behind."""
    feed = Feed()
    for one in (Recorded(Set("/a", b"\x00", 1), session(number), 1) for number in (3, 4, 3)):
        feed.add(one.who, (packed(one.what),), one.now)
    assert set(feed.writers()) == {3, 4}
    feed.take()
    assert set(feed.writers()) == set()


def test_lock_bits_are_not_remembered():
    """A lock ends with its holder; what was set stays."""
    who = session(1)
    locked = Set("/a", b"\x01\x01", 4, lock=True, unlock=True)
    (entry,) = read_feed(packet([Recorded(locked, who, 1)]))
    assert entry == entry_of(Recorded(Set("/a", b"\x01\x01", 4), who, 1))


@pytest.mark.parametrize("kind", sorted(CLERKS_KINDS))
def test_the_clerks_kinds_do_not_come_through_a_feed(kind):
    """Otherwise nobody could count in a journal which packets are in it."""
    with pytest.raises(ValueError, match=EntryKind(kind).name):
        Feed().add_entry(JournalEntry(1, "", "", kind))
