"""A recorder with a process of its own: order, durability, start, stop, and the lock."""

import asyncio
import contextlib
import os
import signal
import sqlite3

import pytest

from clasp_journal import value as values
from clasp_journal.errors import BadInput, JournalClosed, JournalCorrupt, JournalError, JournalLocked
from clasp_journal.restore import State, fold
from clasp_journal.sqlite import SqliteJournal
from router.recording import gathering
from router.recording.options import JournalOptions
from router.recording.recorder_process import ProcessRecorder
from router.recording.requests import HistoryRequest, PageRequest
from tests.router.recording.history import message_of, messages_of, packet, sets
from tests.router.recording.journal_child import child, entries_in, values_in
from tests.router.recording.keeping_books import Listener, LogReader, expected, record

EVERYTHING = PageRequest(("/**",))


@pytest.fixture
def path(tmp_path):
    """Where the journal lies."""
    return tmp_path / "show.db"


async def test_everything_submitted_is_there_in_order_after_a_stop(path):
    """Though nothing was waited for."""
    async with child(path) as (recorder, listener):
        for at in range(0, 5_000, 50):
            recorder.submit(packet(sets(50, start=at)), synced=False)
    assert await values_in(path) == list(range(5_000))
    assert listener.committed == 100
    assert recorder.backlog_bytes == 0


async def test_what_nobody_waits_for_gathers_until_somebody_does(path, monkeypatch):
    """Not the first after a pause; an awaited one, a question, the bound and the end take them along."""
    monkeypatch.setattr(gathering, "GATHER_S", 3_600.0)
    many = gathering.GATHER_BYTES // len(packet(sets(1))) + 1
    async with child(path) as (recorder, listener):

        async def submit(*, until):
            for at in range(len(recorded), until):
                recorded.append(recorder.submit(packet(sets(1, start=at)), synced=False, awaited=False))
                await asyncio.sleep(0)

        recorded = []
        await submit(until=1)
        await listener.until_committed(1)
        await submit(until=4)
        recorded.append(recorder.submit(packet(sets(1, start=4)), synced=False))
        await listener.until_committed(5)
        assert listener.commits == [(1, 1, False), (5, 5, False)]
        await submit(until=8)
        assert (await recorder.page(EVERYTHING)).entries == 8
        assert listener.commits[2:] == [(8, 8, False)]
        await submit(until=8 + many)
        await listener.until_committed(8 + many)
        await submit(until=10 + many)
    assert await values_in(path) == list(range(10 + many))


async def test_what_nobody_waits_for_leaves_by_itself(path):
    """It rests for a moment only."""
    async with child(path) as (recorder, listener):
        for at in range(3):
            recorder.submit(packet(sets(1, start=at)), synced=False, awaited=False)
            await asyncio.sleep(0)
        await listener.until_committed(3)


async def test_reports_come_in_order_and_tell_the_last_number(path):
    """Packet numbers and entry numbers rise together."""
    async with child(path) as (recorder, listener):
        numbers = [recorder.submit(packet(sets(3, start=3 * at)), synced=False) for at in range(40)]
        await listener.until_committed(40)
        assert numbers == list(range(1, 41))
        assert listener.commits == sorted(listener.commits)
        assert all(last_seq == 3 * number for number, last_seq, _ in listener.commits)


async def test_a_synced_packet_is_reported_as_synced(path):
    """And the others are not, unless they share its commit."""
    async with child(path) as (recorder, listener):
        await record(recorder, listener, [sets(1)])
        await record(recorder, listener, [sets(1)], synced=True)
        assert listener.commits == [(1, 1, False), (2, 2, True)]


async def test_what_was_recorded_is_restored(path):
    """State after a restart is the fold of all entries; numbers and epoch go on."""
    packets = [sets(300, spread=70), sets(50, "/b/{}")]
    async with child(path) as (recorder, listener):
        await record(recorder, listener, packets)
        epoch = recorder.epoch
    second = ProcessRecorder(JournalOptions(str(path)))
    listener = Listener(second)
    restored = await second.start()
    right = fold(None, expected(packets))
    assert State(listener.remembered).live == right.live
    assert (restored.epoch, restored.latest_seq, restored.param_count) == (epoch, 350, 80)
    await second.stop()


