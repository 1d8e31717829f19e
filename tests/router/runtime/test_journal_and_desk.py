"""The desk and its journal: when ACKs leave, who waits for whom, and what happens when the disk is full."""

import pytest

from clasp_journal import MemoryJournal
from clasp_journal import value as values
from clasp_journal.entry import EntryKind
from clasp_journal.errors import JournalUnavailable
from router.core.limits import Limits
from router.recording.options import OnJournalError
from router.recording.recorder_local import LocalRecorder
from router.runtime.door import Request
from router.wire.messages import Ack, Bundle, Error, Get, Publish, Replay, Set, Snapshot
from tests.router.runtime.desk_scene import Scene, a_set, an_event, heard, settle


class Disk(MemoryJournal):
    """A ring on a disk that can be full, and that outlives the router which closes it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False

    async def append(self, entries, *, synced=False):
        if self.is_full:
            raise JournalUnavailable("no space left", path="disk", operation="append")
        return await super().append(entries, synced=synced)

    async def close(self):
        pass


@pytest.fixture
def disk():
    """A disk with room."""
    return Disk()


async def begin(disk: Disk, **options: object) -> Scene:
    """A desk on that disk."""
    scene = Scene(LocalRecorder(disk), **options)
    await scene.desk.start()
    return scene


async def test_an_ack_means_that_the_entry_can_be_read(disk):
    """It leaves after the commit, with the revision that the entry has."""
    scene = await begin(disk)
    peer = await scene.join()
    peer.send(a_set("/a", 5), qos=1)
    ack = await peer.until(lambda message: isinstance(message, Ack))
    entries = await disk.query("/a")
    assert [(entry.value, entry.revision) for entry in entries] == [(5, ack.revision)]
    await scene.desk.stop()


async def test_acks_leave_in_the_order_of_requests(disk):
    """Whatever their levels."""
    scene = await begin(disk)
    peer = await scene.join()
    for number in range(50):
        peer.send(a_set(f"/a/{number}", number), qos=1 + number % 2)
    peer.send(an_event("/e", 1), qos=2)
    await peer.until(lambda message: isinstance(message, Ack) and message.address == "/e")
    acks = [message.address for message in peer.received if isinstance(message, Ack)]
    assert acks == [*(f"/a/{number}" for number in range(50)), "/e"]
    await scene.desk.stop()


async def test_a_bundle_is_one_append(disk):
    """All of its entries, next to each other."""
    scene = await begin(disk)
    peer = await scene.join()
    peer.send(Bundle([a_set("/a", 1), an_event("/e", 2), a_set("/b", 3)]), qos=2)
    await peer.until(lambda message: isinstance(message, Ack))
    assert [entry.address for entry in await disk.query()] == ["/a", "/e", "/b"]
    await scene.desk.stop()


async def test_writers_wait_while_the_journal_is_behind():
    """The backlog is bounded by not reading who writes; nothing is dropped, readers are not touched."""
    disk = Disk()
    scene = await begin(disk, limits=Limits(journal_backlog_bytes=20_000))
    writer, reader = await scene.join(), await scene.join("/**")
    for number in range(5_000):
        writer.send(a_set("/a", number), qos=1)
    await settle(reader)
    assert scene.desk.keeping.recorder.backlog_bytes < 1_000_000
    await writer.until(lambda m: isinstance(m, Ack) and m.revision == 5_000, timeout_s=20)
    assert heard(reader, Set) == list(range(5_000))
    assert await disk.latest_seq() == 5_000
    await scene.desk.stop()


async def test_with_stop_nothing_is_applied_that_cannot_be_kept(disk):
    """ERROR 500, reads live, not ready; what was applied before the fault is written first."""
    scene = await begin(disk)
    peer, reader = await scene.join(), await scene.join("/**")
    disk.is_full = True
    peer.send(a_set("/a", 1), qos=1)
    await scene.desk.keeping.progress()
    peer.send(a_set("/a", 2), qos=1)
    error = await peer.until(lambda message: isinstance(message, Error))
    assert error.code == 500
    assert scene.desk.answer_http(Request("GET", "/readyz")).status == 503
    peer.send(Get("/a"))
    snapshot = await peer.until(lambda message: isinstance(message, Snapshot) and bool(message.params))
    assert snapshot.params[0].value == 1
    disk.is_full = False
    ack = await peer.until(lambda message: isinstance(message, Ack))
    assert ack.revision == 1
    peer.send(a_set("/a", 3), qos=1)
    await peer.until(lambda message: isinstance(message, Ack))
    assert [entry.value for entry in await disk.query("/a")] == [1, 3]
    assert heard(reader, Set) == [1, 3]
    await scene.desk.stop()


async def test_with_serve_the_gap_is_told_afterwards(disk):
    """Writes apply unrecorded; then the journal says what is missing, and knows the state again."""
    scene = await begin(disk, policy=OnJournalError.SERVE)
    peer = await scene.join()
    disk.is_full = True
    peer.send(a_set("/a", 1))
    await scene.desk.keeping.progress()
    peer.send(a_set("/a", 2), qos=1)
    error = await peer.until(lambda message: isinstance(message, Error))
    assert (error.code, error.address) == (500, "/a")
    peer.send(a_set("/b", 3))
    await settle(peer)
    disk.is_full = False
    while scene.desk.keeping.owes or scene.desk.keeping.trouble:
        await scene.desk.keeping.progress()
    await scene.desk.stop()
    entries = await disk.query()
    assert [entry.value for entry in entries if entry.kind == EntryKind.SET] == [1]
    gap = next(entry for entry in entries if entry.kind == EntryKind.GAP)
    assert values.decode(gap.details)["count"] == 2
    state = await disk.state()
    assert {address: param.value for address, param in state.live.items()} == {"/a": 2, "/b": 3}


async def test_plain_replay_ends_with_its_mark(disk):
    """History oldest first with the entries' times, then an ACK with pattern and last number."""
    scene = await begin(disk)
    peer = await scene.join()
    for number in range(1_200):
        peer.send(a_set(f"/a/{number % 3}", number), qos=1)
    await peer.until(
        lambda message: isinstance(message, Ack) and message.address == "/a/2" and message.revision == 400
    )
    peer.send(Replay("/a/1"), qos=1)
    mark = await peer.until(lambda message: isinstance(message, Ack))
    assert (mark.address, mark.revision) == ("/a/1", 1_199)
    assert heard(peer, Set) == list(range(1, 1_200, 3))
    await scene.desk.stop()


