"""Values and their bytes: nothing changes on the way, and no bytes do harm."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.errors import BadValue
from clasp_journal.value import DEPTH_MAX, LENGTH_MAX, ValueType
from tests.router.wire.strategies import any_encoded, any_values, mutated


def same(one: object, other: object) -> bool:
    """Equality that tells 1 from 1.0 from True, 0.0 from -0.0, and keeps the order of keys."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack(">d", one) == struct.pack(">d", other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return one == other


@pytest.mark.property
@given(any_values)
def test_a_value_survives_its_bytes(value):
    """Types, NaN, signs of zero, bytes and the order of maps."""
    encoded = values.encode(value)
    assert same(values.decode(encoded), value)
    values.validate(encoded)


@pytest.mark.property
@given(any_encoded)
def test_narrow_bytes_decode_and_become_canonical(encoded):
    """What is encoded again is canonical, and stays as it is from then on."""
    canonical = values.encode(values.decode(encoded))
    assert values.encode(values.decode(canonical)) == canonical


def outcome(work, *arguments):
    """What a call gives, or that it refuses."""
    try:
        return work(*arguments)
    except BadValue:
        return BadValue


@pytest.mark.property
@given(st.one_of(st.binary(max_size=40), any_encoded.flatmap(mutated)))
def test_any_bytes_give_a_value_or_a_refusal_and_all_ways_agree(data):
    """`skip` and `read` end at the same place or both refuse; so do `validate` and `decode`."""
    skipped = outcome(lambda: values.skip(data[0], data, 1)) if data else BadValue
    read = outcome(values.read, data, 0)
    assert skipped == (read if read is BadValue else read[1])
    assert (outcome(values.validate, data) is BadValue) == (outcome(values.decode, data) is BadValue)


@pytest.mark.property
@given(any_encoded, st.binary(max_size=9), st.binary(max_size=9))
def test_a_value_is_found_in_the_middle_of_other_bytes(encoded, before, after):
    """Offsets are the caller's; what follows is not touched."""
    data = before + encoded + after
    start = len(before)
    end = start + len(encoded)
    assert values.skip(data[start], data, start + 1) == end
    assert values.read(data, start)[1] == end


def nested(depth: int) -> bytes:
    """An array in an array, and so on; null in the middle."""
    return b"\x0a\x00\x01" * depth + b"\x00"


def test_the_deepest_value_passes_and_one_deeper_does_not():
    """Reading, skipping and writing share the limit."""
    values.validate(nested(DEPTH_MAX))
    deepest = values.decode(nested(DEPTH_MAX))
    assert values.encode(deepest) == nested(DEPTH_MAX)
    for work, what in (
        (values.decode, nested(33)),
        (values.validate, nested(33)),
        (values.encode, [deepest]),
    ):
        with pytest.raises(BadValue, match="deeper"):
            work(what)


def test_a_bottomless_value_is_refused_without_recursing():
    """Twenty thousand levels are refused like thirty-three."""
    for prefix in (b"\x0a\x00\x01", b"\x0b\x00\x01\x00\x01k"):
        with pytest.raises(BadValue, match="deeper"):
            values.validate(prefix * 20_000)


@pytest.mark.parametrize("kind", [ValueType.ARRAY, ValueType.MAP, ValueType.STRING, ValueType.BYTES])
def test_a_count_is_only_believed_as_far_as_there_are_bytes(kind):
    """65,535 claimed, none there."""
    with pytest.raises(BadValue):
        values.decode(bytes((kind, 0xFF, 0xFF)))


@pytest.mark.parametrize("kind", [0x0C, 0x10, 0x80, 0xFF])
def test_unassigned_types_are_refused_by_name(kind):
    """There is no type above map."""
    with pytest.raises(BadValue, match=f"0x{kind:02x}"):
        values.validate(bytes((kind, 0, 0)))


@pytest.mark.parametrize(
    "value",
    [
        1 << 63,
        -(1 << 63) - 1,
        "x" * (LENGTH_MAX + 1),
        bytes(LENGTH_MAX + 1),
        [None] * (LENGTH_MAX + 1),
        {"x" * (LENGTH_MAX + 1): None},
        {1: None},
        "\ud800",
        {"\ud800": None},
        {1, 2},
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_the_wire_cannot_carry_is_refused(value):
    """Too large, too long, or nothing that CLASP knows."""
    with pytest.raises(BadValue):
        values.encode(value)


def test_the_edges_fit():
    """The largest and smallest that there are."""
    for value in ((1 << 63) - 1, -(1 << 63), "x" * LENGTH_MAX, bytes(LENGTH_MAX)):
        assert values.decode(values.encode(value)) == value


def test_tuples_and_other_mappings_are_welcome():
    """They come back as lists and dicts."""
    assert values.decode(values.encode((1, memoryview(b"x"), bytearray(b"y")))) == [1, b"x", b"y"]


@pytest.mark.parametrize("data", [b"", b"\x08\x00\x01\xff", b"\x0b\x00\x01\x00\x01\xff\x00", b"\x00\x00"])
def test_nothing_bad_text_and_leftovers_are_refused(data):
    """By `decode` and by `validate`."""
    for work in (values.decode, values.validate):
        with pytest.raises(BadValue):
            work(data)


def test_a_repeated_key_has_its_last_value():
    """As published peers read it."""
    twice = b"\x0b\x00\x02" + b"\x00\x01k\x01\x00" + b"\x00\x01k\x01\x01"
    assert values.decode(twice) == {"k": True}


def test_every_nan_keeps_its_bits():
    """A NaN can carry a message; we are not the ones to read it."""
    for bits in ("7ff8000000000000", "fff8000000000001", "7ff8deadbeef0001"):
        encoded = b"\x07" + bytes.fromhex(bits)
        decoded = values.decode(encoded)
        assert math.isnan(decoded)
        assert values.encode(decoded) == encoded
