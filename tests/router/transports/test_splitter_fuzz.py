"""The splitter against the parser of `websockets`: same bytes, same messages, same pings, same close code."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from tests.router.transports.peer_bytes import (
    Heard,
    binary,
    close,
    control,
    cut_up,
    fragmented,
    raw_frame,
)

LIMIT_BYTES = 300
SILENT = logging.getLogger("tests.silent")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False


def what_websockets_hears(stream: bytes, message_bytes: int | None) -> list[tuple[str, bytes | int]]:
    """The stream in one piece, read by the library."""
    oracle = ServerProtocol(state=OPEN, max_size=message_bytes, logger=SILENT)
    oracle.receive_data(stream)
    calls: list[tuple[str, bytes | int]] = []
    message, opened = b"", Opcode.CONT
    for frame in oracle.events_received():
        if frame.opcode in (Opcode.BINARY, Opcode.TEXT, Opcode.CONT):
            opened = opened if frame.opcode is Opcode.CONT else frame.opcode
            message += bytes(frame.data)
            if frame.fin:
                if opened is Opcode.BINARY:
                    calls.append(("message", message))
                message = b""
        else:
            calls.append((frame.opcode.name.lower(), bytes(frame.data)))
    if oracle.close_sent is not None and (not calls or calls[-1][0] != "close"):
        calls.append(("violation", int(oracle.close_sent.code)))
    return calls


payloads = st.one_of(st.binary(max_size=20), st.sampled_from([0, 44, 124, 125, 126, 127, 200]).map(bytes))
small = st.binary(max_size=125)
cuts = st.lists(st.integers(0, 220), max_size=5)
pings = st.builds(control, st.sampled_from([Opcode.PING, Opcode.PONG]), small)
closes = st.one_of(
    st.builds(close, st.integers(990, 5010), st.binary(max_size=20)),
    st.builds(close, st.sampled_from([1000, 1001, 3000]), st.text(max_size=30).map(str.encode)),
    st.builds(control, st.just(Opcode.CLOSE), st.binary(max_size=1)),
)
oddities = st.builds(
    raw_frame,
    st.integers(0, 255),
    payloads,
    width=st.sampled_from([0, 0, 2, 8]),
    is_masked=st.sampled_from([True, True, True, True, False]),
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """One legal data message, perhaps in fragments with control frames between them."""
    opcode = draw(st.sampled_from([Opcode.BINARY, Opcode.BINARY, Opcode.TEXT]))
    frames = fragmented(draw(payloads), draw(cuts), opcode)
    return b"".join(frame + b"".join(draw(st.lists(pings, max_size=1))) for frame in frames)


legal = st.one_of(messages(), messages(), st.builds(binary, payloads), pings)
streams = st.lists(st.one_of(legal, legal, legal, closes, oddities), max_size=12).map(b"".join)
tails = st.builds(lambda frame, end: frame[:end], pings, st.integers(0, 40))


@pytest.mark.property
@given(streams, tails, st.lists(st.integers(0, 2500), max_size=40))
def test_any_stream_in_any_split_is_heard_as_the_library_hears_it(stream, tail, where):
    """Legal messages, oddities and closes, mixed and cut at random."""
    stream += tail
    expected = what_websockets_hears(stream, None)
    assert Heard().feed(stream).calls == expected
    assert Heard().feed(*cut_up(stream, where)).calls == expected


@pytest.mark.property
@given(st.lists(st.one_of(legal, closes, oddities), max_size=3).map(b"".join))
def test_byte_by_byte_is_a_split_like_any_other(stream):
    """The longest way to say it changes nothing."""
    pieces = [stream[at : at + 1] for at in range(len(stream))]
    assert Heard().feed(*pieces).calls == what_websockets_hears(stream, None)


around_the_limit = st.integers(LIMIT_BYTES - 2, LIMIT_BYTES + 2)
sizes = st.one_of(st.integers(0, LIMIT_BYTES), around_the_limit)
sized = st.builds(fragmented, sizes.map(bytes), cuts).map(b"".join)


@pytest.mark.property
@given(
    st.lists(st.one_of(sized, pings), max_size=8).map(b"".join), st.lists(st.integers(0, 2500), max_size=20)
)
def test_the_message_limit_falls_where_the_library_lets_it_fall(stream, where):
    """In one frame or over many, the same message is the first too long."""
    expected = what_websockets_hears(stream, LIMIT_BYTES)
    assert Heard(LIMIT_BYTES).feed(*cut_up(stream, where)).calls == expected


class Stuttering(Heard):
    """Halts after every message."""

    def on_message(self, frame: bytes) -> None:
        """Note it and ask for a pause."""
        super().on_message(frame)
        self.splitter.halt()


@pytest.mark.property
@given(streams, st.lists(st.integers(0, 2500), max_size=20), st.lists(st.booleans(), max_size=60))
def test_pauses_change_nothing_but_the_time(stream, where, going_on):
    """Halted and released at random, the calls are those of a single read."""
    heard = Stuttering()
    choices = iter(going_on)
    for piece in cut_up(stream, where):
        heard.feed(piece)
        if next(choices, False):
            heard.splitter.go_on()
    for _ in range(len(stream)):
        heard.splitter.go_on()
    assert heard.calls == what_websockets_hears(stream, None)


@pytest.mark.property
@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=8))
def test_no_bytes_at_all_make_it_raise(noise, where):
    """Noise is heard the same in one piece and in many, and ends in calls, never in an exception."""
    assert Heard().feed(*cut_up(noise, where)).calls == Heard().feed(noise).calls