async def test_a_slow_reader_of_history_lags_and_costs_nobody(disk):
    """Pages are pulled at its pace; it is neither dropped nor closed."""
    scene = await begin(disk)
    peer, reader = await scene.join(), await scene.join()
    for number in range(6_000):
        peer.send(an_event("/e", "x" * 100 + str(number)))
    await settle(peer)
    reader.stop_reading()
    reader.send(Replay("/e"), qos=1)
    await settle(peer)
    assert reader.closed is None
    reader.resume()
    await reader.until(lambda message: isinstance(message, Ack), timeout_s=20)
    assert len(heard(reader, Publish)) == 6_000
    await scene.desk.stop()


async def test_a_replay_does_not_pile_up_behind_deliveries_that_are_held(disk):
    """It goes on when the past of a subscription, which they wait for, has been sent."""
    scene = await begin(disk)
    peer, reader = await scene.join(), await scene.join()
    for number in range(3_000):
        peer.send(an_event("/e", number))
    await settle(peer)
    outbox = scene.desk.links[1].outbox
    outbox.hold()
    reader.send(Replay("/e"), qos=1)
    await settle(peer)
    for _ in range(20):
        peer.send(a_set("/a", 1), qos=1)
        await peer.until(lambda message: isinstance(message, Ack))
    assert not outbox.backlog
    outbox.release()
    await reader.until(lambda message: isinstance(message, Ack))
    assert len(heard(reader, Publish)) == 3_000
    await scene.desk.stop()


async def test_one_replay_too_many_is_refused(disk):
    """One runs and some wait; the session goes on."""
    scene = await begin(disk, limits=Limits(replays_queued=2))
    peer = await scene.join()
    for _ in range(4):
        peer.send(Replay("/**"), qos=1)
    error = await peer.until(lambda message: isinstance(message, Error))
    assert error.code == 429
    for _ in range(3):
        await peer.until(lambda message: isinstance(message, Ack))
    await scene.desk.stop()
