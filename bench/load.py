"""The load generator: pre-built frames out, received bytes counted. Its process is told a `Load`.

All frames of a run have one size in each direction, so that bytes say how many there were. Sockets are used
directly, so that the generator costs little of what it measures; its own processor time is in the result.
"""

import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from statistics import quantiles

from bench.servers import LOAD_CORE, pin
from clasp_journal.value import encode as encode_value
from router.wire.codec import encode
from router.wire.frame import encode_frame
from router.wire.messages import Hello, Message, Ping, Pong, Publish, Set, SignalType, Subscribe
from router.wire.packing import pack

_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: clasp\r\n\r\n"
)
_PONG = pack(encode_frame(encode(Pong())))
_READ_BYTES = 1 << 20
_BLOCK = 256
"""Frames sent at once, at most."""
_ADDRESSES = 1_000


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent, by how many, to how many, and how fast."""

    port: int
    kind: str = "set"
    """`set` (QoS 1, acknowledged) or `publish` (an event)."""
    writers: int = 1
    readers: int = 1
    window: int = 4_000
    """Messages of one writer on their way; 1 makes each a tick of its own."""
    rate_per_s: float = 0.0
    """0: as fast as the window lets them go."""
    seconds: float = 1.0


@dataclass(slots=True)
class Result:
    """What came of it."""

    sent: int = 0
    delivered: int = 0
    acknowledged: int = 0
    seconds: float = 0.0
    cpu_share: float = 0.0
    """Of the generator itself: near 1, it was the limit and not the server."""
    p50_us: float = 0.0
    p99_us: float = 0.0


def masked(frame: bytes) -> bytes:
    """A frame as a client sends it, with a mask of zeros, which a server cannot tell from any other."""
    size = len(frame)
    head = bytes((0x82, 0x80 | size)) if size < 126 else b"\x82\xfe" + size.to_bytes(2, "big")
    return head + b"\0\0\0\0" + frame


def framed(message: Message, qos: int = 0) -> bytes:
    """A message as a client sends it."""
    return masked(encode_frame(encode(message), qos))


class Connection:
    """One client; what it receives is only counted, unless it keeps time."""

    def __init__(self, port: int, *patterns: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received_bytes = 0
        self.unsent = b""
        self.sent = 0
        self.socket.sendall(_UPGRADE)
        self._read_until(b"\r\n\r\n")
        self.socket.sendall(framed(Hello("load")))
        for number, pattern in enumerate(patterns, 1):
            self.socket.sendall(framed(Subscribe(number, pattern)))
        self.fence()
        self.socket.setblocking(False)

    def fence(self) -> None:
        """Wait until everything before has been handled."""
        self.socket.setblocking(True)
        self.socket.sendall(framed(Ping()))
        self._read_until(_PONG)

    def receive(self) -> bytes:
        """What is there; counted."""
        try:
            data = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return b""
        if not data:
            raise ConnectionResetError("the server closed a connection of the load")
        self.received_bytes += len(data)
        return data

    def send(self, data: bytes, frames: int) -> bool:
        """Send some frames; False while an earlier call's bytes are not all gone."""
        if self.unsent:
            self._push(self.unsent)
            return False
        self.sent += frames
        self._push(data)
        return True

    def _push(self, data: bytes) -> None:
        try:
            done = self.socket.send(data)
        except BlockingIOError:
            done = 0
        self.unsent = data[done:]

    def _read_until(self, end: bytes) -> None:
        seen = b""
        while not seen.endswith(end):
            data = self.socket.recv(_READ_BYTES)
            if not data:
                raise ConnectionResetError("the server closed a connection of the load")
            seen = (seen + data)[-1_024:]


