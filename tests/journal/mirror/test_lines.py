"""An entry as the text of a line, and back, to the bit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.errors import BadValue
from clasp_journal.jsonl import entry_of
from clasp_journal.mirror.lines import body_of, entry_of_body
from tests.journal.test_jsonl import ENTRIES

ODD = st.sampled_from([b"", b"\x99", b"\x07\x00", b"\x08\x00\x05ab", b"\x0b"])


def there_and_back(entry: JournalEntry) -> JournalEntry:
    """What becomes of an entry that is a line for a while."""
    return entry_of_body(body_of(entry, entry.seq).encode("ascii"))


@pytest.mark.property
@given(ENTRIES)
def test_an_entry_survives_being_a_line(entry):
    """Whatever it holds, under its number."""
    assert there_and_back(entry) == entry


@pytest.mark.property
@given(ENTRIES, ODD, ODD)
def test_an_entry_survives_even_if_its_bytes_are_no_values(entry, encoded, details):
    """What no decoder takes is carried as it is."""
    odd = entry._replace(encoded=encoded, details=details)
    assert there_and_back(odd) == odd


@pytest.mark.property
@given(ENTRIES, st.integers(0x30, 0x7F), st.integers(5, 200))
def test_kinds_of_a_later_version_survive(entry, kind, signal):
    """Numbers that have no name yet stay the numbers that they are."""
    odd = entry._replace(kind=kind, signal_type=signal)
    assert there_and_back(odd) == odd


@pytest.mark.property
@given(st.integers(0, 2**62), st.floats(allow_nan=False), st.integers(0, 2**62))
def test_the_plain_set_of_a_float_is_exact(seq, number, revision):
    """The most common entry has a short way in both directions, to the same result."""
    entry = JournalEntry.from_set("/a/b", number, author="desk", timestamp=seq, revision=revision)
    assert there_and_back(entry._replace(seq=seq)) == entry._replace(seq=seq)


@pytest.mark.property
@given(ENTRIES, st.integers(0, 2**62))
def test_a_line_is_one_line_of_ascii_under_a_number_of_choice(entry, seq):
    """The number that an entry carries itself does not matter."""
    body = body_of(entry, seq)
    assert body.isascii()
    assert body.isprintable()
    assert entry_of_body(body.encode()).seq == seq


def test_a_line_reads_like_an_export():
    """The keys are those that an import understands."""
    entry = JournalEntry.from_set("/a", [1, 2.5], author="desk", timestamp=7, revision=2)
    assert body_of(entry, 3) == (
        '{"seq":3,"timestamp":7,"op":"set","signal":"param","address":"/a","value":[1,2.5],"revision":2,"author":"desk"'
    )
    assert entry_of({"op": "mark", "timestamp": 1}) == there_and_back(JournalEntry(1, "", "", EntryKind.MARK))


@pytest.mark.parametrize("body", [b"", b"{", b'{"seq":1', b'{"seq":1,"op":"dance"', b'{"exact":3', b"[1"])
def test_what_is_no_entry_is_refused(body):
    """With an error of ours."""
    with pytest.raises(BadValue):
        entry_of_body(body)


def test_a_signal_of_a_publish_is_told():
    """By its name."""
    entry = JournalEntry.from_publish("/a", 1, timestamp=1, signal_type=SignalType.GESTURE)
    assert '"op":"publish","signal":"gesture"' in body_of(entry, 1)
