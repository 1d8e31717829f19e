"""Writers that outrun the journal: they wait, the router does not swell, and nothing is dropped.

The journal stands still because its process is stopped, as a disk may do for a while.
"""

import asyncio
import os
import signal

from router.core.limits import MIB, Limits
from router.wire.messages import Ack
from tests.e2e.conftest import Dial
from tests.e2e.past import ask_journal
from tests.e2e.peer import Peer, make_set, packed
from tests.e2e.router_process import RouterProcess

VALUE = "x" * 60_000
SETS = 2_000
STILL_AFTER = 100
"""Answered questions of others without any progress, after which a writer is taken to be held up."""
GROWTH_MAX_BYTES = Limits().journal_backlog_bytes + 64 * MIB


class Writer:
    """Sends more than the router may keep in memory."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.sent = 0

    async def send(self) -> None:
        """Send everything."""
        for number in range(SETS):
            await self._peer.say_bytes(packed(make_set(f"/flood/{number % 10}", [number, VALUE]), 1))
            self.sent += 1


async def test_writers_wait_while_the_journal_stands_still(router: RouterProcess, dial: Dial):
    """Others are served meanwhile, memory is bounded; when the journal goes on, everything is in it."""
    flooding, other = await dial(router), await dial(router)
    before_bytes = router.resident_bytes()
    journal = router.journal_pid()
    os.kill(journal, signal.SIGSTOP)
    writer = Writer(flooding)
    sending = asyncio.create_task(writer.send())
    try:
        await until_still(writer, other)
        assert not sending.done()
        assert writer.sent < SETS
        assert router.resident_bytes() - before_bytes < GROWTH_MAX_BYTES
        assert await router.probe("/healthz") == (200, b"ok\n")
    finally:
        os.kill(journal, signal.SIGCONT)
    acks = await flooding.hear_many(Ack, SETS)
    await sending
    assert [ack.revision for ack in acks[-10:]] == [SETS // 10] * 10
    assert (await ask_journal(other, "stats"))["entries"] == SETS


async def until_still(writer: Writer, other: Peer) -> None:
    """Wait until a writer gets nowhere while another session is answered again and again."""
    still, sent = 0, -1
    while still < STILL_AFTER:
        await other.fence()
        still = still + 1 if writer.sent == sent else 0
        sent = writer.sent
