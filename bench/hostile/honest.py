"""Honest peers in a ring: each sends numbered events to the next, who checks that all come, in order."""

import asyncio
from contextlib import AsyncExitStack
from statistics import quantiles
from time import perf_counter
from typing import NamedTuple

from bench.hostile.session import READ_BYTES, Streams, joined
from bench.speech.clasp import framed
from bench.speech.websocket import unwrapping
from clasp_journal.entry import SignalType
from clasp_journal.value import encode as encode_value
from router.wire.codec import encode
from router.wire.frame import encode_frame
from router.wire.messages import Publish, Subscribe

PEERS = 50
EVENTS_PER_S = 20
PATIENCE_S = 30.0
"""For the last events to come after the last was sent."""
_FIRST = 1 << 32
"""Where numbering begins: so every number is encoded in as many bytes."""


class Outcome(NamedTuple):
    """What became of all events."""

    sent: int
    lost: int
    disordered: int
    p50_ms: float
    p99_ms: float


def address(place: int) -> str:
    """Where events for a peer are sent."""
    return f"/honest/{place:04}"


def event(receiver: int, number: int) -> Publish:
    """The event with a number, for a peer."""
    return Publish(address(receiver), SignalType.EVENT, encode_value(_FIRST + number))


class Honest:
    """One peer: its own session, the times at which it sent, and what it was sent."""

    def __init__(self, place: int, streams: Streams) -> None:
        self._place = place
        self._reader, self._writer = streams
        self.sent_s: list[float] = []
        self.received = 0
        self.disordered = 0
        self.latencies_s: list[float] = []

    async def send(self, receiver: int, events: int) -> None:
        """An event now and then."""
        for number in range(events):
            self.sent_s.append(perf_counter())
            self._writer.write(framed(event(receiver, number)))
            await self._writer.drain()
            await asyncio.sleep(1 / EVENTS_PER_S)

    async def receive(self, before: "Honest", events: int) -> None:
        """Read until so many have come."""
        unwrap, size, rest = unwrapping(), len(encode_frame(encode(event(self._place, 0)))), b""
        while self.received < events:
            data = await self._reader.read(READ_BYTES)
            now_s = perf_counter()
            if not data:
                return
            rest += unwrap(data)
            while len(rest) >= size:
                number = int.from_bytes(rest[size - 8 : size], "big") - _FIRST
                self.disordered += number != self.received
                self.latencies_s.append(now_s - before.sent_s[number])
                self.received += 1
                rest = rest[size:]


async def converse(port: int, seconds: float, peers: int = PEERS) -> Outcome:
    """Let all of them send and receive for some seconds."""
    events = round(seconds * EVENTS_PER_S)
    async with AsyncExitStack() as held:
        ring = [
            Honest(place, await held.enter_async_context(joined(port, Subscribe(1, address(place)))))
            for place in range(peers)
        ]
        try:
            async with asyncio.timeout(seconds + PATIENCE_S):
                await asyncio.gather(
                    *(peer.send((place + 1) % peers, events) for place, peer in enumerate(ring)),
                    *(peer.receive(ring[place - 1], events) for place, peer in enumerate(ring)),
                )
        except TimeoutError:
            pass  # What has not come by now is lost.
    latencies = [one for peer in ring for one in peer.latencies_s] or [0.0, 0.0]
    cuts = quantiles(latencies, n=100)
    lost = events * peers - sum(peer.received for peer in ring)
    disordered = sum(peer.disordered for peer in ring)
    return Outcome(events * peers, lost, disordered, cuts[49] * 1e3, cuts[98] * 1e3)
