"""An evening is recorded, and played once more to somebody who was not there.

python examples/replay_an_evening.py
"""

import asyncio

from clasp_journal.entry import EntryKind, JournalEntry
from router import Router, RouterConfig
from router.client import Client, connect
from router.quantities import Address

SPEED = 10.0
"""How many times faster than it was."""


async def play_an_evening(desk: Client) -> None:
    """Fade a light up, call the cues."""
    await desk.journal_do("mark", {"mark": "doors open"})
    await desk.emit("/cue/go", "preset")
    for step in range(5):
        await desk.set("/light/1/level", step / 4)
        await asyncio.sleep(0.05)
    await desk.emit("/cue/go", "curtain")
    await desk.journal_do("mark", {"mark": "curtain"})


async def play_again(entry: JournalEntry, stage: Client) -> None:
    """Do once more what an entry says, under another name."""
    address = f"/again{entry.address}"
    if entry.kind is EntryKind.SET:
        await stage.set(address, entry.value)
    elif entry.kind is EntryKind.PUBLISH:
        await stage.publish(address, entry.value)


async def main() -> None:
    """Record, ask what there is, play it back in its own rhythm."""
    config = RouterConfig(listen=Address("127.0.0.1", 0), journal="memory:")
    async with Router(config) as router, connect(router.url, name="desk") as desk:
        await play_an_evening(desk)

        marks = [entry async for entry in desk.replay(journal_kinds=True) if entry.kind is EntryKind.MARK]
        print(f"{len(marks)} marks, {(await desk.journal_do('stats'))['latest_seq']} entries in all")

        async with connect(router.url, name="stage") as stage:
            watching = await desk.subscribe("/again/**")
            before_us = marks[0].timestamp
            # Entries come oldest first, a page at a time; the client can be used inside the loop.
            async for entry in desk.replay(from_us=marks[0].timestamp, to_us=marks[1].timestamp):
                await asyncio.sleep((entry.timestamp - before_us) / 1_000_000 / SPEED)
                before_us = entry.timestamp
                await play_again(entry, stage)
                update = await anext(watching)
                print(f"{update.address} = {update.value}")


if __name__ == "__main__":
    asyncio.run(main())
