"""The splitter: legal bytes become messages, whatever else a peer sends has one answer."""

import importlib.util
import sys
from pathlib import Path

import pytest
from websockets.frames import Opcode

from router import transports
from tests.router.transports.peer_bytes import FIN, Heard, binary, close, control, fragmented, raw_frame

SIZES_AROUND_THE_STEPS = [0, 1, 44, 125, 126, 127, 65_535, 65_536, 65_600]


@pytest.mark.parametrize("size_bytes", SIZES_AROUND_THE_STEPS)
def test_a_message_of_any_size_arrives_whole_and_unmasked(size_bytes):
    """All three forms of the length lead to the same place."""
    payload = bytes(at % 251 for at in range(size_bytes))
    assert Heard().feed(binary(payload)).calls == [("message", payload)]


def test_many_messages_in_one_read_keep_their_order():
    """A read is worth as many messages as are in it."""
    payloads = [bytes([at]) * at for at in range(200)]
    heard = Heard().feed(b"".join(map(binary, payloads)))
    assert heard.calls == [("message", payload) for payload in payloads]


def test_messages_may_come_byte_by_byte():
    """What a cut leaves over is put together again."""
    payloads = [bytes(size_bytes) for size_bytes in (0, 3, 125, 126, 300)]
    stream = b"".join(map(binary, payloads))
    heard = Heard().feed(*(stream[at : at + 1] for at in range(len(stream))))
    assert heard.calls == [("message", payload) for payload in payloads]


def test_fragments_become_one_message_and_control_frames_pass_between_them():
    """A ping does not wait for the end of a long message."""
    first, *rest = fragmented(b"abcdefgh", [3, 5])
    heard = Heard().feed(first, control(Opcode.PING, b"hi"), control(Opcode.PONG), *rest, binary(b"next"))
    assert heard.calls == [("ping", b"hi"), ("pong", b""), ("message", b"abcdefgh"), ("message", b"next")]


def test_text_is_taken_and_dropped():
    """Whole or in fragments, valid UTF-8 or not, text harms nobody."""
    text = raw_frame(FIN | Opcode.TEXT, b"\xff not even utf-8")
    heard = Heard().feed(text, *fragmented(b"in pieces", [2, 4], Opcode.TEXT), binary(b"after"))
    assert heard.calls == [("message", b"after")]


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(raw_frame(FIN | Opcode.BINARY, b"x", is_masked=False), id="unmasked"),
        pytest.param(raw_frame(FIN | Opcode.CLOSE, b"", is_masked=False), id="unmasked and two bytes long"),
        pytest.param(raw_frame(FIN | 0x40 | Opcode.BINARY, b"x"), id="compressed"),
        pytest.param(raw_frame(FIN | 0x20 | Opcode.PING, b"x"), id="second reserved bit"),
        pytest.param(raw_frame(FIN | 0x10 | Opcode.TEXT, b"x"), id="third reserved bit"),
        pytest.param(raw_frame(FIN | 0x3, b"x"), id="reserved data opcode"),
        pytest.param(raw_frame(FIN | 0xB, b"x"), id="reserved control opcode"),
        pytest.param(raw_frame(Opcode.PING, b"x"), id="fragmented ping"),
        pytest.param(control(Opcode.PING, bytes(126)), id="long ping"),
        pytest.param(control(Opcode.CLOSE, bytes(70_000)), id="very long close"),
        pytest.param(raw_frame(FIN | Opcode.CONT, b"x"), id="continuation of nothing"),
        pytest.param(raw_frame(Opcode.BINARY, b"x") + binary(b"y"), id="message within a message"),
        pytest.param(raw_frame(Opcode.TEXT, b"x") + close(1000), id="close within a message"),
        pytest.param(control(Opcode.CLOSE, b"\x03"), id="close of one byte"),
        pytest.param(close(999), id="close code too small"),
        pytest.param(close(1005), id="close code that is never sent"),
        pytest.param(close(5000), id="close code too large"),
    ],
)
def test_a_broken_rule_is_a_protocol_error_and_the_end(frame):
    """Whatever was legal before it counts, nothing after it does."""
    heard = Heard().feed(binary(b"before"), frame, binary(b"after"))
    assert heard.calls == [("message", b"before"), ("violation", 1002)]


def test_a_close_reason_that_is_no_text_is_invalid_data():
    """That has a code of its own."""
    assert Heard().feed(close(1000, b"\xff")).calls == [("violation", 1007)]


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xe9going", b"\x0f\xa0private"])
def test_a_legal_close_is_handed_over_as_it_came(payload):
    """So that it can be echoed; what follows it is nobody's business."""
    heard = Heard().feed(control(Opcode.CLOSE, payload) + binary(b"late"))
    assert heard.calls == [("close", payload)]