class Run:
    """One load on its way."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.result = Result()
        self._frames = [self._message(number) for number in range(_ADDRESSES)]
        self._ack_bytes, self._delivery_bytes = self._sizes()
        self.readers = [Connection(load.port, "/bench/**") for _ in range(load.readers)]
        self.writers = [Connection(load.port) for _ in range(load.writers)]
        self._latencies_us: list[float] = []

    def go(self) -> Result:
        """Send for the given time, wait for what is on its way, and count."""
        cpu, begin = time.process_time(), time.perf_counter()
        (self._at_a_rate if self._load.rate_per_s else self._as_fast_as_possible)(begin + self._load.seconds)
        self._drain()
        result = self.result
        result.seconds = time.perf_counter() - begin
        result.cpu_share = (time.process_time() - cpu) / result.seconds
        result.sent = sum(writer.sent for writer in self.writers)
        result.delivered = self._delivered()
        result.acknowledged = self._acknowledged()
        if len(self._latencies_us) > 1:
            cuts = quantiles(self._latencies_us, n=100)
            result.p50_us, result.p99_us = cuts[49], cuts[98]
        return result

    def _as_fast_as_possible(self, end: float) -> None:
        blob = b"".join(self._frames)
        frame_bytes = len(self._frames[0])
        block = min(_BLOCK, self._load.window)
        while time.perf_counter() < end:
            self._read(0.001)
            room = self._load.window - self._on_the_way() // len(self.writers)
            if room < block:
                continue
            for writer in self.writers:
                at = writer.sent % (_ADDRESSES - block + 1)
                writer.send(blob[at * frame_bytes : (at + block) * frame_bytes], block)

    def _at_a_rate(self, end: float) -> None:
        writer = self.writers[0]
        begin = time.perf_counter()
        while (now := time.perf_counter()) < end:
            due = int((now - begin) * self._load.rate_per_s) - writer.sent
            for _ in range(min(due, _BLOCK)):
                stamp = struct.pack(">d", time.perf_counter())
                frame = self._frames[writer.sent % _ADDRESSES]
                writer.send(frame[: self._value_at] + stamp + frame[self._value_at + 8 :], 1)
            self._read(0.0 if due > 1 else 0.5 / self._load.rate_per_s, keeping_time=True)

    def _drain(self) -> None:
        """Take what is still on its way; give up when nothing comes for a while."""
        patience = time.perf_counter() + 5.0
        while self._on_the_way() or self._undelivered():
            if self._read(0.05):
                patience = time.perf_counter() + 5.0
            for writer in self.writers:
                if writer.unsent:
                    writer.send(b"", 0)
            if time.perf_counter() > patience:
                return

    def _read(self, timeout_s: float, *, keeping_time: bool = False) -> int:
        by_socket = {c.socket: c for c in (*self.readers, *self.writers)}
        ready, _, _ = select.select(list(by_socket), [], [], timeout_s)
        for readable in ready:
            data = by_socket[readable].receive()
            if keeping_time and by_socket[readable] is self.readers[0]:
                self._keep_time(data)
        return len(ready)

    def _keep_time(self, data: bytes) -> None:
        """Only whole messages are timed; at a rate that can be kept they nearly always are."""
        now = time.perf_counter()
        if len(data) % self._delivery_bytes:
            return
        for at in range(self._delivery_bytes - self._value_from_end, len(data) + 1, self._delivery_bytes):
            sent: float = struct.unpack_from(">d", data, at)[0]
            self._latencies_us.append((now - sent) * 1e6)

    def _on_the_way(self) -> int:
        sent = sum(writer.sent for writer in self.writers)
        if self._load.kind == "set":
            return sent - self._acknowledged()
        return sent - self.readers[0].received_bytes // self._delivery_bytes

    def _undelivered(self) -> bool:
        sent = sum(writer.sent for writer in self.writers)
        return any(reader.received_bytes // self._delivery_bytes < sent for reader in self.readers)

    def _delivered(self) -> int:
        return sum(reader.received_bytes for reader in self.readers) // self._delivery_bytes

    def _acknowledged(self) -> int:
        return sum(writer.received_bytes for writer in self.writers) // self._ack_bytes

    def _message(self, number: int) -> bytes:
        address, value = f"/bench/light/{number:04}", encode_value(0.5)
        if self._load.kind == "set":
            return framed(Set(address, value), 1)
        return framed(Publish(address, SignalType.EVENT, value), 1)

    def _sizes(self) -> tuple[int, int]:
        frame_bytes = len(self._frames[0]) - 6
        self._value_at = len(self._frames[0]) - 8
        if self._load.kind == "set":
            self._value_from_end = 16
            return frame_bytes + 2, frame_bytes + 2 + 8
        self._value_from_end = 8
        return 1, frame_bytes + 2


class Generator:
    """A load in a process of its own, on a core of its own, connected and ready to go."""

    def __init__(self, load: Load) -> None:
        command = [sys.executable, "-m", "bench.load", json.dumps(asdict(load))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._hear()

    def go(self) -> Result:
        """Run it, and end the process."""
        result = Result(**json.loads(self._hear("go\n")))
        self._process.communicate()
        return result

    def _hear(self, word: str = "") -> str:
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        assert pipe_in is not None
        assert pipe_out is not None
        pipe_in.write(word)
        pipe_in.flush()
        line = pipe_out.readline()
        if not line:
            raise RuntimeError(f"the load generator failed with exit code {self._process.wait()}")
        return line


def main() -> None:
    """The process: connect, say so, and when told to go, run and print the result."""
    pin(os.getpid(), LOAD_CORE)
    run = Run(Load(**json.loads(sys.argv[1])))
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(asdict(run.go())), flush=True)


if __name__ == "__main__":
    main()
