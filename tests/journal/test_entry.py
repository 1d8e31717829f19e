"""An entry is what it was to the bit, and says what it is in plain words."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.entry import (
    TTL_NEVER,
    EntryKind,
    JournalEntry,
    ParamSnapshot,
    SignalType,
    absolute_ttl,
    sliding_ttl,
    ttl_is_absolute,
    ttl_s,
)
from clasp_journal.errors import BadValue


def test_a_set_is_made_from_a_python_value() -> None:
    """The short form knows what a SET is: a param, kind 0x21, not yet numbered."""
    entry = JournalEntry.from_set("/a", 1.5, author="desk", timestamp=7, revision=3)
    assert (entry.msg_type, entry.signal_type, entry.value) == (0x21, SignalType.PARAM, 1.5)
    assert (entry.author, entry.timestamp, entry.revision, entry.seq) == ("desk", 7, 3, 0)


def test_a_publish_is_made_from_a_python_value() -> None:
    """It is an event unless said otherwise, and has no revision."""
    entry = JournalEntry.from_publish("/a", {"go": True}, timestamp=7)
    assert (entry.msg_type, entry.signal_type, entry.revision) == (0x20, SignalType.EVENT, None)
    assert entry.value == {"go": True}
    stream = JournalEntry.from_publish("/a", 1, timestamp=7, signal_type=SignalType.STREAM)
    assert stream.signal_type == SignalType.STREAM


def test_a_value_that_no_wire_carries_makes_no_entry() -> None:
    """What cannot be encoded is refused when the entry is made, not when it is stored."""
    with pytest.raises(BadValue):
        JournalEntry.from_set("/a", 2**63, timestamp=0)


def test_null_and_nothing_look_alike_only_to_python() -> None:
    """Both have the value None; their bytes tell them apart, and so does equality."""
    null = JournalEntry.from_set("/a", None, timestamp=0)
    nothing = null._replace(encoded=None)
    assert null.value is None
    assert nothing.value is None
    assert null != nothing


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (0.0, -0.0), (True, 1), ("1", b"1"), ({"a": 1, "b": 2}, {"b": 2, "a": 1})],
)
def test_entries_that_differ_in_a_bit_are_different(one: object, other: object) -> None:
    """Type, sign and order of keys count, though Python calls some of these equal."""
    assert JournalEntry.from_set("/a", one, timestamp=0) != JournalEntry.from_set("/a", other, timestamp=0)


def test_a_nan_equals_itself_in_an_entry() -> None:
    """To the bit means that two entries with the same NaN are the same, and with another NaN are not."""
    one, same, other = (
        JournalEntry.from_set("/a", None, timestamp=0)._replace(encoded=b"\x07" + struct.pack(">Q", bits))
        for bits in (0x7FF8000000000001, 0x7FF8000000000001, 0x7FF8000000000002)
    )
    assert one == same
    assert one != other


def test_the_kinds_have_the_numbers_of_the_wire() -> None:
    """These are stored and sent: they never change."""
    numbers = {kind.name: int(kind) for kind in EntryKind}
    assert numbers == {
        "PUBLISH": 0x20,
        "SET": 0x21,
        "EXPIRE": 0xE0,
        "MARK": 0xE1,
        "FORGET": 0xE2,
        "GAP": 0xE3,
        "REMOVED": 0xE4,
    }


def test_a_param_without_a_value_is_a_tombstone() -> None:
    """A param that holds null is alive."""
    alive = ParamSnapshot("/a", b"\x00", 1, "desk", 0)
    gone = ParamSnapshot("/a", None, 1, "desk", 0)
    assert not alive.is_tombstone
    assert gone.is_tombstone
    assert alive.value is gone.value is None


@given(st.integers(0, 2**31 - 1))
def test_a_ttl_word_says_how_long_and_from_when(seconds: int) -> None:
    """Sliding and absolute words keep their seconds and are told apart."""
    assert ttl_s(sliding_ttl(seconds)) == ttl_s(absolute_ttl(seconds)) == seconds
    assert ttl_is_absolute(absolute_ttl(seconds))
    assert not ttl_is_absolute(sliding_ttl(seconds))


def test_never_is_the_ttl_of_no_seconds() -> None:
    """A param that never expires has a word of its own, and it is zero."""
    assert sliding_ttl(0) == TTL_NEVER == 0
