"""The plain forms say what the full form says, or nothing."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.entry import SignalType
from router.wire import codec, messages
from router.wire.codes import WireError
from router.wire.fast import plain_publish, plain_set
from router.wire.frame import decode_frame, encode_frame
from tests.router.wire.strategies import any_messages, mutated, publishes, sets, u8

VECTORS = Path(__file__).parents[2] / "vectors"


def full_form(data):
    """Frame and message; None if either is refused."""
    try:
        frame = decode_frame(data)
        return frame, codec.decode(frame.payload)
    except WireError:
        return None


def check_set(data):
    """An answer is the full form's message; no answer means that there is nothing plain to say."""
    full, plain = full_form(data), plain_set(data)
    if plain is None:
        assert full is None or not is_plain(data, *full) or full[1] != bare_set(full[1])
        return
    address, kind, content = plain
    if full is None:
        with pytest.raises(UnicodeDecodeError):
            address.decode()
        return
    frame, message = full
    assert frame.timestamp is None
    assert message == messages.Set(address.decode(), bytes((kind,)) + content)


def bare_set(message):
    """The same SET with nothing but a value; None for other messages."""
    if isinstance(message, messages.Set):
        return messages.Set(message.address, message.encoded)
    return None


def is_plain(data, frame, message):
    """Whether the frame is binary and nothing but header and payload."""
    return frame.timestamp is None and len(data) == 4 + len(frame.payload) and frame.payload[0] < 0x80


def check_publish(data):
    """The same for PUBLISH, of which only the address and the signal are told."""
    full, plain = full_form(data), plain_publish(data)
    if plain is None:
        assert (
            full is None
            or not is_plain(data, *full)
            or not isinstance(full[1], messages.Publish)
            or full[1].signal == SignalType.GESTURE
        )
        return
    address, signal = plain
    if full is None:
        with pytest.raises(UnicodeDecodeError):
            address.decode()
        return
    frame, message = full
    assert frame.timestamp is None
    assert (message.address, message.signal) == (address.decode(), signal)
    assert message.signal != SignalType.GESTURE


def check_framed(data):
    """One step or two, the result is the same, and so is the code of a refusal."""

    def two_steps():
        frame = decode_frame(data)
        return codec.decode(frame.payload), frame.flags, frame.timestamp

    assert outcome(lambda: codec.decode_framed(data)) == outcome(two_steps)


def outcome(work):
    """What is decoded, or the code of the refusal."""
    try:
        return work()
    except WireError as refusal:
        return refusal.code


def check(data):
    """All short ways."""
    check_set(data)
    check_publish(data)
    check_framed(data)


def frames_of(strategy):
    """Messages in frames with any flags."""
    return st.builds(lambda message, flags: encode_frame(codec.encode(message), flags=flags), strategy, u8)


hot_messages = sets() | publishes()


@pytest.mark.property
@given(frames_of(hot_messages | any_messages))
def test_both_forms_agree_about_good_frames(data):
    """Every plain SET and PUBLISH is recognised, and nothing else."""
    check(data)


@pytest.mark.property
@given(frames_of(hot_messages).flatmap(mutated))
def test_both_forms_agree_about_tampered_frames(data):
    """Whatever the full form refuses gets no answer from the short one."""
    check(data)


@pytest.mark.property
@given(st.sampled_from((b"!", b" ")), st.binary(max_size=14))
def test_both_forms_agree_about_garbage_behind_a_good_beginning(kind, rest):
    """Lengths may lie, and types not exist."""
    data = encode_frame(kind + rest)
    check(data)


@pytest.mark.property
@given(st.binary(max_size=40))
def test_both_forms_agree_about_garbage(data):
    """Whatever the bytes are, the short form raises nothing."""
    check(data)


@pytest.mark.parametrize("name", ["frames", "bad_frames"])
def test_both_forms_agree_about_the_vectors(name):
    """Good and bad frames of other implementations."""
    for row in json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8")):
        check(bytes.fromhex(row["hex"]))


def test_the_usual_frames_are_plain():
    """The forms do answer where it matters."""
    set_frame = encode_frame(codec.encode(messages.Set("/a", b"\x07" + bytes(8))), 1)
    assert plain_set(set_frame) == (b"/a", 7, bytes(8))
    publish_frame = encode_frame(codec.encode(messages.Publish("/a", SignalType.STREAM, rate=60)))
    assert plain_publish(publish_frame) == (b"/a", SignalType.STREAM)
    assert plain_set(publish_frame) is plain_publish(set_frame) is None


def test_text_in_values_is_checked():
    """Only the address is left to the caller."""
    good = messages.Set("/a", b"\x08\x00\x01x")
    frame = encode_frame(codec.encode(good))
    assert plain_set(frame) is not None
    assert plain_set(frame[:-1] + b"\xff") is None
