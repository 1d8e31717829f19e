"""Frames to messages and back, beside the codec of clasp-to, the published Python client.

The plain forms check the frame and leave the value encoded. The full form decodes frame, message and value,
as clasp-to does; "in two steps" is the same for any message. The frames are what clients send: an address of
four segments, a float, no revision.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from clasp.client import Clasp

from bench.measure import Options, Row, Work, compare
from clasp_journal import value as values
from clasp_journal.entry import SignalType
from router.wire import codec, legacy
from router.wire.fast import plain_publish, plain_set
from router.wire.frame import decode_frame, encode_frame
from router.wire.messages import Bundle, Message, Publish, Set

SCENARIO = "codec"
CHANNELS = 64

Item = TypeVar("Item")


def run(options: Options) -> list[Row]:
    """Decode and encode SET and PUBLISH; decode a MessagePack bundle."""
    sets = [
        Set(f"/mixer/main/channel{number}/level", values.encode(number / 64)) for number in range(CHANNELS)
    ]
    publishes = [Publish(one.address, SignalType.STREAM, one.encoded) for one in sets]
    rows = []
    for works in (
        decoding("SET", [framed(one) for one in sets], plain_set),
        decoding("PUBLISH", [framed(one) for one in publishes], plain_publish),
        encoding(sets),
        unbundling(sets),
    ):
        rows += compare(SCENARIO, works, options, operations=CHANNELS)
    return rows


def decoding(name: str, frames: list[bytes], plain: Callable[[bytes], object]) -> dict[str, Work]:
    """The ways to take a frame apart."""
    return {
        f"{name}, decode: clasp-to": each(Clasp("")._decode, frames),
        f"{name}, decode: plain form": each(plain, frames),
        f"{name}, decode: full form": each(full_form, frames),
        f"{name}, decode: full form in two steps": each(full_form_in_two_steps, frames),
    }


def encoding(sets: list[Set]) -> dict[str, Work]:
    """The ways to make a frame."""
    peer = Clasp("")
    peer_sets = [peer._decode(framed(one)) for one in sets]
    return {
        "SET, encode: clasp-to": each(peer._encode, peer_sets),
        "SET, encode: ours": each(framed, sets),
    }


def unbundling(sets: list[Set]) -> dict[str, Work]:
    """The ways to decode a MessagePack bundle, per SET in it; clasp-to only unpacks it and checks nothing."""
    bundle = encode_frame(legacy.encode(Bundle([*sets])))
    return {
        "MessagePack SET, decode: clasp-to": each(Clasp("")._decode, [bundle]),
        "MessagePack SET, decode: ours": each(codec.decode_framed, [bundle]),
    }


def each(work: Callable[[Item], object], items: Sequence[Item]) -> Work:
    """The work for every item, as one call."""

    def all_of_them() -> None:
        for item in items:
            work(item)

    return all_of_them


def full_form(data: bytes) -> values.Value:
    """Frame, message and value at once."""
    return codec.decode_framed(data)[0].value  # type: ignore[union-attr]


def full_form_in_two_steps(data: bytes) -> values.Value:
    """First the frame, then the message and its value."""
    return codec.decode(decode_frame(data).payload).value  # type: ignore[union-attr]


def framed(message: Message) -> bytes:
    """A message in its frame."""
    return encode_frame(codec.encode(message))
