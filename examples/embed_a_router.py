"""A router inside a program: no process of its own, no port that anybody has to know.

python examples/embed_a_router.py
"""

import asyncio

from clasp_journal import open_journal
from router import Router, RouterConfig
from router.client import connect
from router.quantities import Address


async def main() -> None:
    """Embed it, use it, and look into its journal."""
    # Port 0 takes any free one; `router.url` says which.
    config = RouterConfig(listen=Address("127.0.0.1", 0), name="show")
    journal = await open_journal("memory:")
    async with Router(config).with_journal(journal) as router:
        async with connect(router.url, name="desk") as client:
            print(f"connected to {client.router_name!r}")
            await client.set("/light/1", 0.5)
            await client.publish("/cue/go", {"number": 7}, qos=2)
        # The program holds the journal itself and may ask it directly.
        for entry in await journal.query():
            print(f"#{entry.seq} {entry.name}: {entry.address} = {entry.value}")


if __name__ == "__main__":
    asyncio.run(main())
