"""CLASP, as a client of any router speaks it."""

from dataclasses import replace
from random import Random

from bench.speech.form import PAYLOAD, Speech, Step, addresses
from bench.speech.websocket import masked, upgrade
from clasp_journal.entry import SignalType
from clasp_journal.value import encode as encode_value
from router.wire.codec import encode
from router.wire.frame import encode_frame
from router.wire.messages import Ack, Hello, Message, Ping, Pong, Publish, Set, Subscribe
from router.wire.packing import pack

UPGRADE = upgrade("clasp")
REVISION_BYTES = 8
ZIPF_ADDRESSES = 10_000
ZIPF_FRAMES = 50_000
ZIPF_SEED = 1
VALUE = encode_value(0.5)
assert VALUE.endswith(PAYLOAD)


def framed(message: Message, qos: int = 0) -> bytes:
    """A message as a client sends it."""
    return masked(encode_frame(encode(message), qos))


FENCE = Step(framed(Ping()), pack(encode_frame(encode(Pong()))))
"""Everything before has been handled."""


def entering(*patterns: str) -> list[Step]:
    """Join, with these subscriptions."""
    hello = framed(Hello("load"))
    wishes = [framed(Subscribe(number, pattern)) for number, pattern in enumerate(patterns, 1)]
    return [UPGRADE, Step(b"".join((hello, *wishes, FENCE.say)), FENCE.hear)]


def packed_bytes(message: Message) -> int:
    """The size of a message as a router sends it."""
    return len(pack(encode_frame(encode(message))))


def setting(groups: int, qos: int) -> Speech:
    """SET: state, with an ACK that names the revision."""
    sets = [Set(f"/{name}", VALUE) for name in addresses(groups)]
    return Speech(
        frames=[framed(message, qos) for message in sets],
        stamp_from_end=8,
        delivery_units=packed_bytes(Set(sets[0].address, VALUE, revision=1)),
        delivery_stamp_from_end=8 + REVISION_BYTES,
        ack_units=packed_bytes(Ack(sets[0].address, revision=1)),
        writer_enters=lambda number: entering(),
        reader_enters=lambda number, group: entering(f"/bench/{group}/**"),
    )


def publishing(groups: int, qos: int) -> Speech:
    """PUBLISH: an event; QoS 2 asks for an ACK once it is on the disk."""
    events = [Publish(f"/{name}", SignalType.EVENT, VALUE) for name in addresses(groups)]
    return Speech(
        frames=[framed(message, qos) for message in events],
        stamp_from_end=8,
        delivery_units=packed_bytes(events[0]),
        delivery_stamp_from_end=8,
        ack_units=packed_bytes(Ack(events[0].address)) if qos == 2 else 0,
        writer_enters=lambda number: entering(),
        reader_enters=lambda number, group: entering(f"/bench/{group}/**"),
    )


def publishing_zipf(groups: int) -> Speech:
    """PUBLISH to many addresses, as often as Zipf's law says; readers get all of them."""
    random = Random(ZIPF_SEED)
    places = list(range(ZIPF_ADDRESSES))
    random.shuffle(places)
    weights = [1 / rank for rank in range(1, ZIPF_ADDRESSES + 1)]
    drawn = random.choices(places, weights, k=ZIPF_FRAMES)
    events = [Publish(zipf_address(place, "level"), SignalType.EVENT, VALUE) for place in drawn]
    return replace(
        publishing(groups, qos=1),
        frames=[framed(message, 1) for message in events],
        delivery_units=packed_bytes(events[0]),
        reader_enters=lambda number, group: entering("/zipf/**"),
    )


def zipf_address(place: int, attribute: str) -> str:
    """The address of a place; every attribute there makes another."""
    return f"/zipf/{place // 100:04}/{place % 100:02}/{attribute}"
