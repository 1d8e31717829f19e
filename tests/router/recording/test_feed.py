"""The feed: what goes in on the router's side comes out as entries on the journal's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.short import Plain
from clasp_journal.value import encode
from router.recording import feed_reading
from router.recording.feed import CLERKS_KINDS, Feed, feed_count, join_packets
from router.recording.feed_reading import read_feed
from router.wire.messages import Publish, Set
from tests.router.recording.history import SOMEBODY, Recorded, entry_of, packed, packet, session
from tests.router.recording.recorded import runs

FLOAT = encode(0.5)


@pytest.mark.property
@given(runs)
def test_what_was_recorded_is_what_is_read(recorded):
    """Every entry has everything that the message, its session and its moment say, in order."""
    assert list(read_feed(packet(recorded))) == [entry_of(one) for one in recorded]


@pytest.mark.property
@given(runs)
def test_what_comes_again_is_read_as_it_was_the_first_time(recorded):
    """Frames that are known by how they begin become the same entries, among any others."""
    twice = recorded * 2
    assert list(read_feed(packet(twice))) == [entry_of(one) for one in twice]


@pytest.mark.parametrize(
    "bits", ["7ff8000000000001", "7ff0000000000000", "8000000000000000", "3fe0000000000000"]
)
@pytest.mark.parametrize("length", [1, 99, 100, 101, 107, 108, 109, 110, 300])
def test_a_float_of_any_kind_at_an_address_of_any_length_is_read_to_the_bit(bits, length):
    """However wide the frame, and whichever float made its beginning known."""
    address, value = "/" + "a" * length, b"\x07" + bytes.fromhex(bits)
    first = [Set(address, FLOAT, 1), Publish(address, SignalType.STREAM, FLOAT)]
    again = [Set(address, value, 2), Publish(address, SignalType.STREAM, value)]
    others = [Set(address, value, 3, ttl=60), Publish(address, SignalType.GESTURE, value, gesture_id=1)]
    others += [Publish(address, SignalType.EVENT, value, timestamp=5), Set(address, b"\x05" + bytes(8), 4)]
    recorded = [Recorded(what, SOMEBODY, 9) for what in first + again + others]
    assert list(read_feed(packet(recorded))) == [entry_of(one) for one in recorded]


def test_what_is_known_is_told_in_short():
    """A float that was set or sent before, at the same address, in the same way."""
    messages = [Set("/short", FLOAT, 1), Publish("/short", SignalType.STREAM, FLOAT)] * 2
    entries = list(read_feed(packet([Recorded(what, SOMEBODY, 9) for what in messages])).short())
    assert [type(entry) for entry in entries] == [JournalEntry, JournalEntry, Plain, Plain]


def test_what_is_known_is_bounded(monkeypatch):
    """Too many addresses are forgotten, and read all the same."""
    monkeypatch.setattr(feed_reading, "ADDRESSES_KEPT", 3)
    recorded = [Recorded(Set(f"/{n % 5}", FLOAT, n), SOMEBODY, n) for n in range(20)]
    assert list(read_feed(packet(recorded))) == [entry_of(one) for one in recorded]
    assert 0 < len(feed_reading._heads) <= 3


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


@pytest.mark.property
@given(st.lists(runs, min_size=1, max_size=4))
def test_packets_in_a_row_are_read_as_one(several):
    """What is in them, in order, and how much it is."""
    joined = join_packets([packet(recorded) for recorded in several])
    whole = [one for recorded in several for one in recorded]
    assert list(read_feed(joined)) == [entry_of(one) for one in whole]
    assert feed_count(joined) == len(whole)


def test_a_session_may_have_another_author_in_the_next_packet():
    """Also where both packets are made one."""
    before, after = (
        packet([Recorded(Set("/a", FLOAT, at), session(5, who), at)])
        for at, who in ((1, "one"), (2, "other"))
    )
    assert [entry.author for entry in read_feed(join_packets([before, after]))] == ["one", "other"]


def test_an_empty_feed_has_no_packet():
    """Neither at first nor after everything was taken."""
    feed = Feed()
    assert feed.take() is None
    feed.add(session(1), (packed(Set("/a", b"\x00", 1)),), 1)
    assert feed.take() is not None
    assert feed.take() is None


def test_a_feed_knows_who_wrote_its_last_packet():
    """Those sessions have to wait when the journal is behind."""
    feed = Feed()
    for one in (Recorded(Set("/a", b"\x00", 1), session(number), 1) for number in (3, 4, 3)):
        feed.add(one.who, (packed(one.what),), one.now)
    feed.take()
    assert set(feed.writers) == {3, 4}


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
