"""MQTT 3.1.1: the packets that a load needs, over TCP or WebSocket. Readers subscribe at QoS 0."""

from bench.speech.form import PAYLOAD, Speech, Step, addresses
from bench.speech.websocket import masked, upgrade

CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x00"
PUBACK_BYTES = 4
WEBSOCKET_HEAD_BYTES = 2
"""Of what a server sends: each packet is a message of its own."""


def text(name: str) -> bytes:
    """A string with its length."""
    return len(name).to_bytes(2, "big") + name.encode()


def packet(kind: int, *parts: bytes) -> bytes:
    """A packet of less than 128 bytes."""
    body = b"".join(parts)
    assert len(body) < 128
    return bytes((kind, len(body))) + body


def connect(name: str) -> bytes:
    """A clean session that is never asked for a sign of life."""
    return packet(0x10, text("MQTT"), b"\x04\x02\x00\x00", text(name))


def publish(topic: str, qos: int, *, retain: bool = False) -> bytes:
    """One message; every one has packet id 1, which a broker that answers in order does not mind."""
    packet_id = b"\x00\x01" if qos else b""
    return packet(0x30 | qos << 1 | retain, text(topic), packet_id, PAYLOAD)


def publishing(groups: int, *, qos: int, retain: bool = False, websocket: bool = False) -> Speech:
    """PUBLISH at QoS 0 or 1; with `retain`, what a restarted broker still knows."""
    wrap = masked if websocket else bytes
    head_bytes = WEBSOCKET_HEAD_BYTES if websocket else 0
    door = [upgrade("mqtt")] if websocket else []
    topics = addresses(groups)

    def writer_enters(number: int) -> list[Step]:
        return [*door, Step(wrap(connect(f"writer{number}")), CONNACK)]

    def reader_enters(number: int, group: int) -> list[Step]:
        wish = packet(0x82, b"\x00\x01", text(f"bench/{group}/#"), b"\x00")
        return [*door, Step(wrap(connect(f"reader{number}")), CONNACK), Step(wrap(wish), SUBACK)]

    return Speech(
        frames=[wrap(publish(topic, qos, retain=retain)) for topic in topics],
        stamp_from_end=8,
        delivery_units=len(publish(topics[0], 0)) + head_bytes,
        delivery_stamp_from_end=8,
        ack_units=(PUBACK_BYTES + head_bytes) * (qos > 0),
        writer_enters=writer_enters,
        reader_enters=reader_enters,
    )
