"""Many readers and much state: everybody gets everything, in order."""

import asyncio

import pytest

from clasp_journal import value as values
from router.wire.codec import encode
from router.wire.frame import encode_frame
from router.wire.messages import Set, Snapshot, Subscribe
from tests.e2e.conftest import Dial
from tests.e2e.peer import Peer, make_event, make_set, packed_all
from tests.e2e.router_process import RouterProcess

PARAMS = 3_000
ADDRESS_BYTES = 44
SETS = 2_000
WRITERS = 4
SETS_EACH = 500


def long_address(number: int) -> str:
    """An address of exactly 44 characters."""
    return f"/venue/stage/left/{number:05}".ljust(ADDRESS_BYTES, "x")


async def test_three_thousand_long_addresses_reach_a_late_joiner(shared_router: RouterProcess, dial: Dial):
    """More than one SNAPSHOT is needed; no address is lost or comes twice. A subscription gets them too."""
    early = await dial(shared_router, "early")
    await early.say_bytes(packed_all(make_set(long_address(n), n) for n in range(PARAMS)))
    await early.hears_nothing()
    late = await dial(shared_router, "late")
    expected = {long_address(n): (n, 1, early.session) for n in range(PARAMS)}
    assert {a: (p.value, p.revision, p.writer) for a, p in late.params.items()} == expected
    await late.say(Subscribe(1, "/venue/**"))
    snapshots = [heard.message for heard in await late.fence()]
    assert all(isinstance(snapshot, Snapshot) for snapshot in snapshots)
    assert all(0 < len(snapshot.params) <= 800 for snapshot in snapshots)
    addresses = [param.address for snapshot in snapshots for param in snapshot.params]
    assert sorted(addresses) == sorted(expected)


@pytest.mark.parametrize("readers", [12, 60])
async def test_every_subscriber_sees_every_set_in_order(
    shared_router: RouterProcess, dial: Dial, readers: int
):
    """Two thousand SETs of one address, as fast as they can be sent, reach all who listen, one by one."""
    address = f"/fan/out/{readers}"
    audience = [await dial(shared_router, f"reader {n}") for n in range(readers)]
    for reader in audience:
        await reader.say(Subscribe(1, "/fan/out/*"))
        await reader.fence()
    writer = await dial(shared_router, "writer")

    await writer.say(make_set(address, 0))
    expected = [as_delivered(address, n) for n in range(SETS + 1)]

    async def read(reader: Peer) -> None:
        assert [await reader.hear_frame() for _ in expected] == expected

    reading = [asyncio.create_task(read(reader)) for reader in audience]
    await writer.say_bytes(packed_all(make_set(address, n) for n in range(1, SETS + 1)))
    await asyncio.gather(*reading)


def as_delivered(address: str, number: int) -> bytes:
    """The frame of the SET that gives the address this number as its value, one revision above it."""
    return encode_frame(encode(Set(address, values.encode(number), number + 1)), 1)


async def test_all_readers_see_several_writers_in_one_order(shared_router: RouterProcess, dial: Dial):
    """Whoever wrote what when: two readers of everything see the same sequence."""
    writers = [await dial(shared_router, f"writer {n}") for n in range(WRITERS)]
    readers = [await dial(shared_router, f"reader {n}") for n in range(2)]
    for reader in readers:
        await reader.say(Subscribe(1, "/many/**"))
        await reader.fence()

    def score(number: int) -> bytes:
        messages = []
        for n in range(SETS_EACH):
            address = f"/many/{n % 3}"
            messages += [make_set(address, [number, n]), make_event("/many/event", [number, n])]
        return packed_all(messages)

    async def read(reader: Peer) -> list[bytes]:
        return [await reader.hear_frame() for _ in range(WRITERS * SETS_EACH * 2)]

    reading = [asyncio.create_task(read(reader)) for reader in readers]
    await asyncio.gather(*(writer.say_bytes(score(n)) for n, writer in enumerate(writers)))
    first, second = await asyncio.gather(*reading)
    assert first == second
