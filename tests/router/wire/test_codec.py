"""Payloads and messages: nothing is lost on the way, and no bytes do harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.entry import ParamSnapshot, SignalType
from clasp_journal.errors import BadInput
from router.wire import codec, messages
from router.wire.codes import WireError
from router.wire.frame import decode_frame, encode_frame
from tests.router.wire.strategies import any_messages, mutated


@pytest.mark.property
@given(any_messages)
def test_every_message_survives_its_bytes(message):
    """All fields of all messages, bundled or not, narrow values included."""
    payload = codec.encode(message)
    assert codec.decode(payload) == codec.decode_binary(payload) == message
    assert codec.encode(codec.decode(payload)) == payload


def code_of(data):
    """The code with which a frame is refused; None if it is a message."""
    try:
        codec.decode(decode_frame(data).payload)
    except WireError as refusal:
        return refusal.code
    return None


@pytest.mark.property
@given(st.binary(max_size=60))
def test_garbage_is_refused_or_understood(data):
    """As a frame and as a payload: a message or a WireError, nothing else."""
    assert code_of(data) in (None, 100, 101)
    if data:
        assert code_of(encode_frame(data)) in (None, 101)


@pytest.mark.property
@given(any_messages.flatmap(lambda message: mutated(codec.encode(message))))
def test_tampered_payloads_are_refused_or_understood(payload):
    """A change anywhere gives another message or a WireError."""
    if payload:
        assert code_of(encode_frame(payload)) in (None, 101)


@pytest.mark.property
@given(any_messages.flatmap(lambda message: mutated(encode_frame(codec.encode(message), 1, 5))))
def test_tampered_frames_are_refused_or_understood(data):
    """A change in the header counts, too."""
    assert code_of(data) in (None, 100, 101)


@pytest.mark.property
@given(any_messages)
def test_no_prefix_of_a_payload_breaks_anything(message):
    """Wherever it is cut off it is refused, or is a message with fewer optional fields."""
    payload = codec.encode(message)
    for size in range(1, len(payload)):
        assert code_of(encode_frame(payload[:size])) in (None, 101)


def bundle_of_depth(depth: int) -> messages.Message:
    """A PING in so many bundles."""
    message: messages.Message = messages.Ping()
    for _ in range(depth):
        message = messages.Bundle([message])
    return message


def test_four_bundles_within_each_other_are_the_most():
    """Five are refused, by the reader and by the writer."""
    deepest = bundle_of_depth(4)
    payload = codec.encode(deepest)
    assert codec.decode(payload) == deepest
    with pytest.raises(BadInput, match="deeper"):
        codec.encode(bundle_of_depth(5))
    with pytest.raises(WireError, match="deeper"):
        codec.decode(b"\x30\x00\x00\x01" + len(payload).to_bytes(2, "big") + payload)


def test_a_map_inside_a_binary_bundle_is_no_message():
    """The dialect is told by the outermost byte alone."""
    inner = b"\x81\xa4type\xa4PING"
    assert codec.decode(inner) == messages.Ping()
    with pytest.raises(WireError, match="0x81"):
        codec.decode_binary(inner)
    with pytest.raises(WireError, match="0x81"):
        codec.decode(b"\x30\x00\x00\x01" + len(inner).to_bytes(2, "big") + inner)


NULL = values.NULL


@pytest.mark.parametrize(
    "message",
    [
        messages.Get("x" * 65_536),
        messages.Set("/a", values.encode(["x" * 40_000, "x" * 40_000])),
        messages.Unsubscribe(1 << 32),
        messages.Unsubscribe(-1),
        messages.Sync(1 << 64),
        messages.Error(1 << 16),
        messages.Hello(version=256),
        messages.Subscribe(1, "/a", 256),
        messages.Set("/a", NULL, ttl=1 << 32),
        messages.Get("\ud800"),
        messages.Publish("/a", samples=b"seven b"),
        messages.Publish("/a", samples=bytes(8 * 65_536)),
        messages.Snapshot([ParamSnapshot("/a", None, 1, "w", 1)]),
        messages.Bundle([messages.Ping()] * 65_536),
        messages.Bundle([messages.Get("x" * 65_535)]),
        messages.JournalDo(1, "mark", NULL),
        messages.Set("/a", b"\x10"),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_does_not_fit_is_not_sent(message):
    """Too long, too large, negative, not UTF-8: the sender is told, in words."""
    with pytest.raises(BadInput) as refusal:
        codec.encode(message)
    assert str(refusal.value)


def test_the_largest_payload_fits():
    """65,535 bytes do; one more does not."""
    encoded = values.encode("x" * (65_535 - 7))
    payload = codec.encode(messages.Set("/a"[:1], encoded))
    assert len(payload) == 65_535
    assert codec.decode(payload).encoded == encoded
    with pytest.raises(BadInput, match="65535"):
        codec.encode(messages.Set("/a", encoded))


def test_nothing_and_null_are_not_the_same():
    """A PUBLISH without a value stays without one."""
    for encoded in (None, NULL):
        message = codec.decode(codec.encode(messages.Publish("/a", encoded=encoded)))
        assert message.encoded == encoded
        assert message.value is None


def test_values_and_samples_decode_when_asked_for():
    """The bytes are carried; Python objects are made on demand."""
    assert messages.Set("/a", b"\x02\xff").value == -1
    assert messages.Publish("/a", samples=messages.pack_samples([0.5, 1])).sample_values == (0.5, 1.0)
    assert messages.Publish("/a").sample_values is None
    assert messages.JournalDo(1, "mark", values.encode({"name": "go"})).arguments == {"name": "go"}
    assert messages.JournalDone(1).result == {}


@pytest.mark.parametrize(
    "payload", [b"", *(bytes((kind,)) for kind in (0x00, 0x05, 0x28, 0x7F, 0x90, 0xC0, 0xDD, 0xFF))]
)
def test_a_type_that_nobody_assigned_is_refused(payload):
    """And so is no type at all."""
    with pytest.raises(WireError) as refusal:
        codec.decode(payload)
    assert refusal.value.code == 101
    with pytest.raises(WireError, match=str(refusal.value)):
        codec.decode_binary(payload)


def test_what_is_unassigned_elsewhere_is_read_leniently():
    """Signal codes, phases, value indicators and flag bits that do not exist yet do no harm."""
    message = codec.decode(bytes.fromhex("20e7 0002 2f70 03"))
    assert message == messages.Publish("/p", SignalType.EVENT)
    assert codec.decode(bytes.fromhex("41 ffff")) == messages.Ping()
    subscribe = codec.decode(bytes.fromhex("10 00000001 0002 2f61 e1 f0"))
    assert subscribe == messages.Subscribe(1, "/a", 0xE1, messages.SubscribeOptions())
    assert codec.decode(bytes.fromhex("61 0001 0002 2f61 00 04")) == messages.Result(
        [messages.SignalDef("/a")]
    )


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_of_the_extension_is_told_apart(version):
    """A request of another version can be answered with "not offered"; an answer is refused."""
    replay = codec.decode(b"\x24\x00\x00\x02/a\xff" + bytes((version,)))
    assert replay.extension.version == version
    assert codec.decode(codec.encode(replay)) == replay
    assert codec.decode(bytes((0x26, version))).version == version
    for answer in (0x25, 0x27):
        with pytest.raises(WireError, match=f"version {version}"):
            codec.decode(bytes((answer, version)) + bytes(20))


@pytest.mark.parametrize("tail", ["01", "01c0", "01 80 00000001 0000000000000001", "01 04 00000001 0002 61"])
def test_a_cut_off_extension_is_refused(tail):
    """Of our version every byte has to be there."""
    with pytest.raises(WireError):
        codec.decode(b"\x24\x00\x00\x02/a\xff" + bytes.fromhex(tail))
