"""Two clients and what they can tell each other: params, events, locks, bundles.

python examples/two_clients.py [ws://127.0.0.1:7330]

Without a URL it starts a router of its own.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from router import Router, RouterConfig
from router.client import Refused, connect, make_publish, make_set
from router.quantities import Address


@asynccontextmanager
async def some_router() -> AsyncIterator[str]:
    """The URL of the router that was named, or of one that is started for this."""
    if len(sys.argv) > 1:
        yield sys.argv[1]
        return
    config = RouterConfig(listen=Address("127.0.0.1", 0), journal="memory:")
    async with Router(config) as router:
        yield router.url


async def main() -> None:
    """A desk writes, a lamp listens."""
    async with some_router() as url, connect(url, name="desk") as desk, connect(url, name="lamp") as lamp:
        # A subscription is iterated, or given a callback. It starts with the params as they are.
        await desk.set("/light/1/level", 0.2)
        lights = await lamp.subscribe("/light/**")
        update = await anext(lights)
        print(f"{update.origin.value}: {update.address} = {update.value}")

        # `set` returns the revision when the router has the value safe. Who expects an older one is told.
        revision = await desk.set("/light/1/level", 0.5)
        print(f"live: revision {revision}, heard {(await anext(lights)).value}")
        try:
            await lamp.set("/light/1/level", 0.0, revision=1)
        except Refused as refusal:
            print(f"refused: {refusal}")

        # Whoever holds a lock writes alone, until it unlocks or leaves.
        await desk.set("/light/1/level", 0.6, lock=True)
        try:
            await lamp.set("/light/1/level", 0.0)
        except Refused as refusal:
            print(f"refused: {refusal}")
        await anext(lights)

        # All parts of a bundle take effect together, with nothing of anyone else in between.
        parts = [
            make_set("/light/1/level", 1.0),
            make_set("/light/2/level", 1.0),
            make_publish("/light/cue", "curtain"),
        ]
        await desk.bundle(parts)
        for _ in parts:
            update = await anext(lights)
            print(f"bundle: {update.signal.name.lower()} {update.address} = {update.value}")


if __name__ == "__main__":
    asyncio.run(main())
