"""Rules at work: what is never recorded goes through and is not there; what is old enough is thinned."""

import os
import signal

import pytest

from clasp_journal.entry import EntryKind, ParamSnapshot
from clasp_journal.sqlite import SqliteJournal
from clasp_journal.thinned import was_thinned
from router.recording.options import RetentionRules
from router.recording.requests import PageRequest
from tests.router.recording.history import packet, sets
from tests.router.recording.journal_child import child, entries_in
from tests.router.recording.keeping_books import local, record
from tests.router.recording.test_retaining import FOLLOW
from tests.router.recording.thinned_file import until_thinned

NEVER = (None, None, None, ("/debug/** never",), 0)
THIN = (None, None, None, ("/param/3 keep", "/param/** last-only"), 0)


@pytest.fixture
def path(tmp_path):
    """Where the journal lies."""
    return tmp_path / "show.db"


def debug(count, start=0):
    """SETs that the rules leave out."""
    return sets(count, "/debug/{}", start=start)


async def test_what_is_never_recorded_is_acknowledged_and_not_there(path):
    """In a packet with others, or in one of its own; numbers, snapshots and the state know nothing of it."""
    async with child(path, retain=NEVER) as (recorder, listener):
        await record(recorder, listener, [debug(3), sets(2) + debug(2) + sets(1, start=2), debug(1)], True)
        assert [commit[1] for commit in listener.commits][-1] == 3
    async with child(path, retain=NEVER) as (recorder, _):
        pass
    assert [entry.value for entry in await entries_in(path)] == [0, 1, 2]
    async with SqliteJournal(path) as journal:
        assert all(not address.startswith("/debug") for address in (await journal.state()).live)
        assert (await journal.verify()).problems == []


async def test_a_child_that_dies_loses_and_doubles_nothing_beside_what_is_left_out(path):
    """What was committed unreported is counted without what the rules leave out."""
    rounds, size = 60, 10
    async with child(path, retain=NEVER) as (recorder, listener):
        for at in range(rounds):
            mixed = debug(at % 3) + sets(size, start=at * size) + debug(at % 2)
            recorder.submit(packet(mixed), synced=False)
            recorder.submit(packet(debug(4)), synced=False)
        await listener.until(lambda: listener.commits)
        os.kill(recorder.pid, signal.SIGKILL)
        await listener.until(lambda: listener.recoveries)
        await listener.until_committed(2 * rounds)
    assert [entry.value for entry in await entries_in(path)] == list(range(rounds * size))


async def test_a_snapshot_of_the_routers_own_leaves_it_out_too(path):
    """After a gap it is the router that tells the state."""
    kept = [ParamSnapshot(address, b"\x00", 1, "desk", 1_000_000) for address in ("/lights/1", "/debug/1")]
    async with child(path, retain=NEVER) as (recorder, listener):
        await record(recorder, listener, [sets(1)])
        await recorder.keep_snapshot(kept, 0)
    async with SqliteJournal(path) as journal:
        snapshot = await journal.load_snapshot()
        assert [param.address for param in snapshot.params] == ["/lights/1"]


async def test_what_is_old_is_thinned_when_the_router_starts(path):
    """The state stays; who reads what was thinned is told, who reads another address is not."""
    async with child(path) as (recorder, listener):
        await record(recorder, listener, [sets(700, "/param/{}", spread=7)])
    whole = await entries_in(path)
    async with child(path, retain=THIN) as (recorder, _):
        act = (await until_thinned(path, rules=1))["last-only"]
        assert (act.pattern.text, act.rule, act.entries) == ("/param/**", "last-only", 6 * 99)
        for patterns, is_incomplete in ((("/param/1",), True), (("/**",), True), (("/param/3",), False)):
            page = await recorder.page(FOLLOW._replace(patterns=patterns, upto_seq=600))
            assert page.incomplete == is_incomplete, patterns
            assert (await recorder.page(PageRequest(patterns, upto_seq=600))).incomplete == is_incomplete
        assert not (await recorder.page(FOLLOW._replace(after_seq=693))).incomplete
    left = await entries_in(path)
    stays = [entry for entry in left if entry.kind == EntryKind.SET]
    assert stays == [entry for entry in whole if entry.address == "/param/3" or entry.seq > 693]
    assert sum(map(was_thinned, left)) == 6 * 99
    async with SqliteJournal(path) as journal:
        assert len((await journal.state()).live) == 7
        assert (await journal.verify()).problems == []


async def test_a_journal_in_this_process_keeps_the_rules_too(path):
    """One that a program brings along."""
    journal = SqliteJournal(path)
    rules = RetentionRules(rules=("/debug/** never", "/param/** last-only"))
    async with local(journal, retention=rules, snapshot_every_s=0.1) as (recorder, listener):
        await record(recorder, listener, [sets(50, "/param/{}", spread=5) + debug(5)])
        assert (await until_thinned(path, rules=1))["last-only"].entries == 45
    assert not any(entry.address.startswith("/debug") for entry in await entries_in(path))
