"""What the router says to one session, packed.

Law: answers are binary, version 1, and no payload is larger than a frame carries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from clasp_journal.errors import BadInput
from router.core.topics import ABSENT, Topic
from router.wire import codec
from router.wire.frame import PAYLOAD_MAX_BYTES, decode_frame, encode_frame
from router.wire.messages import Ack, Error, Message, MessageType, Result, SignalDef
from router.wire.packing import MEDIUM_MARK, pack, unpack

SCAN_TOPICS = 500
"""Topics or definitions looked at before a stream of answers lets others have their turn."""

_TEXT_MAX_BYTES = 1_024
_HEAD_BYTES_SHORT, _HEAD_BYTES_MEDIUM = 6, 8
"""Of WebSocket and frame together, before the payload of an answer."""
_EMPTY_SNAPSHOT = bytes((MessageType.SNAPSHOT, 0, 0))
_WRITER_AND_TIME = b"\x03"


def packed(message: Message, qos: int = 0) -> bytes:
    """Any message, ready to be sent."""
    return pack(encode_frame(codec.encode(message), qos))


def packed_error(code: int, reason: str, address: str | None = None) -> bytes:
    """An ERROR. A text that is too long to be sent back is cut off, or left out if it names an address."""
    message = reason.encode(errors="replace")[:_TEXT_MAX_BYTES].decode(errors="ignore")
    if address is not None and len(address.encode(errors="replace")) > _TEXT_MAX_BYTES:
        address = None
    return packed(Error(int(code), message, address))


def packed_fault(fault: BadInput) -> bytes:
    """The ERROR that says what was wrong with a message."""
    return packed_error(fault.code, str(fault), fault.about)


def code_of_error(answer: bytes) -> int | None:
    """The code, if a packed answer is an ERROR."""
    at = _HEAD_BYTES_SHORT if answer[1] < MEDIUM_MARK else _HEAD_BYTES_MEDIUM
    is_error = answer[at] == MessageType.ERROR and answer[1] <= MEDIUM_MARK
    return int.from_bytes(answer[at + 1 : at + 3], "big") if is_error else None


def address_of_ack(packed_ack: bytes) -> str | None:
    """What a packed ACK is about."""
    frame = next(unpack(packed_ack))
    message = codec.decode(decode_frame(frame).payload)
    assert isinstance(message, Ack)
    return message.address


def snapshots(topics: Iterable[Topic | None], max_params: int, max_bytes: int) -> Iterator[bytes]:
    """The live values of some topics in as many SNAPSHOTs as it takes; none for none. None is passed over.

    Each is made when it is asked for, from what is true then. An empty item means: nothing yet, ask again.
    """
    parts: list[bytes] = []
    size_bytes = 3
    for looked_at, topic in enumerate(topics, 1):
        part = _snapshot_part(topic)
        if parts and (len(parts) >= max_params or size_bytes + len(part) > max_bytes):
            yield _pack_snapshot(parts)
            parts, size_bytes = [], 3
            part = _snapshot_part(topic)
        if part:
            parts.append(part)
            size_bytes += len(part)
        if not looked_at % SCAN_TOPICS:
            yield b""
    if parts:
        yield _pack_snapshot(parts)


EMPTY_SNAPSHOT = pack(encode_frame(_EMPTY_SNAPSHOT))


def at_least_one(frames: Iterator[bytes]) -> Iterator[bytes]:
    """These snapshots; an empty one if there are none."""
    found = False
    for frame in frames:
        found = found or frame != b""
        yield frame
    if not found:
        yield EMPTY_SNAPSHOT


def results(signals: Iterable[SignalDef | None]) -> Iterator[bytes]:
    """The definitions in as many RESULTs as it takes, at least one. None is passed over.

    As with snapshots, an empty item means: nothing yet, ask again.
    """
    batch: list[SignalDef] = []
    size_bytes = 3
    for looked_at, signal in enumerate(signals, 1):
        if not looked_at % SCAN_TOPICS:
            yield b""
        if signal is None:
            continue
        signal_bytes = result_bytes(signal)
        if size_bytes + signal_bytes > PAYLOAD_MAX_BYTES or len(batch) == 0xFFFF:
            yield packed(Result(batch))
            batch, size_bytes = [], 3
        batch.append(signal)
        size_bytes += signal_bytes
    yield packed(Result(batch))


def _snapshot_part(topic: Topic | None) -> bytes:
    if topic is None or topic.kind == ABSENT:
        return b""
    writer = topic.writer.encode()
    return b"".join(
        (
            len(topic.address).to_bytes(2, "big"),
            topic.address,
            topic.kind.to_bytes(1, "big"),
            topic.data,
            topic.revision.to_bytes(8, "big"),
            _WRITER_AND_TIME,
            len(writer).to_bytes(2, "big"),
            writer,
            topic.written.to_bytes(8, "big"),
        )
    )


def _pack_snapshot(parts: list[bytes]) -> bytes:
    head = bytes((MessageType.SNAPSHOT,)) + len(parts).to_bytes(2, "big")
    return pack(encode_frame(head + b"".join(parts)))


def result_bytes(signal: SignalDef) -> int:
    """What a definition takes in a RESULT."""
    texts = [text for text in (signal.address, signal.datatype, signal.access) if text is not None]
    return 2 + sum(2 + len(text.encode()) for text in texts)