@pytest.mark.parametrize("limit_bytes", [10, 125, 126, 1000, 65_536])
def test_a_message_may_be_as_long_as_the_limit_and_no_longer(limit_bytes):
    """The limit itself is allowed, in one frame or in many."""
    longest, longer = bytes(limit_bytes), bytes(limit_bytes + 1)
    assert Heard(limit_bytes).feed(binary(longest)).calls == [("message", longest)]
    assert Heard(limit_bytes).feed(*fragmented(longest, [3, 7])).calls == [("message", longest)]
    assert Heard(limit_bytes).feed(binary(longer)).calls == [("violation", 1009)]
    assert Heard(limit_bytes).feed(*fragmented(longer, [3, 7])).calls == [("violation", 1009)]


def test_a_message_too_long_is_refused_before_it_has_come():
    """A header is enough to see it; nobody holds a terabyte for a stranger."""
    header = raw_frame(FIN | Opcode.BINARY, b"", width=8)[:2] + (1 << 40).to_bytes(8, "big")
    assert Heard().feed(header).calls == [("violation", 1009)]


def test_a_ping_inside_a_nearly_full_message_is_still_answered():
    """Control frames do not count towards the message around them."""
    first, last = fragmented(bytes(100), [99])
    heard = Heard(100).feed(first, control(Opcode.PING, bytes(125)), last)
    assert heard.calls == [("ping", bytes(125)), ("message", bytes(100))]


def test_a_long_message_in_tiny_pieces_costs_no_more_than_its_size():
    """What is held is extended in place, and looked at only when it can be complete."""
    stream = binary(bytes(65_000))
    heard = Heard().feed(stream[:20])
    held = heard.splitter._partial
    heard.feed(*(stream[at : at + 1] for at in range(20, len(stream) - 1)))
    assert heard.splitter._partial is held
    assert heard.feed(stream[-1:]).calls == [("message", bytes(65_000))]


class Halting(Heard):
    """Asks for a pause after every message."""

    def on_message(self, frame: bytes) -> None:
        """Note it and want no more for now."""
        super().on_message(frame)
        self.splitter.halt()


@pytest.mark.parametrize("piece_bytes", [1, 7, 1000])
def test_a_halted_splitter_keeps_everything_for_later(piece_bytes):
    """One message per call, none lost, whether more bytes come meanwhile or not."""
    messages = [("message", bytes([at]) * (at * 40)) for at in range(8)]
    stream = b"".join(binary(payload) for _, payload in messages[:4])
    stream += b"".join(b"".join(fragmented(payload, [5])) for _, payload in messages[4:])
    heard = Halting().feed(*(stream[at : at + piece_bytes] for at in range(0, len(stream), piece_bytes)))
    for count in range(1, len(messages) + 1):
        assert heard.calls == messages[:count]
        heard.splitter.go_on()
    assert heard.calls == messages


class Muting(Heard):
    """Wants to hear no message after the first."""

    def on_message(self, frame: bytes) -> None:
        """Note it and be done."""
        super().on_message(frame)
        self.splitter.mute()


def test_a_splitter_may_be_muted_in_the_middle_of_a_read():
    """A connection that is being closed takes no more messages, and still sees the peer's close."""
    heard = Muting().feed(binary(b"one") + binary(b"two") + binary(b"three") + close(1000))
    assert heard.calls == [("message", b"one"), ("close", b"\x03\xe8")]


def test_who_is_muted_while_messages_wait_does_not_hear_them_later():
    """Whatever was read before the close and not taken is gone."""
    heard = Halting().feed(binary(b"one") + binary(b"two"), binary(b"three"))
    heard.splitter.mute()
    heard.splitter.go_on()
    assert heard.feed(control(Opcode.PING)).calls == [("message", b"one"), ("ping", b"")]


def test_without_the_c_extension_the_messages_are_the_same(monkeypatch):
    """A library installed without its compiled part unmasks in Python."""
    monkeypatch.setitem(sys.modules, "websockets.speedups", None)
    source = Path(transports.__path__[0], "splitter.py")
    spec = importlib.util.spec_from_file_location("splitter_in_python", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.apply_mask.__module__ == "websockets.utils"
    heard = Heard()
    splitter = module.Splitter(heard.on_messages, heard, 1000)
    for size_bytes in (0, 1, 2, 3, 4, 5, 44, 300):
        splitter.feed(binary(bytes(range(size_bytes % 256))))
        assert heard.calls[-1] == ("message", bytes(range(size_bytes % 256)))
