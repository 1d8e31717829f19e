"""The client's side of WebSocket, as far as a load needs it."""

from collections.abc import Callable

from bench.speech.form import Step

MASK = bytes(4)
"""A mask of zeros, which a server cannot tell from any other."""


def upgrade(protocol: str | None = None) -> Step:
    """The handshake."""
    asked = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
    request = (
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{asked}\r\n"
    )
    return Step(request.encode(), b"\r\n\r\n")


def masked(payload: bytes) -> bytes:
    """One binary message as a client sends it."""
    size = len(payload)
    head = bytes((0x82, 0x80 | size)) if size < 126 else b"\x82\xfe" + size.to_bytes(2, "big")
    return head + MASK + payload


def unwrapping() -> Callable[[bytes], bytes]:
    """What takes the frames of one connection off, however they are cut; gives the payload in them."""
    rest, missing = b"", 0

    def payload(data: bytes) -> bytes:
        nonlocal rest, missing
        data, parts, at = rest + data, [], 0
        while True:
            part = data[at : at + missing]
            parts.append(part)
            at += len(part)
            missing -= len(part)
            head_bytes, size = _head(data, at)
            if missing or not head_bytes:
                rest = data[at:]
                return b"".join(parts)
            at, missing = at + head_bytes, size

    return payload


def payload_bytes() -> Callable[[bytes], int]:
    """What counts the payload of one connection."""
    unwrap = unwrapping()
    return lambda data: len(unwrap(data))


def _head(data: bytes, at: int) -> tuple[int, int]:
    """How long a server's frame header is and what it announces; (0, 0) while it is not all there."""
    if len(data) < at + 2:
        return 0, 0
    size = data[at + 1] & 0x7F
    head_bytes = {126: 4, 127: 10}.get(size, 2)
    if len(data) < at + head_bytes:
        return 0, 0
    return head_bytes, size if head_bytes == 2 else int.from_bytes(data[at + 2 : at + head_bytes], "big")