async def test_of_what_came_after_the_snapshot_only_the_changes_are_told(path):
    """Behind the snapshot itself, so that the router need not wait for them to begin."""
    entries = expected([sets(60), sets(9, spread=3)])
    async with SqliteJournal(path) as journal:
        await journal.append(entries[:60])
        await journal.snapshot_by_fold()
        await journal.append(entries[60:])
    recorder = ProcessRecorder(JournalOptions(str(path)))
    listener = Listener(recorder)
    assert (await recorder.start()).param_count == len(fold(None, entries).live)
    told, right = listener.remembered, fold(None, entries).live
    assert told[:-3] == list(fold(None, entries[:60]).live.values())
    assert told[-3:] == [right[address] for address in sorted(right)[:3]]
    await recorder.stop()


async def test_a_stop_leaves_a_snapshot_of_the_end(path):
    """So the next start has no tail to fold."""
    async with child(path) as (recorder, listener):
        await record(recorder, listener, [sets(100)])
    async with SqliteJournal(path, read_only=True) as journal:
        assert (await journal.load_snapshot()).at_seq == 100


async def test_questions_are_answered_from_the_file(path):
    """Pages, the history of subscriptions, and the verbs of tools."""
    async with child(path) as (recorder, _):
        packets = [sets(30)]
        entries = expected(packets)
        recorder.submit(packet(packets[0]), synced=False)
        page = await recorder.page(EVERYTHING._replace(limit=7))
        assert messages_of(page) == [message_of(entry) for entry in entries[:7]]
        rest = await recorder.page(EVERYTHING.following(page))
        assert (rest.entries, rest.done, rest.epoch) == (23, True, recorder.epoch)
        history = await recorder.history(HistoryRequest(("/a/3",), per_address=2, in_all=10))
        assert messages_of(history) == [message_of(entries[13]), message_of(entries[23])]
        status, result = await recorder.do("stats", values.encode({}))
        assert (status, values.decode(result)["latest_seq"]) == (0, 30)


async def test_a_follower_is_answered_when_something_comes(path):
    """And one that gives up leaves nothing behind."""
    async with child(path) as (recorder, listener):
        waiting = asyncio.create_task(recorder.page(EVERYTHING._replace(wait=True)))
        leaving = asyncio.create_task(recorder.page(EVERYTHING._replace(wait=True)))
        await recorder.page(EVERYTHING)
        leaving.cancel()
        await record(recorder, listener, [sets(2)])
        assert (await waiting).entries == 2
        assert leaving.cancelled() or isinstance(
            (await asyncio.gather(leaving, return_exceptions=True))[0], asyncio.CancelledError
        )


async def test_a_bad_question_is_an_error_for_who_asks(path):
    """The process goes on."""
    async with child(path) as (recorder, _):
        with pytest.raises((JournalError, BadInput), match="must start"):
            await recorder.page(PageRequest(("no pattern",)))
        assert (await recorder.page(EVERYTHING)).done


async def test_the_router_can_give_its_own_word_for_the_state(path):
    """It takes its place between the packets."""
    async with child(path) as (recorder, listener):
        recorder.submit(packet(sets(5)), synced=False)
        state = fold(None, expected([sets(5)]))
        keeping = recorder.keep_snapshot(state.params()[:2], revision_floor=3)
        recorder.submit(packet(sets(5)), synced=False)
        await keeping
        await listener.until_committed(2)
        async with SqliteJournal(path, read_only=True) as journal:
            snapshot = await journal.load_snapshot()
        assert (snapshot.at_seq, snapshot.revision_floor) == (5, 3)
        assert snapshot.params == state.params()[:2]


async def test_signals_for_the_router_do_not_end_the_journal(path):
    """The router stops it when it is done with it."""
    async with child(path) as (recorder, listener):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(recorder.pid, number)
        await record(recorder, listener, [sets(3)])
        assert listener.troubles == []


