"""Again and again under load: the router ends at a random moment, and nothing that it promised is missing.

A round ends it by SIGTERM, by SIGKILL of the router alone, or of the router and the process of its journal
together. The moments are drawn from a seed that the failure names.
"""

import asyncio
import random

import pytest

from clasp_journal.entry import JournalEntry
from router.wire.messages import Ack, Entries, Replay, ReplayExtension, Set
from tests.e2e.ledger import Ledger
from tests.e2e.past import Past, read_past
from tests.e2e.peer import Closed, Peer
from tests.e2e.router_process import PATIENCE_S, RouterProcess
from tests.e2e.writer import Writer

WRITERS = 4
PROMISES_MAX = 1_200
SNAPSHOT_EVERY = "100ms"
"""So often that some ends come in the middle of one."""
TURNS_MAX = 30
"""Turns of the loop between the last promise waited for and the end."""
ENDS = (RouterProcess.stop, RouterProcess.kill, RouterProcess.kill_all)


async def follow_until_cut_off(peer: Peer, position: dict[str, object], seen: list[JournalEntry]) -> None:
    """Note every entry that a follower is told."""
    extension = ReplayExtension(1, as_entries=True, follow=True, **position)
    await peer.say(Replay("/**", extension=extension))
    try:
        while True:
            seen += (await peer.hear(Entries)).entries
    except Closed:
        return


async def run_round(router: RouterProcess, number: int, seed: str, ledger: Ledger, epoch: str | None) -> Past:
    """Load, end, start, look. What is new in the journal; its epoch stays the same."""
    rng = random.Random(seed)
    end = ENDS[number % len(ENDS)]
    position = {"after_seq": ledger.last_seq, "epoch": epoch} if epoch else {}
    writers = [await Peer.connect(router.port, f"writer {n}") for n in range(WRITERS)]
    follower = await Peer.connect(router.port, "follower")
    told: list[JournalEntry] = []
    following = asyncio.create_task(follow_until_cut_off(follower, position, told))
    writing = [asyncio.create_task(Writer(peer, n, seed, ledger).write()) for n, peer in enumerate(writers)]
    async with asyncio.timeout(PATIENCE_S):
        await ledger.until_promised(rng.randint(1, PROMISES_MAX))
    for _ in range(rng.randrange(TURNS_MAX)):
        await asyncio.sleep(0)
    await end(router)
    *ends, _ = await asyncio.gather(*writing, following)
    if end is not RouterProcess.stop:
        assert {closed.code for closed in ends} == {None}
    for peer in (*writers, follower):
        peer.hang_up()
    await router.start()
    peer = await Peer.connect(router.port, "auditor")
    past = await read_past(peer, **position)
    assert not past.incomplete
    ledger.check_new(past.entries)
    assert told == past.entries[: len(told)], "what a follower was told is no longer so"
    assert peer.params == ledger.params
    peer.hang_up()
    return past


async def check_the_whole_past(router: RouterProcess, entries: list[JournalEntry]) -> None:
    """Plain REPLAY and ENTRIES tell all of it, each entry once and in order."""
    peer = await Peer.connect(router.port, "historian")
    assert (await read_past(peer)).entries == entries
    await peer.say(Replay("/**"), qos=1)
    for entry in entries:
        heard = await peer.hear_any()
        message = heard.message
        assert (heard.timestamp, message.address, message.encoded) == (
            entry.timestamp,
            entry.address,
            entry.encoded,
        )
        assert entry.revision == (message.revision if isinstance(message, Set) else None)
    assert await peer.hear(Ack) == Ack("/**", len(entries))
    peer.hang_up()


@pytest.mark.parametrize("rounds", [12, pytest.param(200, marks=pytest.mark.soak)])
async def test_whatever_was_acknowledged_is_there_after_every_restart(make_router, rounds: int):
    """Value, type, revision, writer and time; revisions and numbers go on; the epoch stays."""
    router = await make_router("--snapshot-every", SNAPSHOT_EVERY).start()
    ledger, epoch = Ledger(), None
    entries: list[JournalEntry] = []
    for number in range(rounds):
        seed = f"round {number} of {rounds}"
        try:
            past = await run_round(router, number, seed, ledger, epoch)
        except BaseException as fault:
            fault.add_note(f"in {seed}, ended by {ENDS[number % len(ENDS)].__name__}")
            raise
        assert epoch in (None, past.epoch)
        epoch = past.epoch
        entries += past.entries
    await check_the_whole_past(router, entries)
