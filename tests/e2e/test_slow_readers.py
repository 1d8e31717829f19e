"""A reader that stops reading is alone with it: others miss nothing, and the router does not swell."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import pytest

from clasp_journal import value as values
from clasp_journal.entry import SignalType
from router.core.limits import MIB
from router.wire.codec import decode
from router.wire.frame import decode_frame
from router.wire.messages import Error, Message, Publish, Set, Subscribe
from tests.e2e.conftest import Dial
from tests.e2e.peer import PONG, Closed, Peer, enveloped, make_event, make_set, packed_all
from tests.e2e.router_process import RouterProcess

PARAMS = 500
SETS = 200_000
SIGNALS = 60_000
BATCH = 1_000
BATCHES_AHEAD = 5
"""By so many batches the writer may be ahead of the reader that keeps up."""
BUFFER_BYTES = 16 * 1024
FILLING = "x" * 80
LONG_FILLING = "x" * 1_000
GROWTH_MAX_BYTES = 96 * MIB
"""What a router may take beyond its start: an outbox of 8 MiB, a backlog of 64 MiB, and what it works on."""


class Scene(NamedTuple):
    """One who writes, one who keeps up, and one who does not read until it is told to."""

    router: RouterProcess
    writer: Peer
    quick: Peer
    slow: Peer
    turn: asyncio.Lock
    """Who reads; they share one loop, and the router waits a moment only for who is closed."""

    async def play(self, make: Callable[[int], Message], count: int) -> int:
        """Send so many messages; the quick one takes each, in order. By how many bytes the router grew.

        That it still lives, the slow one proves by a pong now and then.
        """
        before_bytes = most_bytes = self.router.resident_bytes()
        ahead = asyncio.Semaphore(BATCHES_AHEAD)

        async def write() -> None:
            for start in range(0, count, BATCH):
                await ahead.acquire()
                await self.writer.say_bytes(packed_all(make(n) for n in range(start, start + BATCH)))

        async def keep_up() -> None:
            nonlocal most_bytes
            for number in range(count):
                async with self.turn:
                    message = decode(decode_frame(await self.quick.hear_frame()).payload)
                assert message.value[0] == number
                if number % BATCH == BATCH - 1:
                    ahead.release()
                    most_bytes = max(most_bytes, self.router.resident_bytes())
                    await prove_life(self.slow)

        await asyncio.gather(write(), keep_up())
        return most_bytes - before_bytes


async def prove_life(peer: Peer) -> None:
    """Say something that asks for nothing."""
    try:
        await peer.say_bytes(enveloped(b"", PONG))
    except ConnectionError:
        # It may have been closed for being slow.
        return


@pytest.fixture
async def scene(router: RouterProcess, dial: Dial) -> Scene:
    """All of them, listening to the same."""
    writer, quick = await dial(router, "writer"), await dial(router, "quick")
    slow = await dial(router, "slow", buffer_bytes=BUFFER_BYTES)
    for reader in (quick, slow):
        await reader.say(Subscribe(1, "/flow/**"))
        await reader.hears_nothing()
    return Scene(router, writer, quick, slow, asyncio.Lock())


async def test_a_reader_that_stops_costs_nobody_else_and_ends_with_the_last_values(scene: Scene):
    """Of 200,000 SETs who keeps up gets each in order; who did not read gets the last of each param."""
    grown_bytes = await scene.play(lambda n: make_set(f"/flow/{n % PARAMS}", [n, FILLING]), SETS)
    last: dict[str, int] = {}
    seen = 0
    for heard in await scene.slow.fence():
        message, seen = heard.message, seen + 1
        number = message.value[0]
        assert number > last.get(message.address, -1)
        last[message.address] = number
    assert last == {f"/flow/{n % PARAMS}": n for n in range(SETS - PARAMS, SETS)}
    assert seen < SETS
    assert grown_bytes < GROWTH_MAX_BYTES


async def test_a_reader_that_does_not_take_its_events_is_closed_and_told_why(scene: Scene, dial: Dial):
    """Events are never dropped silently: ERROR 503 and close 1013, while others get them all."""

    async def wake_up() -> None:
        await scene.router.until_logged("it reads too slowly")
        async with scene.turn:
            code, heard = await read_to_the_end(scene.slow)
        assert code == 1013
        *events, last = heard
        assert [event.value[0] for event in events] == list(range(len(events)))
        assert isinstance(last, Error)
        assert last.code == 503

    playing = scene.play(lambda n: make_event("/flow/event", [n, LONG_FILLING]), SIGNALS)
    grown_bytes, _ = await asyncio.gather(playing, wake_up())
    assert grown_bytes < GROWTH_MAX_BYTES
    back = await dial(scene.router, "slow")
    assert (await back.set("/slow/is/back", 1)).revision == 1


async def test_a_slow_reader_of_a_stream_misses_the_oldest_samples_and_stays(scene: Scene):
    """Samples are dropped oldest first; the newest arrives, in order, and so does what is no sample."""

    def make(number: int) -> Message:
        return Publish("/flow/stream", SignalType.STREAM, values.encode([number, LONG_FILLING]))

    grown_bytes = await scene.play(make, SIGNALS)
    await scene.writer.set("/flow/param", "meanwhile")
    *samples, last = [heard.message for heard in await scene.slow.fence()]
    assert (type(last), last.value) == (Set, "meanwhile")
    numbers = [sample.value[0] for sample in samples]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == SIGNALS - 1
    assert len(numbers) < SIGNALS
    assert grown_bytes < GROWTH_MAX_BYTES


async def read_to_the_end(peer: Peer) -> tuple[int | None, list[Message]]:
    """The code with which the connection is closed, and what came before that."""
    messages = []
    try:
        while True:
            messages.append((await peer.hear_any()).message)
    except Closed as closed:
        return closed.code, messages
