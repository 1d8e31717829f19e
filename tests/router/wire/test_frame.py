"""The envelope around a payload."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.errors import BadInput
from router.wire.codes import WireError
from router.wire.frame import PAYLOAD_MAX_BYTES, Frame, decode_frame, encode_frame
from tests.router.wire.strategies import optional, u8, u64

payloads = st.binary(min_size=1, max_size=40)


@pytest.mark.property
@given(payloads, u8, optional(u64), st.binary(max_size=9))
def test_a_frame_survives_its_bytes_whatever_follows(payload, flags, timestamp, following):
    """All flags are carried; bytes behind the payload are ignored."""
    frame = decode_frame(encode_frame(payload, timestamp=timestamp, flags=flags) + following)
    bit = 0 if timestamp is None else 0x20
    assert frame == Frame(flags & ~0x20 | bit, timestamp, payload)


@pytest.mark.parametrize(("raw", "counts_as"), [(0, 0), (1, 1), (2, 2), (3, 0)])
def test_the_reserved_qos_counts_as_fire(raw, counts_as):
    """Its bits are kept all the same."""
    frame = decode_frame(encode_frame(b"\x41", raw))
    assert (frame.raw_qos, frame.qos, frame.version) == (raw, counts_as, 1)


def test_bits_that_nobody_uses_can_be_read():
    """They are carried, never refused."""
    frame = decode_frame(bytes.fromhex("531f000141"))
    assert (frame.encrypted, frame.compressed, frame.version) == (True, True, 7)


@pytest.mark.parametrize(
    "data", ["", "53", "530100", "5401000141", "5301000241", "5301ffff", "53210001000000000000", "41"]
)
def test_what_is_no_frame_has_code_100(data):
    """Too short, another first byte, a length that is not there."""
    with pytest.raises(WireError) as refusal:
        decode_frame(bytes.fromhex(data))
    assert refusal.value.code == 100


@pytest.mark.parametrize("data", ["53010000", "532100000000000000000000"])
def test_an_empty_payload_has_code_101(data):
    """The frame is fine, but there is no message in it."""
    with pytest.raises(WireError) as refusal:
        decode_frame(bytes.fromhex(data))
    assert refusal.value.code == 101


def test_a_frame_takes_no_more_than_its_length_can_say():
    """Nor nothing, nor numbers that do not fit."""
    assert len(encode_frame(bytes(PAYLOAD_MAX_BYTES))) == PAYLOAD_MAX_BYTES + 4
    for refused in (
        lambda: encode_frame(bytes(PAYLOAD_MAX_BYTES + 1)),
        lambda: encode_frame(b""),
        lambda: encode_frame(b"\x41", timestamp=1 << 64),
        lambda: encode_frame(b"\x41", timestamp=-1),
        lambda: encode_frame(b"\x41", flags=256),
        lambda: encode_frame(b"\x41", 4),
    ):
        with pytest.raises(BadInput):
            refused()
