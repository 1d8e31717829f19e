"""Our own client lives through the ends of its router: it comes back, and goes on where it was."""

import asyncio
import random

import pytest

from router.client import ConnectionLost, Origin, connect
from tests.e2e.router_process import PATIENCE_S, RouterProcess

ENDS = {"stop": RouterProcess.stop, "kill": RouterProcess.kill, "kill all": RouterProcess.kill_all}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
async def test_a_follower_gets_every_entry_once_across_restarts(router: RouterProcess, end):
    """One client writes, one follows; the router ends three times. No entry is missing or comes twice."""
    url, rng = f"ws://127.0.0.1:{router.port}", random.Random("follow")
    faults: list[Exception] = []
    async with (
        connect(url, name="writer", on_error=faults.append) as writer,
        connect(url, name="follower", on_error=faults.append) as follower,
        asyncio.timeout(PATIENCE_S),
    ):
        history = follower.replay("/n", follow=True)
        numbers, seqs = [], []

        async def follow() -> None:
            async for entry in history:
                numbers.append(entry.value)
                seqs.append(entry.seq)
                if entry.value == 199:
                    return

        following = asyncio.create_task(follow())
        pauses = sorted(rng.sample(range(20, 180), 3))
        for number in range(200):
            if number in pauses:
                await end(router)
                await router.start()
                await writer.wait_connected()
            await writer.set("/n", number)
        await following
    assert numbers == list(range(200))
    assert seqs == list(range(1, 201))
    assert not history.incomplete
    assert all(isinstance(fault, ConnectionLost) for fault in faults), faults


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
async def test_subscriptions_and_params_are_there_again(router: RouterProcess, end):
    """After the reconnect changes arrive as before, and the params are those of the router."""
    url = f"ws://127.0.0.1:{router.port}"
    async with (
        connect(url, on_error=ignore) as reader,
        connect(url, on_error=ignore) as writer,
        asyncio.timeout(PATIENCE_S),
    ):
        updates = await reader.subscribe("/light/*")
        await writer.set("/light/1", 1)
        assert (await anext(updates)).value == 1
        await end(router)
        await router.start()
        await reader.wait_connected()
        await writer.wait_connected()
        assert await writer.set("/light/1", 2) == 2
        update = await anext(updates)
        assert (update.value, update.revision, update.origin) == (2, 2, Origin.LIVE)
        assert reader.params["/light/1"] == 2


def ignore(fault: Exception) -> None:
    """The router is away now and then; that is the point."""
