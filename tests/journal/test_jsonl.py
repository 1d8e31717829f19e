"""An entry as JSON and back, to the bit."""

import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry, Phase, SignalType
from clasp_journal.errors import BadValue
from clasp_journal.jsonl import entry_of, json_of, object_of, value_of

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
KEYS = st.sampled_from(["$bytes", "$float", "$map", "$", "a"]) | TEXTS
FLOATS = st.floats(allow_nan=False) | st.just(math.nan)
"""Of the many bit patterns of NaN only the usual one is a JSON value; entries carry the others beside it."""
SCALARS = st.none() | st.booleans() | INTEGERS | FLOATS | TEXTS | st.binary(max_size=12)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
UNUSUAL = st.sampled_from(
    [
        b"\x02\x05",
        b"\x03\x00\x05",
        b"\x04\x00\x00\x00\x05",
        b"\x06" + struct.pack(">f", 0.5),
        b"\x07\x7f\xf8\x00\x00\x00\x00\x00\x01",
        b"\x0b\x00\x02\x00\x01a\x00\x00\x01a\x00",
    ]
)
ENCODED = st.none() | VALUES.map(values.encode) | UNUSUAL
SAMPLES = st.none() | st.lists(st.integers(0, 2**64 - 1), max_size=4).map(
    lambda bits: struct.pack(f">{len(bits)}Q", *bits)
)
POSITIVE = st.integers(0, 2**63 - 1)
ENTRIES = st.builds(
    JournalEntry,
    timestamp=POSITIVE,
    author=TEXTS,
    address=TEXTS.map(lambda text: "/" + text) | st.just(""),
    kind=st.sampled_from(EntryKind),
    signal_type=st.none() | st.sampled_from(SignalType),
    encoded=ENCODED,
    revision=st.none() | POSITIVE,
    seq=POSITIVE,
    ttl=st.none() | st.integers(0, 2**32 - 1),
    samples=SAMPLES,
    rate=st.none() | POSITIVE,
    gesture_id=st.none() | POSITIVE,
    phase=st.none() | st.sampled_from(Phase),
    sent=st.none() | POSITIVE,
    name=st.none() | TEXTS,
    details=ENCODED,
)


@pytest.mark.property
@given(entry=ENTRIES)
def test_an_entry_comes_back_as_it_was(entry):
    """Through a line of JSON and back, nothing is lost: not a type, not a bit of a NaN, not an absence."""
    line = json.dumps(object_of(entry), ensure_ascii=False, allow_nan=False)
    assert "\n" not in line
    assert entry_of(json.loads(line)) == entry


@pytest.mark.property
@given(value=VALUES)
def test_a_value_comes_back_as_it_was(value):
    """Integers as integers, floats as floats, maps in their order."""
    back = value_of(json.loads(json.dumps(json_of(value), allow_nan=False)))
    assert values.encode(back) == values.encode(value)


def test_what_json_has_no_word_for_has_its_own():
    """Bytes, the floats beyond numbers, and maps that look like either."""
    assert json_of(b"\x00\xff") == {"$bytes": "AP8="}
    assert [json_of(number) for number in (math.nan, math.inf, -math.inf)] == [
        {"$float": "nan"},
        {"$float": "inf"},
        {"$float": "-inf"},
    ]
    assert json_of({"$float": "nan", "b": 1}) == {"$map": {"$float": "nan", "b": 1}}


def test_the_keys_are_stable():
    """Nine that every entry with a value has, in this order; the rest only where there is something."""
    entry = JournalEntry.from_set("/a", 1, author="desk", timestamp=5, revision=2)
    assert list(object_of(entry, str)) == [
        *("seq", "timestamp", "time", "op", "signal", "address", "value", "revision", "author")
    ]
    assert object_of(entry, str)["time"] == "5"


@pytest.mark.parametrize(
    "loaded",
    [
        {},
        {"op": "sett"},
        {"op": 7},
        {"op": "set", "timestamp": "now"},
        {"op": "set", "signal": "noise"},
        {"op": "set", "address": 5},
        {"op": "set", "value": {"$bytes": "%"}},
        {"op": "set", "value": {"$what": 1}},
        {"op": "set", "value": 2**70},
        {"op": "set", "encoded": "//8="},
        {"op": "publish", "samples": ["a"]},
        {"op": "set", "phase": 3},
    ],
)
def test_what_is_no_entry_is_refused(loaded):
    """Whatever somebody wrote into a file, the answer is `BadValue`."""
    with pytest.raises(BadValue):
        entry_of(loaded)
