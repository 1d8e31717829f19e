"""Journal entries on the wire: whole, and in portions that fit."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry, Phase
from clasp_journal.errors import BadInput
from router.wire import codec, messages
from router.wire.codes import WireError
from tests.router.wire.strategies import entries, texts

MARK = JournalEntry(5, "anna", "", EntryKind.MARK, seq=3)


def travelled(entry: JournalEntry) -> JournalEntry:
    """The entry behind the wire."""
    (arrived,) = codec.decode(codec.encode(messages.Entries(1, "e", 9, [entry]))).entries
    return arrived


@pytest.mark.property
@given(entries)
def test_an_entry_arrives_with_every_field(entry):
    """Also with details whose keys are the wire's own."""
    assert travelled(entry) == entry


@pytest.mark.property
@given(st.lists(entries, max_size=5), texts)
def test_a_sender_knows_the_size_beforehand(several, epoch):
    """Head and encoded entries add up to the payload; joining them is encoding the message."""
    encoded = [codec.encode_entry(entry) for entry in several]
    message = messages.Entries(1, epoch, 9, several, caught_up=True)
    payload = codec.encode(message)
    assert len(payload) == codec.entries_head_bytes(epoch) + sum(map(len, encoded))
    assert codec.encode_entries(message, encoded) == payload


def with_extra(**extra: values.Value) -> bytes:
    """An ENTRIES payload of one entry with this map behind it."""
    head = b"\x25\x01\x00" + bytes(4) + b"\x00\x00" + bytes(8) + b"\x00\x01"
    entry = struct.pack(">QQBB", 1, 2, 0x20, 1) + b"\x00\x00" + b"\x00\x02/a" + b"\x08"
    return head + entry + values.encode(extra)[1:]


def test_the_keys_of_the_map_are_the_documented_ones():
    """What a PUBLISH carries beyond its value, by name; the rest are details."""
    payload = with_extra(sent=-1, id=7, phase=2, rate=60, ttl=30, name="desk", rule="old")
    (entry,) = codec.decode(payload).entries
    assert entry.sent == (1 << 64) - 1
    assert (entry.gesture_id, entry.phase, entry.rate, entry.ttl) == (7, Phase.END, 60, 30)
    assert (entry.name, entry.details) == ("desk", values.encode({"rule": "old"}))


@pytest.mark.parametrize(
    "extra",
    [
        {"id": -1},
        {"id": True},
        {"rate": 1.0},
        {"ttl": 1 << 32},
        {"phase": "move"},
        {"name": 1},
        {"details": 1},
    ],
    ids=str,
)
def test_a_key_of_the_wrong_type_is_refused(extra):
    """A number is a number, a name is a text."""
    with pytest.raises(WireError):
        codec.decode(with_extra(**extra))


def test_a_phase_that_does_not_exist_yet_is_a_start():
    """As in PUBLISH."""
    (entry,) = codec.decode(with_extra(phase=9)).entries
    assert entry.phase == Phase.START


def test_details_that_clash_travel_whole():
    """A mark may have a name of its own beside the client's."""
    mark = MARK._replace(name="desk", details=values.encode({"name": "doors open", "sent": [1]}))
    assert travelled(mark) == mark
    bare = MARK._replace(details=values.encode({}))
    assert travelled(bare) == bare


def test_a_kind_that_nobody_knows_is_refused():
    """It would have to be kept, and there is no place for it."""
    payload = codec.encode(messages.Entries(1, "e", 9, [MARK]))
    with pytest.raises(WireError, match="0xee"):
        codec.decode(payload.replace(b"\xe1\xff", b"\xee\xff"))


@pytest.mark.parametrize(
    "fields",
    [
        {"seq": 1 << 64},
        {"sent": -1},
        {"sent": 1 << 64},
        {"rate": 1 << 32},
        {"author": "\ud800"},
        {"details": values.NULL},
        {"samples": b"x"},
    ],
    ids=str,
)
def test_an_entry_that_does_not_fit_is_not_sent(fields):
    """The sender is told."""
    with pytest.raises(BadInput):
        codec.encode_entry(MARK._replace(**fields))


def test_more_than_a_payload_of_entries_is_not_sent():
    """Portions are the sender's business."""
    encoded = [codec.encode_entry(MARK)] * 3000
    with pytest.raises(BadInput, match="65535"):
        codec.encode_entries(messages.Entries(1, "e", 9), encoded)
