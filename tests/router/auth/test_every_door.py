"""Random tokens at every door of one router: what comes in and what goes out is what brute force says."""

from __future__ import annotations

import os

import pytest

from clasp_journal import MemoryJournal
from router import Address, Router, RouterConfig
from tests.router.auth.brute import WORLD, Case, draw_cases
from tests.router.auth.keys import Keys
from tests.router.auth.rehearsal import by_subject, judge_written, rehearse, scopes_of
from tests.router.auth.visitor import Speaker

CASES = 500
SAMPLE = 150
SEED = 20_260_101
CAPACITY = 3 * len(WORLD)
"""The ring always holds the whole world, which is written anew for every case, and little else."""


async def hold(drawn: list[Case], keys: Keys) -> None:
    """A rehearsal in memory, from the doors to the journal."""
    cases = by_subject(drawn)
    tokens = keys.make_all(scopes_of(cases))
    journal = MemoryJournal(CAPACITY)
    config = RouterConfig(listen=Address("127.0.0.1", 0), auth=str(keys.path))
    async with Router(config).with_journal(journal) as router:

        async def dial() -> Speaker:
            judge_written(await journal.query("/**"), cases)
            return router.connect()

        await rehearse(cases, tokens, dial)
        judge_written(await journal.query("/**"), cases)


async def test_a_sample_of_tokens_at_every_door(keys):
    """As many as there is time for; `make soak` takes all of them."""
    await hold(draw_cases(SEED, SAMPLE), keys)


@pytest.mark.soak
async def test_five_hundred_tokens_at_every_door(keys):
    """With another seed each time, which is told if it fails."""
    seed = int.from_bytes(os.urandom(4))
    print("seed", seed)
    await hold(draw_cases(seed, CASES), keys)
