"""The MessagePack dialect: the same messages, strictly read."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.entry import Phase, SignalType, absolute_ttl
from clasp_journal.errors import BadInput
from router.wire import codec, legacy, messages
from router.wire.codes import WireError
from tests.router.wire.strategies import any_values, legacy_messages, mutated


def decoded(**keys):
    """The message of a map with these keys."""
    return codec.decode(msgpack.packb(keys))


def refused(payload):
    """What is said about a payload that must be refused with 101."""
    with pytest.raises(WireError) as refusal:
        codec.decode(payload)
    assert refusal.value.code == 101
    return str(refusal.value)


def code_of(payload):
    """The code with which a payload is refused; None if it is a message."""
    try:
        codec.decode(payload)
    except WireError as refusal:
        return refusal.code
    return None


@pytest.mark.property
@given(legacy_messages)
def test_every_message_survives_the_dialect(message):
    """What MessagePack can say comes back as it was, and goes on in binary as the same message."""
    assert codec.decode(legacy.encode(message)) == message
    assert codec.decode(codec.encode(message)) == message


@pytest.mark.property
@given(legacy_messages.flatmap(lambda message: mutated(legacy.encode(message))))
def test_tampered_maps_are_refused_or_understood(payload):
    """A message or a WireError, nothing else."""
    assert code_of(payload) in (None, 101)


trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats()
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=6,
)
TEXT_KEYS = ["address", "pattern", "op", "namespace", "session", "name", "phase", "message"]
NUMBER_KEYS = ["id", "revision", "timestamp", "time", "version", "code", "t1", "from", "limit", "rate"]
OTHER_KEYS = ["value", "payload", "samples", "signal", "types", "options", "messages", "params", "signals"]
MORE_KEYS = ["ttl", "meta", "lock", "features", "timeline", "revisions", "patterns"]
KEYS = TEXT_KEYS + NUMBER_KEYS + OTHER_KEYS + MORE_KEYS


@pytest.mark.property
@given(
    st.sampled_from(
        ("HELLO", "ANNOUNCE", "SUBSCRIBE", "PUBLISH", "SET", "SNAPSHOT", "FEDERATION_SYNC", "BUNDLE")
    ),
    st.dictionaries(st.sampled_from(KEYS), trees),
)
def test_keys_with_anything_in_them_are_refused_or_understood(name, keys):
    """Every key may hold a value of any type."""
    assert code_of(msgpack.packb({"type": name, **keys})) in (None, 101)


@pytest.mark.property
@given(any_values.filter(lambda value: value is not None))
def test_values_become_clasp_bytes(value):
    """Integers stay integers, bytes stay bytes, order is kept."""
    assert decoded(type="SET", address="/a", value=value).encoded == values.encode(value)


def test_a_number_beyond_signed_64_bits_becomes_a_float():
    """CLASP has no larger integers; the nearest float is what published routers make of it."""
    assert decoded(type="SET", address="/a", value=[1 << 63, (1 << 63) - 1]).value == [2.0**63, (1 << 63) - 1]


def test_nil_is_a_value_for_set_and_nothing_for_publish():
    """And a nil value gives way to the payload."""
    assert decoded(type="SET", address="/a", value=None).encoded == values.NULL
    assert decoded(type="PUBLISH", address="/a", value=None).encoded is None
    assert decoded(type="PUBLISH", address="/a", value=None, payload=1).value == 1
    assert decoded(type="PUBLISH", address="/a", value=2, payload=1, samples=[1.0]).value == 2


def test_a_publish_without_signal_is_an_event():
    """Other fields have their defaults, too."""
    assert decoded(type="PUBLISH", address="/a") == messages.Publish(
        "/a", SignalType.EVENT, phase=Phase.START
    )


def test_both_spellings_are_accepted():
    """`max_rate` and `maxRate`, `correlation_id` and `correlationId`."""
    for key in ("max_rate", "maxRate"):
        assert decoded(type="SUBSCRIBE", id=1, pattern="/a", options={key: 5}).options.max_rate == 5
    for key in ("correlation_id", "correlationId"):
        assert decoded(type="ACK", **{key: 5}).correlation_id == 5


def test_unknown_keys_and_features_and_trailing_bytes_are_ignored():
    """Newer peers may say more than we know."""
    payload = msgpack.packb(
        {"type": "HELLO", "version": 9, "name": "n", "features": ["param", "x"], "x": [1]}
    )
    assert codec.decode(payload + b"\xc1") == messages.Hello("n", 9, 0x80)


def test_a_time_to_live_has_three_spellings():
    """And no others."""
    assert decoded(type="SET", address="/a", value=1, ttl="Never").ttl == 0
    assert decoded(type="SET", address="/a", value=1, ttl={"Sliding": 30}).ttl == 30
    assert decoded(type="SET", address="/a", value=1, ttl={"Absolute": 30}).ttl == absolute_ttl(30)
    for ttl in (30, "never", {}, {"Sliding": 1, "Absolute": 1}, {"Sliding": 1 << 31}, {"Sliding": None}, [1]):
        refused(msgpack.packb({"type": "SET", "address": "/a", "value": 1, "ttl": ttl}))


def test_a_timeline_becomes_the_value_that_all_peers_understand():
    """Binary has no slot for it; the map keeps what it said in the dialect's own words."""
    timeline = {"keyframes": [{"time": 0, "value": 1.0, "easing": "linear"}], "loop_": False}
    message = decoded(type="PUBLISH", address="/t", signal="timeline", timeline=timeline)
    assert values.decode(message.timeline) == timeline
    assert message.value == {"keyframes": timeline["keyframes"], "loop": False}
    assert codec.decode(legacy.encode(message)) == message
    assert codec.decode(codec.encode(message)).value == message.value


