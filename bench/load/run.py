"""One load on its way: as fast as a window allows, or at a rate.

Laws: a message is on its way until it is acknowledged and all its copies are delivered, whichever of the two
there are; progress is counted in bytes over all connections. The time runs until everything has arrived.
"""

import select
import struct
import time
from statistics import quantiles

from bench.load.connection import Connection, enter_all
from bench.load.form import Load, Result
from bench.speech import speech
from bench.speech.form import Count

BLOCK = 256
"""Messages sent at once, at most."""
PULSE_S = 0.0002
"""Between messages at a rate, at least: of fifty thousand per second, ten go out together."""
PATIENCE_S = 5.0
"""For what is still on its way in the end, as long as nothing comes."""
STAMP = struct.Struct(">d")


class Run:
    """Everybody has entered; `go` starts it."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._speech = speech(load.speech, load.groups)
        self._hears: dict[int, tuple[Connection, Count, bool]] = {}
        self._delivered_units = self._ack_units = 0
        self._poll = select.epoll()
        self._latencies_us: list[float] = []
        self._timed_rest = b""
        self._unwrap = self._speech.unwraps()
        self._enter()

    def _enter(self) -> None:
        load, spoken = self._load, self._speech
        self._readers = [Connection(load.port, load.host) for _ in range(load.readers)]
        enter_all(
            self._readers,
            [spoken.reader_enters(number, number % load.groups) for number in range(load.readers)],
        )
        self._writers = [Connection(load.port, load.host) for _ in range(load.writers)]
        enter_all(self._writers, [spoken.writer_enters(number) for number in range(load.writers)])
        for who, makes_count, is_reader in (
            *((one, spoken.hears, True) for one in self._readers),
            *((one, spoken.counts_acks, False) for one in self._writers),
        ):
            self._hears[who.socket.fileno()] = who, makes_count(), is_reader
            self._poll.register(who.socket, select.EPOLLIN)

    def go(self) -> Result:
        """Send for the given time, wait for what is on its way, and count."""
        cpu, begin = time.process_time(), time.perf_counter()
        (self._at_a_rate if self._load.rate_per_s else self._as_fast_as_possible)(begin + self._load.seconds)
        sent_at = time.perf_counter()
        last_at = self._drain()
        result = Result(
            sent=self._sent,
            delivered=self._delivered,
            acknowledged=self._acknowledged if self._speech.ack_units else 0,
            seconds=last_at - begin,
            drain_s=max(0.0, last_at - sent_at),
            cpu_share=(time.process_time() - cpu) / (time.perf_counter() - begin),
            missing=self._missing,
        )
        if len(self._latencies_us) > 1:
            cuts = quantiles(self._latencies_us, n=100)
            result.p50_us, result.p99_us = cuts[49], cuts[98]
        return result

    def close(self) -> None:
        """Everybody leaves."""
        for connection in (*self._writers, *self._readers):
            connection.close()
        self._poll.close()

    def _as_fast_as_possible(self, end: float) -> None:
        blob = b"".join(self._speech.frames)
        frame_bytes = len(self._speech.frames[0])
        block = min(BLOCK, max(1, self._load.window // 2))
        begin = time.perf_counter()
        while (now := time.perf_counter()) < end:
            self._read(0.001)
            window = self._window(now - begin)
            for writer in self._writers:
                if window - self._on_the_way < block:
                    break
                at = writer.sent % (len(self._speech.frames) - block + 1)
                writer.send(blob[at * frame_bytes : (at + block) * frame_bytes], block)

    def _window(self, elapsed_s: float) -> int:
        """How much may be on its way: of a slow server no more than what it works off within the horizon."""
        window, horizon_s = self._load.window * len(self._writers), self._load.horizon_s
        if not horizon_s:
            return window
        done_per_s = (self._sent - self._on_the_way) / elapsed_s
        return min(window, max(2 * BLOCK, int(done_per_s * horizon_s)))

    def _at_a_rate(self, end: float) -> None:
        """Late messages go out together; each carries the time at which it really goes."""
        writer, frames, rate = self._writers[0], self._speech.frames, self._load.rate_per_s
        stamp_ends = -self._speech.stamp_from_end + STAMP.size
        parts = [
            (frame[: -self._speech.stamp_from_end], frame[stamp_ends:] if stamp_ends else b"")
            for frame in frames
        ]
        begin = next_pulse = time.perf_counter()
        while (now := time.perf_counter()) < end:
            due = min(int((now - begin) * rate) - writer.sent, BLOCK) if now >= next_pulse else 0
            if due > 0:
                stamp = STAMP.pack(now)
                some = (parts[n % len(parts)] for n in range(writer.sent, writer.sent + due))
                writer.send(b"".join([before + stamp + after for before, after in some]), due)
                next_pulse = now + PULSE_S
            self._read_soon(max(next_pulse, begin + (writer.sent + 1) / rate))

    def _read_soon(self, until: float) -> None:
        """What comes before the next message is due; epoll knows milliseconds only, select knows better."""
        wait_s = max(0.0, until - time.perf_counter())
        ready, _, _ = select.select(list(self._hears), [], [], wait_s)
        for number in ready:
            self._hear(number, timed=True)

    def _read(self, timeout_s: float) -> int:
        ready = self._poll.poll(timeout_s)
        for number, _ in ready:
            self._hear(number)
        return len(ready)

    def _hear(self, number: int, *, timed: bool = False) -> None:
        connection, count, is_reader = self._hears[number]
        data = connection.receive()
        if not is_reader:
            self._ack_units += count(data)
            return
        self._delivered_units += count(data)
        if timed and connection is self._readers[0]:
            self._keep_time(data)

    def _keep_time(self, data: bytes) -> None:
        now = time.perf_counter()
        data = self._timed_rest + self._unwrap(data)
        unit_bytes = self._speech.delivery_units
        whole = len(data) - len(data) % unit_bytes
        self._timed_rest = data[whole:]
        for at in range(unit_bytes - self._speech.delivery_stamp_from_end, whole, unit_bytes):
            self._latencies_us.append((now - STAMP.unpack_from(data, at)[0]) * 1e6)

    def _drain(self) -> float:
        """Take what is still on its way; give up when nothing comes for a while. When the last of it came."""
        last_at = time.perf_counter()
        while self._missing and time.perf_counter() < last_at + PATIENCE_S:
            if self._load.rate_per_s:
                before = self._missing
                self._read_soon(time.perf_counter() + 0.05)
                came = before != self._missing
            else:
                came = bool(self._read(0.05))
            if came:
                last_at = time.perf_counter()
            for writer in self._writers:
                writer.push()
        return last_at

    @property
    def _sent(self) -> int:
        return sum(writer.sent for writer in self._writers)

    @property
    def _delivered(self) -> int:
        return self._delivered_units // self._speech.delivery_units

    @property
    def _acknowledged(self) -> int:
        return self._ack_units // self._speech.ack_units

    @property
    def _on_the_way(self) -> int:
        done = self._acknowledged if self._speech.ack_units else self._sent
        if self._readers:
            done = min(done, self._delivered // self._load.copies)
        return self._sent - done

    @property
    def _missing(self) -> int:
        missing = max(0, self._sent * self._load.copies - self._delivered)
        if self._speech.ack_units:
            missing += max(0, self._sent - self._acknowledged)
        return missing
