"""What a plan made from the past becomes on a router: SETs and PUBLISHes, sent like anybody's.

Laws: an undo goes in bundles, each of which takes effect as a whole or not at all, and expects the revisions
it was planned with; it ends at the first refusal, and says how far it came. A replay sends entries in their
order, each as close to its time as the loop allows; what the router refuses goes to the client's `on_error`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterator, Sequence
from itertools import islice

from clasp_journal.acting.replaying import AS_RECORDED, Pace, Renaming, Timetable, renamed
from clasp_journal.acting.undoing import Step, Undo
from clasp_journal.entry import TTL_NEVER, EntryKind, JournalEntry, Phase
from clasp_journal.value import NULL
from router.client.client import Client
from router.client.errors import ClientError, Refused
from router.client.exchange import now_us
from router.wire.messages import Publish, Set

BUNDLE_PARTS = 500
BUNDLE_BYTES = 32_000
PART_OVERHEAD_BYTES = 40
"""A bundle is full with one of these, counted in the part that fills it; a message holds twice as much."""


class UndoStopped(ClientError):
    """The router refused a part: what was sent before it is done, the rest is not."""

    def __init__(self, done: int, asked: int, refusal: Refused) -> None:
        super().__init__(f"{done} of {asked} params were brought back, then: {refusal}")
        self.done = done
        self.asked = asked
        self.refusal = refusal


async def undo(client: Client, plan: Undo, *, on_sent: Callable[[int], None] | None = None) -> int:
    """Have the router make these SETs; how many there were, once all of them are in its journal."""
    done = 0
    for steps in _bundles(plan.steps):
        try:
            await client.bundle([Set(s.address, s.encoded, s.revision, ttl=s.ttl) for s in steps])
        except Refused as refusal:
            raise UndoStopped(done, len(plan.steps), refusal) from refusal
        done += len(steps)
        if on_sent is not None:
            on_sent(len(steps))
    return done


def _bundles(steps: Sequence[Step]) -> Iterator[list[Step]]:
    left = iter(steps)
    while True:
        size_bytes = 0
        bundle = []
        for step in islice(left, BUNDLE_PARTS):
            bundle.append(step)
            size_bytes += len(step.address.encode()) + len(step.encoded) + PART_OVERHEAD_BYTES
            if size_bytes > BUNDLE_BYTES:
                break
        if not bundle:
            return
        yield bundle


async def replay_into(
    client: Client,
    entries: AsyncIterable[JournalEntry],
    *,
    pace: Pace = AS_RECORDED,
    renamings: Sequence[Renaming] = (),
    on_sent: Callable[[int], None] | None = None,
) -> int:
    """Send SETs and PUBLISHes again; how many, once the router has taken them.

    A sender's own time is moved as far as the entry is. Expiries are left to the router's clock.
    """
    timetable = Timetable(pace)
    loop = asyncio.get_running_loop()
    began_s: float | None = None
    sent = 0
    async for entry in entries:
        if entry.kind not in (EntryKind.SET, EntryKind.PUBLISH):
            continue
        due_s = timetable.due_us(entry.timestamp) / 1e6
        began_s = loop.time() - due_s if began_s is None else began_s
        wait_s = began_s + due_s - loop.time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)  # paced: the record says when
        await client.send(_message(entry, renamed(entry.address, renamings)))
        sent += 1
        if on_sent is not None:
            on_sent(1)
    await client.sync()
    return sent


def _message(entry: JournalEntry, address: str) -> Set | Publish:
    if entry.kind is EntryKind.SET:
        ttl = None if entry.ttl == TTL_NEVER else entry.ttl
        return Set(address, NULL if entry.encoded is None else entry.encoded, ttl=ttl)
    assert entry.signal_type is not None
    sent = entry.sent
    return Publish(
        address,
        entry.signal_type,
        entry.encoded,
        entry.samples,
        None if sent is None else max(0, sent + now_us() - entry.timestamp),
        entry.gesture_id,
        Phase.START if entry.phase is None else entry.phase,
        entry.rate,
    )