def repeated(keys: bytes) -> bytes:
    """A GET with one key more."""
    return b"\x83\xa4type\xa3GET\xa7address\xa2/v" + keys


def test_a_repeated_key_is_refused_in_messages_only():
    """In a value the last one counts, as in binary values."""
    assert "twice" in refused(repeated(b"\xa7address\xa2/w"))
    payload = b"\x83\xa4type\xa3SET\xa7address\xa2/v\xa5value\x82\xa1k\x01\xa1k\x02"
    assert codec.decode(payload).value == {"k": 2}


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"type": 0x21},
        {"type": "set", "address": "/a", "value": 1},
        {"type": "ENTRIES"},
        {"type": "SET", "address": "/a"},
        {"type": "SET", "value": 1},
        {"type": "SET", "address": b"/a", "value": 1},
        {"type": "SET", "address": "/a", "value": {1: 2}},
        {"type": "SET", "address": "/a", "value": msgpack.ExtType(5, b"x")},
        {"type": "SET", "address": "/a", "value": msgpack.Timestamp(1)},
        {"type": "SET", "address": "/a", "value": 1, "lock": 1},
        {"type": "SET", "address": "/a", "value": 1, "revision": True},
        {"type": "SET", "address": "/a", "value": 1, "revision": 1.0},
        {"type": "SUBSCRIBE", "id": -1, "pattern": "/a"},
        {"type": "SUBSCRIBE", "id": 1 << 32, "pattern": "/a"},
        {"type": "SUBSCRIBE", "id": 1, "pattern": "/a", "types": ["Param"]},
        {"type": "SUBSCRIBE", "id": 1, "pattern": "/a", "types": "param"},
        {"type": "SUBSCRIBE", "id": 1, "pattern": "/a", "types": [1]},
        {"type": "SUBSCRIBE", "id": 1, "pattern": "/a", "options": []},
        {"type": "SUBSCRIBE", "id": 1, "pattern": "/a", "options": {"epsilon": "x"}},
        {"type": "PUBLISH", "address": "/a", "signal": "Event"},
        {"type": "PUBLISH", "address": "/a", "samples": [True]},
        {"type": "ANNOUNCE", "namespace": "/a", "signals": [1]},
        {"type": "ANNOUNCE", "namespace": "/a", "signals": [{"address": "/a"}]},
        {
            "type": "ANNOUNCE",
            "namespace": "/a",
            "signals": [{"address": "/a", "type": "param", "meta": {"range": [1]}}],
        },
        {"type": "FEDERATION_SYNC", "op": "Declare"},
        {"type": "BUNDLE", "timestamp": None},
        {"type": "BUNDLE", "messages": [{"type": "PING"}, {"type": "PONG", 1: 2}]},
        {"type": "HELLO", "name": "x"},
        {"type": "ERROR", "code": 1 << 16, "message": ""},
    ],
    ids=lambda keys: " ".join(map(str, keys.values()))[:40],
)
def test_what_is_missing_or_of_the_wrong_type_is_refused(keys):
    """By name, with code 101."""
    assert refused(msgpack.packb(keys))


def test_depth_has_an_end_in_values_and_in_bundles():
    """32 containers in a value, 4 bundles in each other; a thousand do no harm."""

    def nested(depth):
        return b"\x83\xa4type\xa3SET\xa7address\xa2/v\xa5value" + b"\x91" * depth + b"\xc0"

    assert codec.decode(nested(32)).value is not None
    for depth in (33, 60, 60_000):
        assert "deep" in refused(nested(depth))
    bundle = {"type": "PING"}
    for _ in range(4):
        bundle = {"type": "BUNDLE", "messages": [bundle]}
    assert isinstance(decoded(**bundle), messages.Bundle)
    assert "deeper" in refused(msgpack.packb({"type": "BUNDLE", "messages": [bundle]}))


@pytest.mark.parametrize(
    "marker", [b"\xdd\x7f\xff\xff\xff", b"\xdf\x7f\xff\xff\xff", b"\xdb\x7f\xff\xff\xff", b"\xdc\xff\xff"]
)
def test_a_count_is_only_believed_as_far_as_there_are_bytes(marker):
    """Two billion elements claimed, one there."""
    refused(b"\x83\xa4type\xa3SET\xa7address\xa2/v\xa5value" + marker + b"\x01")


@pytest.mark.parametrize("payload", [b"\x81", b"\xde", b"\x81\xa4typ", b"\x81\xa1\xff\x01", b"\x81\xc1\x01"])
def test_broken_maps_are_refused(payload):
    """Cut off, not UTF-8, or with a byte that MessagePack never uses."""
    refused(payload)


@pytest.mark.parametrize(
    "message",
    [
        messages.JournalDo(1, "mark"),
        messages.Replay("/a", extension=messages.ReplayExtension()),
        messages.Sync(1 << 64),
    ],
    ids=lambda message: type(message).__name__,
)
def test_the_journal_extension_has_no_form_in_the_dialect(message):
    """Nor has a number that is too large."""
    with pytest.raises(BadInput):
        legacy.encode(message)