async def test_a_starting_router_waits_for_the_one_that_leaves(path):
    """It says so, and goes on when the lock is free."""
    first = ProcessRecorder(JournalOptions(str(path), url="ws://first"))
    await first.start()
    first.submit(packet(sets(3)), synced=False)
    second = ProcessRecorder(JournalOptions(str(path)))
    with LogReader() as log:
        starting = asyncio.create_task(second.start())
        line = await log.line_with("waiting for the journal")
    assert f"process {first.pid}, ws://first" in line
    await first.stop()
    assert (await starting).latest_seq == 3
    await second.stop()


async def test_a_router_that_does_not_leave_is_named(path):
    """After the wait, the start fails with who holds the journal."""
    async with child(path) as (holder, _):
        late = ProcessRecorder(JournalOptions(str(path), lock_wait_s=0.1))
        with pytest.raises(JournalLocked, match=str(holder.pid)):
            await late.start()


async def test_a_damaged_file_is_refused_or_set_aside(path):
    """As the operator wants; never overwritten."""
    path.write_bytes(b"this is no database" * 300)
    with pytest.raises(JournalCorrupt):
        await ProcessRecorder(JournalOptions(str(path))).start()
    async with child(path, set_aside_damaged=True) as (recorder, listener):
        await record(recorder, listener, [sets(2)])
    assert await values_in(path) == [0, 1]
    (aside,) = [kept for kept in path.parent.iterdir() if "damaged" in kept.name]
    assert aside.read_bytes().startswith(b"this is no database")


@pytest.mark.parametrize("serve", [False, True])
async def test_of_a_journal_that_is_set_aside_nothing_is_remembered(path, serve):
    """Even if its snapshot is intact, and only an entry after that is found to be damaged."""
    async with SqliteJournal(path) as journal:
        await journal.append(expected([sets(50)]))
        await journal.snapshot_by_fold()
        await journal.append(expected([sets(50)]))
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE entry SET revision = revision + 1 WHERE seq = 70")
    recorder = ProcessRecorder(JournalOptions(str(path), set_aside_damaged=serve))
    listener = Listener(recorder)
    if not serve:
        with pytest.raises(JournalCorrupt):
            await recorder.start()
        return
    assert (await recorder.start()).param_count == 0
    assert listener.remembered == []
    await recorder.stop()


async def test_a_journal_that_cannot_be_opened_is_an_error_of_the_start(tmp_path):
    """With what was attempted, and where."""
    with pytest.raises(JournalError, match="nowhere"):
        await ProcessRecorder(JournalOptions(str(tmp_path / "nowhere" / "show.db"))).start()


async def test_after_the_stop_nothing_can_be_asked(path):
    """Neither new questions, nor those that were waiting."""
    recorder = ProcessRecorder(JournalOptions(str(path)))
    Listener(recorder)
    await recorder.start()
    waiting = asyncio.create_task(recorder.page(EVERYTHING._replace(wait=True)))
    await recorder.page(EVERYTHING)
    await recorder.stop()
    with pytest.raises(JournalClosed):
        await waiting
    with pytest.raises(JournalClosed):
        await recorder.page(EVERYTHING)
    assert (await recorder.do("stats", values.encode({})))[0] != 0


async def test_entries_keep_everything_on_their_way_to_the_file(path):
    """Author, name, time, revision, value: what the feed said is what the file says."""
    packets = [sets(10)]
    async with child(path) as (recorder, listener):
        await record(recorder, listener, packets)
    assert await entries_in(path) == expected(packets)


async def test_a_question_that_comes_with_the_end_leaves_no_word(path, capfd):
    """It is not answered any more, and nobody has to read about that."""
    async with child(path) as (recorder, _):
        asked = [recorder.keep_snapshot([], 0), asyncio.ensure_future(recorder.page(EVERYTHING))]
        await asyncio.sleep(0)
    await asyncio.gather(*asked, return_exceptions=True)
    assert capfd.readouterr().err == ""
