"""Commits step aside for who reads: for a moment, and for nobody who waits for them."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from clasp_journal.memory import MemoryJournal
from router.recording import committing, readers
from router.recording.committing import Committer
from tests.router.recording.history import packet, sets

FOR_EVER_S = 3_600.0


class Reports:
    """Keeps what was committed."""

    def __init__(self):
        self.groups = []
        self.second = asyncio.Event()

    def committed(self, packet_number, first_seq, last_seq, synced):
        """Take note."""
        self.groups.append((first_seq, last_seq))
        if len(self.groups) == 2:
            self.second.set()


@asynccontextmanager
async def committing_one_by_one():
    """A committer that runs, with one packet committed and a second one submitted while somebody reads."""
    reports = Reports()
    committer = Committer(MemoryJournal(), reports)
    running = asyncio.create_task(committer.run())
    submit(committer, 1)
    await committer.reach_now()
    with committer.readers.one_more():
        submit(committer, 2)
        yield committer, reports
    await committer.drain()
    running.cancel()


def submit(committer, number):
    """Another packet, of one entry."""
    committer.submit(number, packet(sets(1, start=number)), synced=False, awaited=True)


async def turns_of_the_loop(count=10):
    """Let everything happen that needs no time."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_comes_while_somebody_reads_is_one_commit(monkeypatch):
    """Also if it comes bit by bit, and others still read when the first has gone."""
    monkeypatch.setattr(readers, "ASIDE_S", FOR_EVER_S)
    async with committing_one_by_one() as (committer, reports):
        for number in range(3, 6):
            with committer.readers.one_more():
                submit(committer, number)
                await turns_of_the_loop()
        assert reports.groups == [(1, 1)]
    assert reports.groups == [(1, 1), (2, 5)]


async def test_a_question_does_not_wait_for_who_reads(monkeypatch):
    """What it waits for is committed while somebody reads; what comes behind it steps aside again."""
    monkeypatch.setattr(readers, "ASIDE_S", FOR_EVER_S)
    async with committing_one_by_one() as (committer, reports):
        await turns_of_the_loop()
        await committer.reach_now()
        submit(committer, 3)
        await turns_of_the_loop()
        assert reports.groups == [(1, 1), (2, 2)]


@pytest.mark.parametrize("bound", ["the time", "the room"])
async def test_who_reads_for_long_holds_up_nothing_for_long(monkeypatch, bound):
    """A commit steps aside for a moment only, and not at all when much is waiting."""
    monkeypatch.setattr(readers, "ASIDE_S", 0.0 if bound == "the time" else FOR_EVER_S)
    monkeypatch.setattr(committing, "ASIDE_BYTES", 1 if bound == "the room" else 1 << 20)
    async with committing_one_by_one() as (_, reports):
        async with asyncio.timeout(30):
            await reports.second.wait()
