"""The npm client's codec and ours understand each other, message by message."""

import json
from pathlib import Path

import pytest

from router.wire import codec
from router.wire.frame import decode_frame, encode_frame
from tests.interop.node_peer import NodeError, node_peer
from tests.interop.shapes import essence, fits_into_doubles, peer_object
from tests.message_json import built, described, plain

KNOWN = {
    *("HELLO", "WELCOME", "ANNOUNCE", "SUBSCRIBE", "UNSUBSCRIBE", "PUBLISH", "SET", "GET", "SNAPSHOT"),
    *("BUNDLE", "SYNC", "PING", "PONG", "ACK", "ERROR", "QUERY", "RESULT"),
}
UNKNOWN_KEYS = ("ttl", "timeline")
ENCODER_BUFFER_BYTES = 4_096
"""Bundles and snapshots that are larger do not fit into the buffer of its encoder."""

ROWS = json.loads((Path(__file__).parents[1] / "vectors" / "frames.json").read_text(encoding="utf-8"))
SHAPES = {row["name"]: plain(row["decoded"]) for row in ROWS if row["decoded"]["type"] in KNOWN}


def is_within_reach(shape) -> bool:
    """Whether JavaScript can hold the numbers of a message, and its encoder the bytes."""
    return fits_into_doubles(shape) and len(codec.encode(built(shape))) <= ENCODER_BUFFER_BYTES


REACHABLE = {name: shape for name, shape in SHAPES.items() if is_within_reach(shape)}


def test_every_message_the_client_knows_is_among_them():
    """The vectors leave none out, and few are beyond its reach."""
    assert {shape["type"] for shape in REACHABLE.values()} == KNOWN
    assert len(REACHABLE) > 200


async def test_what_we_encode_it_decodes():
    """Each message says the same to it as to us."""
    async with node_peer() as node:
        for name, shape in REACHABLE.items():
            ours = encode_frame(codec.encode(built(shape)))
            theirs = await node.do("decode", hex=ours.hex())
            expected = essence(peer_object(shape), UNKNOWN_KEYS)
            assert essence(theirs, UNKNOWN_KEYS) == expected, name


async def test_what_it_encodes_we_decode():
    """Each message says the same to us as to it."""
    async with node_peer() as node:
        for name, shape in REACHABLE.items():
            frame = await node.do("encode", message=peer_object(shape))
            ours = described(codec.decode(decode_frame(bytes.fromhex(frame)).payload))
            assert essence(peer_object(ours), UNKNOWN_KEYS) == essence(peer_object(shape), UNKNOWN_KEYS), name


async def test_it_refuses_what_we_refuse():
    """Values and messages of no assigned type."""
    async with node_peer() as node:
        for payload in (b"\x21\x0c\x00\x02/a", b"\x70", b""):
            with pytest.raises(ValueError, match=r"assigned|empty"):
                codec.decode(payload)
            with pytest.raises(NodeError):
                await node.do("decode", hex=(b"\x53\x01\x00" + bytes((len(payload),)) + payload).hex())
