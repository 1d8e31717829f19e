"""The codec of the published Python client and ours understand each other, message by message."""

import json
from pathlib import Path

import pytest
from clasp.client import Clasp

from router.wire import codec
from router.wire.frame import decode_frame, encode_frame
from tests.interop.shapes import essence, peer_object
from tests.message_json import built, described, plain

DECODES = {"WELCOME", "SNAPSHOT", "PUBLISH", "SET", "PING", "PONG", "ERROR", "RESULT", "QUERY"}
ENCODES = {"HELLO", "SUBSCRIBE", "UNSUBSCRIBE", "PUBLISH", "SET", "GET", "PING", "PONG", "BUNDLE", "QUERY"}
UNKNOWN_KEYS = ("samples", "rate", "timeline", "correlationId", "window", "absolute", "loop", "keyframes")

ROWS = json.loads((Path(__file__).parents[1] / "vectors" / "frames.json").read_text(encoding="utf-8"))
SHAPES = {row["name"]: plain(row["decoded"]) for row in ROWS}


def client_object(shape):
    """What this client takes and gives: a TTL in two fields, and no difference between null and nothing."""
    made = peer_object(shape)
    ttl = made.pop("ttl", None)
    if ttl is not None:
        made["ttl"] = ttl.get("seconds", 0)
        made["absolute"] = ttl["mode"] == "absolute"
    return made


def is_understood(shape) -> bool:
    """Samples confuse its decoder; 0 s means "never" to it; it subscribes to three types only."""
    ttl = shape.get("ttl")
    is_rare_type = {"gesture", "timeline"} & set(shape.get("types") or ())
    return "samples" not in shape and not is_rare_type and (not ttl or ttl.get("seconds") != 0)


def content(message):
    """What there is to compare."""
    if message["type"] == "PUBLISH" and message.get("value") is None:
        message = {key: one for key, one in message.items() if key != "value"}
    if message["type"] == "BUNDLE":
        return {**essence(message, UNKNOWN_KEYS), "messages": [content(one) for one in message["messages"]]}
    return essence(message, UNKNOWN_KEYS)


TO_CLIENT = {n: s for n, s in SHAPES.items() if s["type"] in DECODES and is_understood(s)}
FROM_CLIENT = {n: s for n, s in SHAPES.items() if s["type"] in ENCODES and is_understood(s)}


@pytest.fixture
def client():
    """A client that is not connected: only its codec is asked."""
    return Clasp("ws://127.0.0.1:1")


def test_every_message_the_client_knows_is_among_them():
    """The vectors leave none out."""
    assert {shape["type"] for shape in TO_CLIENT.values()} == DECODES
    assert {shape["type"] for shape in FROM_CLIENT.values()} == ENCODES


@pytest.mark.parametrize("name", TO_CLIENT)
def test_what_we_encode_it_decodes(client, name):
    """Each message says the same to it as to us."""
    shape = TO_CLIENT[name]
    theirs = client._decode(encode_frame(codec.encode(built(shape))))
    assert content(theirs) == content(client_object(shape))


@pytest.mark.parametrize("name", FROM_CLIENT)
def test_what_it_encodes_we_decode(client, name):
    """Each message says the same to us as to it; some of them it sends as MessagePack."""
    shape = FROM_CLIENT[name]
    ours = described(codec.decode(decode_frame(client._encode(client_object(shape))).payload))
    assert content(client_object(ours)) == content(client_object(shape))
