"""A recorder in the router's own process: groups, order, restored state, snapshots."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.entry import EntryKind
from clasp_journal.memory import MemoryJournal
from clasp_journal.restore import State, fold
from router.core.topics import Topics
from router.recording import committing
from router.recording.clerk import Clerk
from router.recording.recorder_local import LocalRecorder
from router.recording.requests import PageRequest
from router.recording.snapshots import LONG_TAIL_ENTRIES
from router.wire.codes import JournalStatus
from tests.router.recording.history import packet, sets
from tests.router.recording.keeping_books import Listener, expected, local, record
from tests.router.recording.recorded import histories


@pytest.mark.property
@given(histories(), st.integers(0, 40))
def test_restored_state_is_the_fold_of_everything(packets, snapshot_at):
    """Wherever a snapshot was taken, and whatever the packets were."""

    async def scenario():
        journal = MemoryJournal()
        entries = expected(packets)
        await journal.append(entries)
        at = min(snapshot_at, len(entries))
        before = fold(None, entries[:at])
        await journal.snapshot(before.params(), at, revision_floor=before.revision_floor)
        recorder = LocalRecorder(journal)
        remembered = Topics(passing_max=0)
        recorder.on_remembered = lambda params: remembered.restore(params, 0)
        restored = await recorder.start()
        right = fold(None, entries)
        live = {param._replace(ttl=param.ttl or None) for param in right.live.values()}
        gone = list(right.tombstones.values())
        told = remembered.snapshot()
        assert (set(told[: remembered.live]), told[remembered.live :]) == (live, gone)
        assert len(told) == len(live) + len(gone)
        assert (restored.latest_seq, restored.epoch) == (len(entries), journal.epoch)
        assert restored.param_count == len(right.params())
        await recorder.stop()

    asyncio.run(scenario())


async def test_everything_that_has_arrived_is_one_commit():
    """What is submitted in one go is committed in one; a single packet afterwards at once, alone."""
    async with local() as (recorder, listener):
        for at in range(10):
            recorder.submit(packet(sets(3, start=at)), synced=False)
        await listener.until_committed(10)
        assert listener.commits == [(10, 30, False)]
        await record(recorder, listener, [sets(1)])
        assert listener.commits == [(10, 30, False), (11, 31, False)]


async def test_what_nobody_waits_for_gathers_until_somebody_does(monkeypatch):
    """Right after a commit it rests; what is awaited, a question and the end take it along at once."""
    monkeypatch.setattr(committing, "GATHER_S", 3_600.0)
    async with local() as (recorder, listener):
        await record(recorder, listener, [sets(1)])
        for at in range(1, 4):
            recorder.submit(packet(sets(1, start=at)), synced=False, awaited=False)
            await asyncio.sleep(0)
        assert listener.commits == [(1, 1, False)]
        recorder.submit(packet(sets(1, start=4)), synced=False)
        await listener.until_committed(5)
        assert listener.commits == [(1, 1, False), (5, 5, False)]
        recorder.submit(packet(sets(1, start=5)), synced=False, awaited=False)
        await recorder.page(PageRequest(("/**",)))
        recorder.submit(packet(sets(1, start=6)), synced=False, awaited=False)
    assert listener.commits[2:] == [(6, 6, False), (7, 7, False)]


async def test_a_group_is_bounded():
    """Its last packet is the one that makes it large enough."""
    async with local(MemoryJournal(capacity=60_000)) as (recorder, listener):
        for _ in range(5):
            recorder.submit(packet(sets(9_000)), synced=False)
        await listener.until_committed(5)
        assert listener.commits == [(3, 27_000, False), (5, 45_000, False)]


async def test_a_group_ends_where_a_question_stands():
    """Which so does not wait for the commit of what came after it."""
    recorder = LocalRecorder(MemoryJournal())
    listener = Listener(recorder)
    for at in range(3):
        recorder.submit(packet(sets(1, start=at)), synced=False)
    question = asyncio.create_task(recorder.page(PageRequest(("/**",))))
    await asyncio.sleep(0)
    for at in range(3, 6):
        recorder.submit(packet(sets(1, start=at)), synced=False)
    await recorder.start()
    assert (await question).entries >= 3
    await listener.until_committed(6)
    assert listener.commits == [(3, 3, False), (6, 6, False)]
    await recorder.stop()


async def test_one_packet_that_must_be_synced_has_its_group_synced():
    """What was submitted before it is as safe as itself."""
    async with local() as (recorder, listener):
        recorder.submit(packet(sets(1)), synced=False)
        recorder.submit(packet(sets(1)), synced=True)
        await listener.until_committed(2)
        assert listener.commits == [(2, 2, True)]


async def test_the_backlog_is_what_is_not_committed():
    """It rises with every packet and returns to nothing."""
    async with local() as (recorder, listener):
        first, second = packet(sets(4)), packet(sets(7))
        recorder.submit(first, synced=False)
        recorder.submit(second, synced=False)
        assert recorder.backlog_bytes == len(first) + len(second)
        await listener.until_committed(2)
        assert recorder.backlog_bytes == 0


async def test_a_snapshot_is_taken_some_time_after_a_change():
    """Not before there is one, and it is true at the end of what it saw."""
    journal = Announcing()
    async with local(journal, snapshot_every_s=0.01) as (recorder, listener):
        assert await journal.load_snapshot() is None
        await record(recorder, listener, [sets(25)])
        await asyncio.wait_for(journal.taken.wait(), 10)
        snapshot = await journal.load_snapshot()
        assert snapshot.at_seq == 25
        assert {param.address for param in snapshot.params} == {f"/a/{at}" for at in range(10)}


class Announcing(MemoryJournal):
    """Tells when a snapshot has been taken."""

    def __init__(self, capacity=10_000):
        super().__init__(capacity)
        self.taken = asyncio.Event()

    async def snapshot(self, params, at_seq=None, *, revision_floor=0):
        """Take it, and tell."""
        at_seq = await super().snapshot(params, at_seq, revision_floor=revision_floor)
        self.taken.set()
        return at_seq


async def test_a_long_tail_is_folded_once():
    """The start that had to fold it leaves a snapshot; a start with a short one does not."""
    for entries, at_seq in ((LONG_TAIL_ENTRIES, None), (LONG_TAIL_ENTRIES + 1, LONG_TAIL_ENTRIES + 1)):
        journal = Announcing(capacity=50_000)
        await journal.append(expected([sets(entries)]))
        async with local(journal) as (recorder, _):
            if at_seq:
                await asyncio.wait_for(journal.taken.wait(), 10)
            await recorder.page(PageRequest(("/**",)))
            snapshot = await journal.load_snapshot()
            assert (snapshot and snapshot.at_seq) == at_seq


async def test_what_is_left_of_a_state_is_restored_and_said_to_be_all(caplog):
    """Where the base is gone, no start is refused over it."""
    journal = MemoryJournal(capacity=10)
    entries = expected([sets(25, spread=20)])
    await journal.append(entries)
    recorder = LocalRecorder(journal)
    listener = Listener(recorder)
    await recorder.start()
    assert State(listener.remembered).live == fold(None, entries[15:]).live
    assert "entries 1 to 15 are gone" in caplog.text
    await recorder.stop()


async def test_what_was_left_of_a_state_is_the_base_of_those_to_come():
    """Without it no snapshot could be taken any more, and each start would fold a longer tail."""
    journal = Announcing()
    await journal.append(expected([sets(25)]))
    await journal.compact(11, force=True)
    async with local(journal) as (recorder, _):
        await asyncio.wait_for(journal.taken.wait(), 10)
        assert (await recorder.do("snapshot", values.encode({})))[0] == JournalStatus.DONE
        assert (await journal.load_snapshot()).at_seq == 25


async def test_a_stop_takes_a_last_snapshot_only_if_something_changed():
    """A restart then has no tail to fold."""

    class Deaf:
        """Hears nothing."""

        def committed(self, packet_number, first_seq, last_seq, synced):
            pass

        def trouble(self, reason):
            pass

        def recovered(self):
            pass

        def working(self):
            pass

        def vital(self, vitals):
            pass

    class Kept(MemoryJournal):
        """Still there after the clerk has closed it."""

        async def close(self):
            pass

    journal = Kept()
    for packets, at_seq in ((0, None), (2, 2), (0, 2)):
        clerk = Clerk(journal, Deaf())
        await clerk.start()
        for number in range(packets):
            clerk.submit(number + 1, packet(sets(1)), synced=False)
        await clerk.close()
        snapshot = await journal.load_snapshot()
        assert (snapshot and snapshot.at_seq) == at_seq


async def test_the_routers_own_word_takes_its_place_between_packets():
    """A snapshot given by the router is true after what was submitted before it, not after what follows."""
    journal = MemoryJournal()
    async with local(journal) as (recorder, listener):
        recorder.submit(packet(sets(4)), synced=False)
        keeping = recorder.keep_snapshot([], revision_floor=9)
        recorder.submit(packet(sets(3)), synced=False)
        await keeping
        snapshot = await journal.load_snapshot()
        assert (snapshot.at_seq, snapshot.params, snapshot.revision_floor) == (4, [], 9)
        await listener.until_committed(2)


async def test_stopping_commits_what_is_left():
    """Nothing that was submitted needs a second invitation."""
    journal = MemoryJournal()
    recorder = LocalRecorder(journal)
    listener = Listener(recorder)
    await recorder.start()
    for at in range(50):
        recorder.submit(packet(sets(1, start=at)), synced=False)
    await recorder.stop()
    assert listener.committed == 50


async def test_a_mark_stands_where_it_was_made():
    """Behind what was submitted before it, before what came after, and outside of every packet's count."""
    journal = MemoryJournal()
    async with local(journal) as (recorder, listener):
        recorder.submit(packet(sets(2)), synced=False)
        status, result = await recorder.do("mark", values.encode({"mark": "doors open"}), "somebody")
        await record(recorder, listener, [sets(1)])
        assert (status, values.decode(result)["seq"]) == (0, 3)
        marks = await journal.query(kinds=[EntryKind.MARK])
        assert [(mark.seq, mark.author, values.decode(mark.details)) for mark in marks] == [
            (3, "somebody", {"mark": "doors open"})
        ]
