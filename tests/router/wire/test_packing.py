"""Frames in server clothes: what goes down to a peer is what `websockets` would have written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode

from router.wire.packing import pack, pack_close, pack_control, pack_head, unpack

SIZES_AROUND_THE_STEPS = [0, 1, 44, 125, 126, 127, 65_535, 65_536, 70_000]


@pytest.mark.parametrize("size_bytes", SIZES_AROUND_THE_STEPS)
def test_a_packed_frame_is_what_the_library_would_send(size_bytes):
    """Header widths change exactly where RFC 6455 says."""
    frame = bytes(size_bytes)
    assert pack(frame) == Frame(Opcode.BINARY, frame).serialize(mask=False)


@pytest.mark.parametrize("size_bytes", SIZES_AROUND_THE_STEPS)
def test_the_head_alone_is_the_head_of_the_whole(size_bytes):
    """Whoever builds a message in one join gets the same bytes."""
    frame = bytes(size_bytes)
    assert pack_head(size_bytes) + frame == pack(frame)


@pytest.mark.property
@given(st.lists(st.one_of(st.binary(max_size=200), st.integers(0, 70_000).map(bytes)), max_size=8))
def test_what_was_packed_comes_back_in_order(frames):
    """Joined messages come apart as they went in."""
    assert list(unpack(b"".join(map(pack, frames)))) == frames


@pytest.mark.parametrize(
    "data", [b"\x82", b"\x82\x05abc", b"\x82\x7e\x00", b"\x81\x01a", b"\x82\x81aaaaa", b"\x82\x7f\x00\x00"]
)
def test_what_is_no_packed_message_is_refused(data):
    """Only our side packs, so anything else is a fault of ours and says so."""
    with pytest.raises(ValueError, match="packed message"):
        list(unpack(data))


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG])
@pytest.mark.parametrize("payload", [b"", b"still there?", bytes(125)])
def test_a_packed_control_frame_is_what_the_library_would_send(opcode, payload):
    """Pings and pongs carry their payload untouched."""
    assert pack_control(opcode, payload) == Frame(opcode, payload).serialize(mask=False)


@pytest.mark.property
@given(st.text(max_size=200))
def test_a_close_reason_is_cut_between_characters(reason):
    """However long, what is sent is a beginning of the reason and valid to the peer."""
    packed = pack_close(1001, reason)
    assert len(packed) <= 127
    close = Close.parse(packed[2:])
    assert close.code == 1001
    assert reason.encode("utf-8", errors="replace").decode().startswith(close.reason)
    assert len(close.reason.encode()) >= min(120, len(reason.encode("utf-8", errors="replace")))
