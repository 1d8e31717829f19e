"""The router's own work for a message, from a peer's bytes to a reader's, in one process and without sockets.

What the kernel adds is the same for everybody; what is left is what a change of the hot modules, or building
them with `make compiled`, can gain. Processor time, the best of the rounds; ratios are to the first line.
"""

import asyncio
import gc
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from time import process_time_ns
from typing import NamedTuple

from bench.measure import Options, Row
from bench.speech.clasp import VALUE, framed
from clasp_journal.entry import SignalType
from clasp_journal.value import encode
from router.runtime.desk import Desk, DeskSettings
from router.runtime.door import Peer
from router.transports.splitter import Splitter
from router.wire import packing
from router.wire.messages import Hello, Message, Publish, Set, Subscribe

SCENARIO = "core"
ADDRESSES = 1_000
READ_FRAMES = 256
ROUND_READS = 40
BUILD = "interpreted" if packing.__file__.endswith(".py") else "compiled"


class Case(NamedTuple):
    """One kind of traffic."""

    name: str
    message: Callable[[int], Message]
    qos: int = 0
    patterns: Iterable[str] = ("/bench/**",)
    """One for each reader."""
    read_frames: int = READ_FRAMES


def _set(number: int) -> Message:
    return Set(f"/bench/light/{number:04}", VALUE)


def _set_text(number: int) -> Message:
    return Set(f"/bench/light/{number:04}", encode("warm white"))


def _publish(number: int) -> Message:
    return Publish(f"/bench/{number % 2}/{number:04}", SignalType.EVENT, VALUE)


CASES = (
    Case("SET 1-1", _set),
    Case("SET+ACK 1-1", _set, 1),
    Case("SET+ACK 1-1, a text", _set_text, 1),
    Case("SET+ACK 1-1, one per tick", _set, 1, read_frames=1),
    Case("PUBLISH 1-1", _publish),
    Case("PUBLISH 1-100", _publish, patterns=["/bench/**"] * 100),
    Case("PUBLISH 1-100, one per tick", _publish, patterns=["/bench/**"] * 100, read_frames=1),
    Case("PUBLISH 1-100, two groups in turns", _publish, patterns=["/bench/0/**", "/bench/1/**"] * 50),
)


class Client:
    """A connection without a socket: what it is sent is thrown away."""

    def __init__(self, desk: Desk, *patterns: str) -> None:
        self._link = desk.connect(self, Peer("bench", is_loopback=True))
        self._splitter = Splitter(self._link.receive, self, desk.limits.message_bytes)
        self.say(framed(Hello("bench")))
        for number, pattern in enumerate(patterns, 1):
            self.say(framed(Subscribe(number, pattern)))

    def say(self, data: bytes) -> None:
        """Bytes have come in one read."""
        self._link.stamp()
        self._splitter.feed(data)

    def write(self, packed: bytes) -> None:
        """Nothing to do: at a real door this would be a system call."""

    def pause_reading(self) -> None:
        """Is never needed without a journal."""

    resume_reading = abort = pause_reading

    def close(self, code: int, reason: str) -> None:
        """Never called: nobody is closed here."""

    def traffic(self) -> tuple[int, int]:
        """Never called: nobody asks how much went over it."""
        return 0, 0

    def on_ping(self, payload: bytes) -> None:
        """Never called: nobody pings here."""

    on_pong = on_close = on_ping

    def on_violation(self, code: int, reason: str) -> None:
        """A broken load must not be measured."""
        raise AssertionError(reason)


def run(options: Options) -> list[Row]:
    """Every case, one after the other."""
    reads, rounds = (1, 1) if options.tiny else (ROUND_READS, 5 * options.rounds)
    measured = [(case, asyncio.run(_measure(case, reads, rounds))) for case in CASES]
    baseline = measured[0][1]
    return [
        Row(SCENARIO, case.name, value, "ns/msg", value / baseline, server=BUILD) for case, value in measured
    ]


async def _measure(case: Case, reads: int, rounds: int) -> float:
    desk = Desk(DeskSettings())
    await desk.start()
    writer = Client(desk)
    # Whoever looks at the desk keeps them: the readers need no name.
    for pattern in case.patterns:
        Client(desk, pattern)
    frames = [framed(case.message(number), case.qos) for number in range(ADDRESSES)]
    data = [b"".join(read) for read in _reads(frames, case.read_frames, reads)]
    best = float("inf")
    gc.collect()
    gc.disable()
    for _ in range(rounds + 1):
        begin = process_time_ns()
        for read in data:
            writer.say(read)
            desk.exchange.flush()
        best = min(best, (process_time_ns() - begin) / (len(data) * case.read_frames))
    gc.enable()
    await desk.stop()
    return best


def _reads(frames: list[bytes], size: int, count: int) -> Iterator[list[bytes]]:
    """So many reads, but at least one message for every address."""
    endless = cycle(frames)
    for _ in range(max(count, len(frames) // size)):
        yield list(islice(endless, size))
