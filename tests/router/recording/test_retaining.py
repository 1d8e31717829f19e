"""Retention while the router runs: old entries go, the state stays true, and readers are told."""

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest

from clasp_journal import value as values
from clasp_journal.entry import EntryKind
from clasp_journal.errors import JournalUnavailable
from clasp_journal.memory import MemoryJournal
from clasp_journal.restore import State, fold
from clasp_journal.sqlite import SqliteJournal
from router.recording.options import RetentionRules
from router.recording.requests import PageRequest
from router.recording.retaining import Retention
from tests.router.recording.history import entries_of, sets
from tests.router.recording.journal_child import child, entries_in
from tests.router.recording.keeping_books import expected, local, record

FOLLOW = PageRequest(("/**",), entries_id=1, journal_kinds=True)
KEPT = 100
OLD = (None, None, KEPT)


async def removed_entry(recorder, after_seq=0):
    """Follow the journal until it says that something was removed, and that is gone; the entry."""
    request = FOLLOW._replace(after_seq=after_seq, wait=True)
    async with asyncio.timeout(30):
        while True:
            page = await recorder.page(request)
            for message in entries_of(page):
                for entry in message.entries:
                    if entry.kind is EntryKind.REMOVED:
                        while await oldest_seq(recorder) <= values.decode(entry.details)["to"]:
                            pass  # It is recorded right before it is done.
                        return entry
            request = request.following(page)._replace(upto_seq=None)


async def oldest_seq(recorder):
    """The first entry that there is."""
    _, result = await recorder.do("stats", values.encode({}))
    return values.decode(result)["oldest_seq"]


async def test_a_journal_that_is_too_long_is_cut_when_the_router_starts(tmp_path):
    """In the journal's process: the entries, the state and what a REPLAY is told afterwards."""
    path = tmp_path / "show.db"
    packets = [sets(1_000, spread=70)]
    async with child(path) as (recorder, listener):
        await record(recorder, listener, packets)
    async with child(path, retain=OLD) as (recorder, listener):
        record_of_it = await removed_entry(recorder)
        told = values.decode(record_of_it.details)
        assert told == {"from": 1, "to": 1_001 - KEPT, "count": 1_001 - KEPT, "rule": "count"}
        from_start = await recorder.page(FOLLOW)
        assert from_start.incomplete
        assert not (await recorder.page(FOLLOW._replace(after_seq=1_001 - KEPT))).incomplete
    kept = await entries_in(path)
    assert [entry.seq for entry in kept] == list(range(1_002 - KEPT, 1_002))
    async with child(path) as (recorder, _), SqliteJournal(path, read_only=True) as journal:
        assert (await journal.state()).live == fold(None, expected(packets)).live
        assert recorder.epoch == journal.epoch


async def test_it_goes_on_while_entries_come_in(tmp_path):
    """After a snapshot; followers hear of it at once, later entries are numbered on, nothing new is lost."""
    path = tmp_path / "show.db"
    async with child(path, retain=OLD, snapshot_every_s=0.05) as (recorder, listener):
        await record(recorder, listener, [sets(20) for _ in range(50)])
        entry = await removed_entry(recorder)
        assert values.decode(entry.details)["rule"] == "count"
        await record(recorder, listener, [sets(1, "/after")])
        assert listener.commits[-1][1] == 1_002
    kept = await entries_in(path)
    assert kept[-1].address == "/after"
    assert [entry.seq for entry in kept] == list(range(kept[0].seq, 1_003))


async def test_the_state_is_restored_though_what_made_it_is_gone(tmp_path):
    """From the snapshot at the cut, also after the process was told nothing."""
    path = tmp_path / "show.db"
    packets = [sets(500, spread=400), sets(200, "/late/{}")]
    async with child(path) as (recorder, listener):
        await record(recorder, listener, packets)
    async with child(path, retain=(None, None, 1)) as (recorder, _):
        await removed_entry(recorder)
    async with SqliteJournal(path) as journal:
        assert await journal.len() == 1
        state = await journal.state()
    assert state.live == State(fold(None, expected(packets)).params()).live


async def test_rules_by_age_and_size_reach_the_journal_too(tmp_path):
    """Everything recorded here is years old."""
    async with child(tmp_path / "age.db") as (recorder, listener):
        await record(recorder, listener, [sets(50)])
    async with child(tmp_path / "age.db", retain=(1_000_000, None, None)) as (recorder, _):
        assert values.decode((await removed_entry(recorder)).details)["rule"] == "age"
    async with child(tmp_path / "size.db") as (recorder, listener):
        await record(recorder, listener, [sets(5_000)])
    async with child(tmp_path / "size.db", retain=(None, 100_000, None)) as (recorder, _):
        assert values.decode((await removed_entry(recorder)).details)["rule"] == "size"


async def test_a_journal_that_a_program_brings_along_is_kept_to_the_rules(tmp_path):
    """If it can retain; the ring has its own bound, and is left alone."""
    async with local(SqliteJournal(tmp_path / "j.db"), retention=RetentionRules(entries=10)) as (
        recorder,
        listener,
    ):
        await record(recorder, listener, [sets(50)])
    journal = SqliteJournal(tmp_path / "j.db")
    async with local(journal, retention=RetentionRules(entries=10)) as (recorder, listener):
        await removed_entry(recorder)
        assert await journal.len() == 10
    ring = MemoryJournal()
    async with local(ring, retention=RetentionRules(entries=10)) as (recorder, listener):
        await record(recorder, listener, [sets(50)])
        await recorder.do("snapshot", values.encode({}))
        assert await ring.len() == 50


class Failing(MemoryJournal):
    """A journal whose disk gives way when entries are to be removed, and recovers after some runs."""

    def __init__(self, failures):
        super().__init__()
        self.runs = 0
        self.failures = failures
        self.has_run = asyncio.Event()

    async def retain(self, *, age_us=None, size_bytes=None, count=None, now_us=None):
        """Fail, or remove nothing."""
        self.runs += 1
        self.has_run.set()
        if self.runs in self.failures:
            raise JournalUnavailable("disk I/O error", operation="compact")
        return 0


@asynccontextmanager
async def retaining(journal, **rules):
    """Retention at work."""
    retention = Retention(journal, RetentionRules(**rules), lambda: None)
    task = asyncio.create_task(retention.run())
    yield retention
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def run_once_more(journal, retention):
    """An occasion, and what is made of it."""
    journal.has_run.clear()
    retention.note_snapshot()
    async with asyncio.timeout(30):
        await journal.has_run.wait()


async def test_a_failure_is_told_once_and_tried_again(caplog):
    """At each occasion; when it has worked in between, the next failure is told again."""
    journal = Failing(failures=(1, 2, 3, 5))
    with caplog.at_level(logging.WARNING):
        async with retaining(journal, entries=10) as retention:
            async with asyncio.timeout(30):
                await journal.has_run.wait()
            for _ in range(5):
                await run_once_more(journal, retention)
    assert journal.runs == 6
    told = [record.getMessage() for record in caplog.records]
    assert (
        told == ["old entries could not be removed, the journal keeps growing: compact: disk I/O error"] * 2
    )


@pytest.mark.parametrize("journal_type", [MemoryJournal, Failing])
async def test_without_a_rule_or_a_journal_that_can_there_is_nothing_to_do(journal_type):
    """It ends by itself."""
    journal = journal_type() if journal_type is MemoryJournal else journal_type(failures=())
    rules = RetentionRules(entries=1) if journal_type is MemoryJournal else RetentionRules()
    async with asyncio.timeout(30):
        await Retention(journal, rules, lambda: None).run()
