"""Mixed load for minutes: the router, the process of its journal, or both are killed now and then.

`make soak ARGS=tests/e2e/test_long_run.py` prints a line per minute. `CLASP_SOAK_MINUTES` says how long it
takes, 30 unless told; in the first half the router itself is left alive, so that its memory tells something.
"""

import os
import random
import time

import pytest

from tests.e2e.long_run import Ending, LongRun

MINUTES = float(os.environ.get("CLASP_SOAK_MINUTES", "30"))
PROMISES_MAX = 10_000
CHILD_DIES_SHARE = 0.3
KEPT = "200000"
"""Entries: the oldest go while the router runs."""
SLOPE_MAX_KB_PER_MINUTE = 512
SLOPE_MINUTES = 5.0
"""Over less than that a slope says nothing."""


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
    """Half of the time in one life, then in many; memory, descriptors, backlog and losses are told."""
    rng = random.Random("long run")
    run = LongRun(make_router("--snapshot-every", "5s", "--retain", KEPT), "long")
    began_s = time.monotonic()
    minute = told = 0.0
    await run.begin_life()
    try:
        while minute < MINUTES:
            ending = Ending.QUIET if minute < MINUTES / 2 else rng.choice(list(Ending))
            dies = rng.random() < CHILD_DIES_SHARE
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
    if run.longest.minutes >= SLOPE_MINUTES:
        assert run.longest.slope_kb_per_minute <= SLOPE_MAX_KB_PER_MINUTE
