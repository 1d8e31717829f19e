"""Kills and full disks: nothing that was submitted is lost or doubled, nothing acknowledged is missing."""

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from clasp_journal import value as values
from clasp_journal.entry import EntryKind
from clasp_journal.sqlite import SqliteJournal
from router.recording.requests import PageRequest
from tests.router.recording.feeding_router import PACKET_ENTRIES
from tests.router.recording.history import packet, sets
from tests.router.recording.journal_child import child, entries_in, values_in
from tests.router.recording.keeping_books import record

without_prlimit = pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="the limits of another process can be changed on Linux only"
)
EVERYTHING = PageRequest(("/**",))
ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path):
    """Where the journal lies."""
    return tmp_path / "show.db"


@pytest.mark.parametrize("reports", [1, 5, 20])
async def test_a_killed_router_leaves_a_child_that_commits_what_it_got(path, reports):
    """Everything reported is there, and whatever else is there is the rest of the row, whole packets only."""
    router = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.router.recording.feeding_router", str(path)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    await router.stdout.readline()
    for _ in range(reports):
        safe = int(await router.stdout.readline())
    router.kill()
    for line in (await router.stdout.read()).decode().splitlines():
        safe = int(line)
    await router.wait()
    async with SqliteJournal(path, lock_wait_s=30):
        pass  # The lock is free when the child has ended.
    found = await values_in(path)
    assert found == list(range(len(found)))
    assert len(found) >= safe
    assert len(found) % PACKET_ENTRIES == 0


@pytest.mark.parametrize("commits", [1, 3, 8])
async def test_a_killed_child_loses_and_doubles_nothing(path, commits):
    """Killed under load, again and again: the row in the file has no gap and no double, and reports go on."""
    packets, size, kills = 600, 10, 3
    async with child(path) as (recorder, listener):
        submitted = 0
        for _ in range(kills):
            seen = len(listener.commits)
            for _ in range(packets // kills):
                recorder.submit(packet(sets(size, start=submitted * size)), synced=False)
                submitted += 1
            await listener.until(lambda seen=seen: len(listener.commits) >= min(seen + commits, seen + 1))
            troubles = len(listener.troubles)
            os.kill(recorder.pid, signal.SIGKILL)
            await listener.until(lambda troubles=troubles: len(listener.troubles) > troubles)
            await listener.until(lambda: listener.recoveries == len(listener.troubles))
        await listener.until_committed(submitted)
        assert recorder.backlog_bytes == 0
    assert await values_in(path) == list(range(packets * size))
    numbers = [number for number, _, _ in listener.commits]
    assert numbers == sorted(set(numbers))


async def test_marks_do_not_confuse_the_count(path):
    """Entries of the journal's own side stand between those of packets when the child dies."""
    async with child(path) as (recorder, listener):
        await record(recorder, listener, [sets(10)])
        for at in range(1, 30):
            recorder.submit(packet(sets(10, start=10 * at)), synced=False)
            if at % 5 == 0:
                marking = asyncio.create_task(recorder.do("mark", values.encode({"mark": f"{at}"})))
                await asyncio.sleep(0)
        await marking
        os.kill(recorder.pid, signal.SIGKILL)
        await record(recorder, listener, [sets(10, start=300)])
    entries = await entries_in(path)
    assert [entry.value for entry in entries if entry.kind == EntryKind.SET] == list(range(310))
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))


async def test_questions_survive_the_death_of_the_child(path):
    """One that only reads is put again; one that does something fails, for it may have been done."""
    async with child(path) as (recorder, listener):
        await record(recorder, listener, [sets(5)])
        waiting = asyncio.create_task(recorder.page(EVERYTHING._replace(after_seq=5, wait=True)))
        await recorder.page(EVERYTHING)
        os.kill(recorder.pid, signal.SIGSTOP)
        marking = asyncio.create_task(recorder.do("mark", values.encode({"mark": "lost"})))
        await asyncio.sleep(0)
        os.kill(recorder.pid, signal.SIGKILL)
        assert (await marking)[0] != 0
        await record(recorder, listener, [sets(2, start=5)])
        assert (await waiting).entries == 2


@without_prlimit
async def test_a_full_disk_is_told_and_survived(path):
    """Appending fails as long as the file may not grow; then what had waited is written, in order, once."""
    async with child(path) as (recorder, listener):
        await record(recorder, listener, [sets(10)])
        _, hard = resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE, (1, hard))
        for at in range(1, 20):
            recorder.submit(packet(sets(10, start=10 * at)), synced=False)
        await listener.until(lambda: listener.troubles)
        assert recorder.backlog_bytes > 0
        assert (await recorder.page(EVERYTHING)).entries == 10
        resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE, (hard, hard))
        await listener.until(lambda: listener.recoveries)
        await listener.until_committed(20)
        assert len(listener.troubles) == listener.recoveries == 1
    assert await values_in(path) == list(range(200))


@without_prlimit
async def test_a_router_killed_while_the_disk_is_full_leaves_a_child_that_gives_up(path):
    """It tries for a while, then ends and lets go of the lock; what was committed before is there."""
    async with child(path, drain_timeout_s=0.1) as (recorder, listener):
        await record(recorder, listener, [sets(10)])
        _, hard = resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE, (1, hard))
        recorder.submit(packet(sets(10, start=10)), synced=False)
        await listener.until(lambda: listener.troubles)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(recorder.stop(), 0.05)
        async with SqliteJournal(path, lock_wait_s=30) as journal:
            assert await journal.latest_seq() == 10


async def test_a_stop_is_not_over_before_a_dead_child_was_replaced(path):
    """What was submitted is committed by the next one."""
    async with child(path) as (recorder, _):
        for at in range(50):
            recorder.submit(packet(sets(10, start=10 * at)), synced=False)
        os.kill(recorder.pid, signal.SIGKILL)
    assert await values_in(path) == list(range(500))
