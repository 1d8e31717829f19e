"""One client of a server under load: a plain socket, which costs little of what is measured."""

import socket
import sys
from collections.abc import Sequence

from bench.speech.form import Step

READ_BYTES = 64 * 1024
"""At once: more would be taken from the system and given back for every read."""
DISCARD_BYTES = 1 << 20
ENTER_TIMEOUT_S = 20.0

_DROP = socket.MSG_TRUNC if sys.platform == "linux" else 0
"""With this flag the kernel of Linux drops what has come over TCP; elsewhere it is copied."""
_SINK = bytearray(DISCARD_BYTES)
_CLOSED = "the server closed a connection of the load"


class Connection:
    """What it receives is handed on; what the kernel does not take at once is kept until it does."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), ENTER_TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = self.socket.fileno()
        self.sent = 0
        """Messages so far."""
        self._unsent = b""
        self._unread = b""

    def say(self, step: Step) -> None:
        """The first half of an exchange."""
        self.socket.sendall(step.say)

    def hear(self, step: Step) -> int:
        """The second half of an exchange; tells how many bytes came with it."""
        seen, before, overlap = self._unread, 0, len(step.hear) - 1
        while (at := seen.find(step.hear)) < 0:
            data = self.socket.recv(READ_BYTES)
            if not data:
                raise ConnectionResetError(f"the server hung up before it said {step.hear!r}")
            tail = seen[-overlap:] if overlap else b""
            before += len(seen) - len(tail)
            seen = tail + data
        self._unread = seen[at + len(step.hear) :]
        return before + at + len(step.hear)

    def begin(self) -> None:
        """From now on nothing blocks, and what is left of the way in does not count."""
        self._unread = b""
        self.socket.setblocking(False)

    def receive(self) -> bytes:
        """The bytes that have come."""
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return b""
        if not data:
            raise ConnectionResetError(_CLOSED)
        return data

    def discard(self) -> int:
        """Throw the bytes away that have come; tells how many."""
        try:
            size_bytes = self.socket.recv_into(_SINK, DISCARD_BYTES, _DROP)
        except BlockingIOError:
            return 0
        if not size_bytes:
            raise ConnectionResetError(_CLOSED)
        return size_bytes

    def send(self, data: bytes, messages: int) -> bool:
        """Send some; False while an earlier call's bytes are not all gone."""
        if self._unsent:
            self.push()
            return False
        self.sent += messages
        self._push(data)
        return True

    def push(self) -> None:
        """Go on sending what an earlier call left over."""
        if self._unsent:
            self._push(self._unsent)

    def close(self) -> None:
        """Leave."""
        self.socket.close()

    def _push(self, data: bytes) -> None:
        try:
            done = self.socket.send(data)
        except BlockingIOError:
            done = 0
        self._unsent = data[done:]


def enter_all(connections: Sequence[Connection], ways: Sequence[Sequence[Step]]) -> None:
    """Everybody goes through the steps of a way of the same length, together; then nothing blocks any more.

    A server that takes its time over each answer takes it once per step, not once per client.
    """
    for steps in zip(*ways, strict=True):
        for connection, step in zip(connections, steps, strict=True):
            connection.say(step)
        for connection, step in zip(connections, steps, strict=True):
            connection.hear(step)
    for connection in connections:
        connection.begin()
