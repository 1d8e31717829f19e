"""NATS: its text protocol, over TCP or WebSocket, and the part of JetStream that keeps what is published."""

import json

from bench.speech.form import PAYLOAD, Speech, Step, addresses, lines
from bench.speech.websocket import masked, payload_bytes, unwrapping, upgrade

SUBSCRIPTION = 1
CONNECT = b'CONNECT {"verbose":false,"pedantic":false,"lang":"load","version":"1","protocol":1}\r\nPING\r\n'
PONG = b"PONG\r\n"
TAIL = b"\r\n"
INBOX = "_INBOX.load"
STREAM = {"name": "BENCH", "subjects": ["bench.>"], "storage": "file", "max_bytes": 2_000_000_000}


def publish(subject: str, payload: bytes = PAYLOAD, reply: str = "") -> bytes:
    """One message; with `reply`, the stream that keeps it says so there."""
    return f"PUB {subject} {reply + ' ' if reply else ''}{len(payload)}\r\n".encode() + payload + TAIL


def subscribe(subject: str) -> bytes:
    """Subscribe; the PONG says that it is done."""
    return f"SUB {subject} {SUBSCRIPTION}\r\nPING\r\n".encode()


def publishing(groups: int, *, websocket: bool = False) -> Speech:
    """Core NATS: nothing is kept, nothing is acknowledged."""
    wrap = masked if websocket else bytes
    door = [upgrade(), Step(b"", b"INFO")] if websocket else [Step(b"", b"INFO")]
    subjects = addresses(groups, ".")
    greeting = Step(wrap(CONNECT), PONG)
    return Speech(
        frames=[wrap(publish(subject)) for subject in subjects],
        stamp_from_end=8 + len(TAIL),
        delivery_units=len(f"MSG {subjects[0]} {SUBSCRIPTION} 8\r\n") + 8 + len(TAIL),
        delivery_stamp_from_end=8 + len(TAIL),
        writer_enters=lambda number: [*door, greeting],
        reader_enters=lambda number, group: [
            *door,
            greeting,
            Step(wrap(subscribe(f"bench.{group}.>")), PONG),
        ],
        # A server puts several messages into one WebSocket frame, if it has them.
        hears=payload_bytes if websocket else lambda: len,
        unwraps=unwrapping if websocket else lambda: bytes,
    )


def keeping(groups: int) -> Speech:
    """JetStream: a stream in files keeps each message and acknowledges it with a line and its payload."""
    core = publishing(groups)
    create = publish("$JS.API.STREAM.CREATE.BENCH", json.dumps(STREAM).encode(), INBOX)

    def writer_enters(number: int) -> list[Step]:
        return [
            *core.writer_enters(number),
            Step(subscribe(INBOX), PONG),
            Step(create, b"stream_create_response"),
            # The rest of that answer is on its way before this one.
            Step(b"PING\r\n", PONG),
        ]

    return Speech(
        frames=[publish(subject, reply=INBOX) for subject in addresses(groups, ".")],
        stamp_from_end=core.stamp_from_end,
        # A subscriber is told where the publisher wants its answer.
        delivery_units=core.delivery_units + len(INBOX) + 1,
        delivery_stamp_from_end=core.delivery_stamp_from_end,
        ack_units=2,
        counts_acks=lambda: lines,
        writer_enters=writer_enters,
        reader_enters=core.reader_enters,
    )
