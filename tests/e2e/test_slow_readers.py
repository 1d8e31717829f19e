"""A reader that stops reading is alone with it: others miss nothing, and the router does not swell."""

import asyncio
from collections.abc import Callable

from router.core.limits import MIB
from router.wire.codec import decode
from router.wire.frame import decode_frame
from router.wire.messages import Error, Message, Subscribe
from tests.e2e.conftest import Dial
from tests.e2e.peer import Closed, Peer, make_event, make_set, packed_all
from tests.e2e.router_process import RouterProcess

PARAMS = 500
SETS = 200_000
EVENTS = 60_000
BATCH = 1_000
BATCHES_AHEAD = 5
"""By so many batches the writer may be ahead of the reader that keeps up."""
BUFFER_BYTES = 16 * 1024
FILLING = "x" * 80
LONG_FILLING = "x" * 1_000
GROWTH_MAX_BYTES = 96 * MIB
"""What a router may take beyond its start: an outbox of 8 MiB, a backlog of 64 MiB, and what it works on."""


async def write_and_keep_up(
    writer: Peer, reader: Peer, make: Callable[[int], Message], count: int, watched: RouterProcess
) -> int:
    """Send so many messages to a reader that takes each in order; by how many bytes the router grew."""
    before_bytes = most_bytes = watched.resident_bytes()
    behind = asyncio.Semaphore(BATCHES_AHEAD)

    async def write() -> None:
        for start in range(0, count, BATCH):
            await behind.acquire()
            await writer.say_bytes(packed_all(make(n) for n in range(start, start + BATCH)))

    async def keep_up() -> None:
        nonlocal most_bytes
        for number in range(count):
            message = decode(decode_frame(await reader.hear_frame()).payload)
            assert message.value[0] == number
            if number % BATCH == BATCH - 1:
                behind.release()
                most_bytes = max(most_bytes, watched.resident_bytes())

    await asyncio.gather(write(), keep_up())
    return most_bytes - before_bytes


async def test_a_reader_that_stops_costs_nobody_else_and_ends_with_the_last_values(
    router: RouterProcess, dial: Dial
):
    """Of 200,000 SETs who keeps up gets each in order; who did not read gets the last of each param."""
    writer, quick = await dial(router, "writer"), await dial(router, "quick")
    slow = await dial(router, "slow", buffer_bytes=BUFFER_BYTES)
    for reader in (quick, slow):
        await reader.say(Subscribe(1, "/slow/**"))
        await reader.hears_nothing()

    def make(number: int) -> Message:
        return make_set(f"/slow/{number % PARAMS}", [number, FILLING])

    grown_bytes = await write_and_keep_up(writer, quick, make, SETS, router)
    last: dict[str, int] = {}
    seen = 0
    for heard in await slow.fence():
        message, seen = heard.message, seen + 1
        number = message.value[0]
        assert number > last.get(message.address, -1)
        last[message.address] = number
    assert last == {f"/slow/{n % PARAMS}": n for n in range(SETS - PARAMS, SETS)}
    assert seen < SETS
    assert grown_bytes < GROWTH_MAX_BYTES


async def test_a_reader_that_does_not_take_its_events_is_closed_and_told_why(
    router: RouterProcess, dial: Dial
):
    """Events are never dropped silently: ERROR 503 and close 1013, while others get them all."""
    writer, quick = await dial(router, "writer"), await dial(router, "quick")
    slow = await dial(router, "slow", buffer_bytes=BUFFER_BYTES)
    for reader in (quick, slow):
        await reader.say(Subscribe(1, "/event"))
        await reader.hears_nothing()

    def make(number: int) -> Message:
        return make_event("/event", [number, LONG_FILLING])

    async def wake_up() -> None:
        await router.until_logged("it reads too slowly")
        code, heard = await read_to_the_end(slow)
        assert code == 1013
        *events, last = heard
        assert [event.value[0] for event in events] == list(range(len(events)))
        assert isinstance(last, Error)
        assert last.code == 503

    grown_bytes, _ = await asyncio.gather(write_and_keep_up(writer, quick, make, EVENTS, router), wake_up())
    assert grown_bytes < GROWTH_MAX_BYTES
    back = await dial(router, "slow")
    assert (await back.set("/slow/is/back", 1)).revision == 1


async def read_to_the_end(peer: Peer) -> tuple[int | None, list[Message]]:
    """The code with which the connection is closed, and what came before that."""
    messages = []
    try:
        while True:
            messages.append((await peer.hear_any()).message)
    except Closed as closed:
        return closed.code, messages
