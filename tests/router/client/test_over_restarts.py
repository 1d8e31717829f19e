"""The client while the router behind it is killed and started again."""

import asyncio
import signal

import pytest

from router.client import ConnectionLost, Origin, connect
from tests.interop.router_process import running_router
from tests.router.client.peer import until

KILLS = 3


@pytest.fixture
async def router(tmp_path):
    """A router in a process of its own, with a journal in a file."""
    async with running_router(tmp_path) as running:
        yield running


def ignore(fault):
    """Reconnecting is expected to fail for a while."""


async def write(client, acknowledged: list[int], ended: asyncio.Event) -> None:
    """Count up, and note what was acknowledged."""
    number = 0
    while not ended.is_set():
        number += 1
        try:
            await client.set("/n", number)
        except ConnectionLost:
            await client.wait_connected()
        else:
            acknowledged.append(number)
    await client.set("/n", "end")


async def test_a_follower_has_every_acknowledged_entry_once_and_in_order(router):
    """Whatever happened between, its numbers have no gap."""
    acknowledged, ended = [], asyncio.Event()
    async with (
        connect(router.url, on_error=ignore) as writer,
        connect(router.url, on_error=ignore) as reader,
    ):
        follower = reader.replay("/n", follow=True)
        writing = asyncio.create_task(write(writer, acknowledged, ended))
        entries = []

        async def read():
            async for entry in follower:
                entries.append(entry)
                if entry.value == "end":
                    return

        reading = asyncio.create_task(read())
        for _ in range(KILLS):
            before = len(acknowledged)
            await until(lambda: len(acknowledged) >= before + 50)  # noqa: B023 awaited at once
            await router.stop(signal.SIGKILL)
            await router.start()
        ended.set()
        async with asyncio.timeout(60):
            await asyncio.gather(writing, reading)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert [entry.revision for entry in entries] == list(range(1, len(entries) + 1))
        numbers = [entry.value for entry in entries[:-1]]
        assert numbers == sorted(set(numbers))
        assert set(acknowledged) <= set(numbers)
        assert not follower.incomplete


async def test_a_subscription_hears_what_changed_while_it_was_away(router):
    """The router comes back with the state, and the subscription gets the difference."""
    async with connect(router.url, on_error=ignore) as client:
        await client.set("/s/same", 1)
        subscription = await client.subscribe("/s/*")
        assert (await anext(subscription)).value == 1
        await router.stop(signal.SIGTERM)
        await router.start()
        async with connect(router.url) as other:
            await other.set("/s/new", 2)
        update = await anext(subscription)
        assert (update.address, update.value) == ("/s/new", 2)
        assert update.origin in (Origin.LIVE, Origin.SNAPSHOT)
        await client.wait_connected()
        assert dict(client.params) == {"/s/same": 1, "/s/new": 2}
        assert await client.set("/s/same", 1) == 2
