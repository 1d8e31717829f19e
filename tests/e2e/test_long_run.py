"""Mixed load for minutes: the router, the process of its journal, or both are killed now and then.

`make soak ARGS=tests/e2e/test_long_run.py` prints a line per minute. `CLASP_SOAK_MINUTES` says how long it
takes, 30 unless told. In the first third nobody is killed, in the second only the process of the journal, so
that the memory of both tells something.
"""

import os
import random
import time

import pytest

from tests.e2e.long_run import Ending, LongRun

MINUTES = float(os.environ.get("CLASP_SOAK_MINUTES", "30"))
PROMISES_MAX = 10_000
CHILD_DIES_SHARE = 0.3
KEPT = "50000"
"""Entries, more than a stretch writes: the oldest go while the router runs. So few that the caches of SQLite,
one for each of its connections, soon hold all there is; until then the process of the journal grows."""
SLOPE_MAX_KB_PER_MINUTE = 512
"""Memory is taken in steps: a single one of 1 MB in the midst of five minutes is a slope of 300."""
SLOPE_MINUTES = 8.0
"""A life that is shorter says nothing: the caches are still filling."""


async def test_a_few_stretches_of_every_kind(make_router):
    """Each end once, the process of the journal dying on the way: nothing is lost, nothing is left over."""
    run = LongRun(make_router("--snapshot-every", "100ms", "--retain", "2000"), "a few")
    await run.begin_life()
    for ending in Ending:
        await run.stretch(ending, 300, child_dies=ending is not Ending.KILL)
    assert run.ledger.lost == 0
    assert run.child_kills == len(Ending) - 1


@pytest.mark.soak
async def test_nothing_is_lost_and_nothing_grows(make_router, capsys: pytest.CaptureFixture[str]):
    """A third of the time in peace, then with more and more deaths; what grows and what is lost is told."""
    rng = random.Random("long run")
    run = LongRun(make_router("--snapshot-every", "5s", "--retain", KEPT), "long")
    began_s = time.monotonic()
    minute = told = 0.0
    await run.begin_life()
    try:
        while minute < MINUTES:
            third = int(3 * minute / MINUTES)
            ending = Ending.QUIET if third < 2 else rng.choice(list(Ending))
            dies = third > 0 and rng.random() < CHILD_DIES_SHARE
            await run.stretch(ending, rng.randint(1, PROMISES_MAX), child_dies=dies)
            minute = (time.monotonic() - began_s) / 60
            if minute >= told + 1:
                told = minute
                with capsys.disabled():
                    print(await run.report(minute), flush=True)
    finally:
        with capsys.disabled():
            print(f"in the end, after {run.stretches} stretches, {await run.report(minute)}", flush=True)
    assert run.ledger.lost == 0
    for memory in (run.memory, run.memory_of_child):
        if memory.longest.minutes >= SLOPE_MINUTES:
            assert memory.longest.slope_kb_per_minute <= SLOPE_MAX_KB_PER_MINUTE
