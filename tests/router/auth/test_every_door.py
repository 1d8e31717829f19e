"""Random tokens at every door of one router: what comes in and what goes out is what brute force says."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack

import pytest

from clasp_journal import MemoryJournal
from clasp_journal import value as values
from clasp_journal.entry import EntryKind
from router import Address, Router, RouterConfig
from router.transports.memory import MemoryPeer
from router.wire.messages import Ack, Announce, Hello, JournalDo, JournalDone, Publish, Set, SignalDef
from tests.router.auth.brute import WORLD, Case, draw_cases
from tests.router.auth.keys import Keys
from tests.router.auth.visitor import Visitor

CASES = 500
SAMPLE = 60
SEED = 20_260_101
CAPACITY = 3 * len(WORLD)
"""The ring always holds the whole world, which is written anew for every case, and little else."""


class Stage:
    """A router with tokens, a world in it, and one who may do everything."""

    def __init__(self, router: Router, root: MemoryPeer) -> None:
        self.router = router
        self.root = root

    async def play(self) -> None:
        """Write the whole world, and wait until all of it is in the journal, and its state too."""
        for address in WORLD:
            self.root.send(Publish(address, encoded=values.encode("event")))
        for address in WORLD:
            self.root.send(Set(address, values.encode("root")), qos=1)
        for _ in WORLD:
            await self.root.until(lambda heard: isinstance(heard, Ack))
        self.root.send(JournalDo(1, "snapshot"))
        await self.root.until(lambda heard: isinstance(heard, JournalDone))
        del self.root.received[:]
        self.root._next = 0


async def rehearse(cases: list[Case], keys: Keys) -> None:
    """Let a visitor with the token of each case try every door."""
    subjects = {f"case {number}": case for number, case in enumerate(cases)}
    tokens = keys.make_all({"root": ["admin:/**"], **{name: case.scopes for name, case in subjects.items()}})
    journal = MemoryJournal(CAPACITY)
    config = RouterConfig(listen=Address("127.0.0.1", 0), auth=str(keys.path))
    async with AsyncExitStack() as stack:
        router = await stack.enter_async_context(Router(config).with_journal(journal))
        stage = Stage(router, router.connect())
        stage.root.send(Hello(token=tokens["root"]))
        stage.root.send(Announce("/", [SignalDef(address) for address in WORLD]))
        for number, (subject, case) in enumerate(subjects.items()):
            await stage.play()
            visitor = Visitor(router.connect(), case, legacy_form=number % 2 == 1)
            await visitor.enter(tokens[subject])
            await visitor.try_reading()
            await visitor.try_the_past()
            await visitor.try_writing()
            await stage.play()
            await visitor.hear(WORLD)
            visitor.look_back()
            visitor.peer.close()
            async for entry in journal.query("/**", limit=None):
                if entry.author in subjects and entry.kind in (EntryKind.SET, EntryKind.PUBLISH):
                    assert subjects[entry.author].opens("write", entry.address), entry


async def test_a_sample_of_tokens_at_every_door(keys):
    """As many as there is time for; `make soak` takes all of them."""
    await rehearse(draw_cases(SEED, SAMPLE), keys)


@pytest.mark.soak
async def test_five_hundred_tokens_at_every_door(keys):
    """With another seed each time, which is told if it fails."""
    seed = int.from_bytes(os.urandom(4))
    print("seed", seed)
    await rehearse(draw_cases(seed, CASES), keys)
