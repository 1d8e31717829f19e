"""All clients of one load: who writes, who reads, and how much of what was sent has come.

Laws: a message is on its way until it is acknowledged and all its copies are delivered, whichever of the two
there are; progress is counted in bytes over all connections. What need not be looked at is not copied.
"""

import select
import struct
import time
from collections.abc import Callable

from bench.load.connection import Connection, enter_all
from bench.load.form import Load
from bench.speech import speech
from bench.speech.form import Count

PATIENCE_S = 5.0
"""For what is still on its way in the end, as long as nothing comes."""
STAMP = struct.Struct(">d")

Hear = Callable[[], int]
"""Takes what has come over one connection; how many units it was."""


class Everybody:
    """They have entered; a connection goes by the number of its socket."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.speech = speech(load.speech, load.groups)
        self._readers = [Connection(load.port, load.host) for _ in range(load.readers)]
        enter_all(
            self._readers,
            [self.speech.reader_enters(number, number % load.groups) for number in range(load.readers)],
        )
        self.writers = [Connection(load.port, load.host) for _ in range(load.writers)]
        enter_all(self.writers, [self.speech.writer_enters(number) for number in range(load.writers)])
        self._poll = select.epoll()
        self._deliveries: dict[int, Hear] = {}
        self._acks: dict[int, Hear] = {}
        self._delivered_units = self._ack_units = 0
        self._timed_rest = b""
        self._unwrap = self.speech.unwraps()
        self.latencies_us: list[float] = []
        """Of all messages of a load at a rate, as the first reader gets them."""
        self._listen()

    def _listen(self) -> None:
        for reader in self._readers:
            count = self.speech.hears()
            if self._load.rate_per_s and not self._deliveries:
                count = self._keeping_time(count)
            self._deliveries[reader.number] = _hearing(reader, count)
        for writer in self.writers:
            self._acks[writer.number] = _hearing(writer, self.speech.counts_acks())
        for number in (*self._deliveries, *self._acks):
            self._poll.register(number, select.EPOLLIN)

    @property
    def sent(self) -> int:
        """How many messages all writers have sent."""
        return sum(writer.sent for writer in self.writers)

    @property
    def delivered(self) -> int:
        """How many copies have come."""
        return self._delivered_units // self.speech.delivery_units

    @property
    def acknowledged(self) -> int:
        """How many messages were acknowledged, if they are at all."""
        return self._ack_units // self.speech.ack_units if self.speech.ack_units else 0

    @property
    def on_the_way(self) -> int:
        """How many messages are on the way."""
        done = self.acknowledged if self.speech.ack_units else self.sent
        if self._readers:
            done = min(done, self.delivered // self._load.copies)
        return self.sent - done

    @property
    def missing(self) -> int:
        """How many copies and acknowledgements have not come."""
        missing = max(0, self.sent * self._load.copies - self.delivered)
        if self.speech.ack_units:
            missing += max(0, self.sent - self.acknowledged)
        return missing

    def owed(self) -> list[dict[int, int]]:
        """For each group: who gets something of a message that goes there, and how many units of it."""
        readers, groups = list(self._deliveries), self._load.groups
        owed = [dict.fromkeys(readers[group::groups], self.speech.delivery_units) for group in range(groups)]
        if self.speech.ack_units:
            for one in owed:
                one[self.writers[0].number] = self.speech.ack_units
        return owed

    def read(self, timeout_s: float = 0) -> list[tuple[int, int]]:
        """Take what has come, or what comes first; from whom, and how many units."""
        return [(number, self._hear(number)) for number, _ in self._poll.poll(timeout_s)]

    def read_soon(self, until: float) -> None:
        """What comes before that; epoll knows milliseconds only, select knows better."""
        wait_s = max(0.0, until - time.perf_counter())
        ready, _, _ = select.select([*self._deliveries, *self._acks], [], [], wait_s)
        for number in ready:
            self._hear(number)

    def drain(self) -> float:
        """Take what is still on its way; give up when nothing comes for a while. When the last of it came."""
        last_at = time.perf_counter()
        while self.missing and time.perf_counter() < last_at + PATIENCE_S:
            before = self.missing
            self.read_soon(time.perf_counter() + 0.05)
            if self.missing != before:
                last_at = time.perf_counter()
            for writer in self.writers:
                writer.push()
        return last_at

    def close(self) -> None:
        """Everybody leaves."""
        for connection in (*self.writers, *self._readers):
            connection.close()
        self._poll.close()

    def _hear(self, number: int) -> int:
        hear = self._deliveries.get(number)
        if hear is not None:
            units = hear()
            self._delivered_units += units
        else:
            units = self._acks[number]()
            self._ack_units += units
        return units

    def _keeping_time(self, count: Count) -> Count:
        def count_and_keep(data: bytes) -> int:
            self._keep_time(data)
            return count(data)

        return count_and_keep

    def _keep_time(self, data: bytes) -> None:
        now = time.perf_counter()
        data = self._timed_rest + self._unwrap(data)
        unit_bytes = self.speech.delivery_units
        whole = len(data) - len(data) % unit_bytes
        self._timed_rest = data[whole:]
        for at in range(unit_bytes - self.speech.delivery_stamp_from_end, whole, unit_bytes):
            self.latencies_us.append((now - STAMP.unpack_from(data, at)[0]) * 1e6)


def _hearing(connection: Connection, count: Count) -> Hear:
    """Where bytes alone are counted, nobody looks at them."""
    return connection.discard if count is len else lambda: count(connection.receive())
