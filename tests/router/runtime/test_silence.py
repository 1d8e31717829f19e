"""A journal that does not answer is noticed without an error; one that is only slow is left in peace."""

import asyncio
import time

import pytest

from clasp_journal import MemoryJournal
from router.recording import committing
from router.recording.recorder_local import LocalRecorder
from router.runtime import silence
from router.runtime.door import Request
from router.runtime.silence import Silence
from router.wire.messages import Ack
from tests.router.recording.keeping_books import LogReader
from tests.router.runtime.desk_scene import Scene, a_set, settle

LOOK_S = 0.01


class HangingDisk(MemoryJournal):
    """A ring on a disk that does not come back from a write until it is well."""

    def __init__(self) -> None:
        super().__init__()
        self.is_well = asyncio.Event()

    async def append(self, entries, *, synced=False):
        await self.is_well.wait()
        return await super().append(entries, synced=synced)


class SlowDisk(MemoryJournal):
    """A ring on a disk that needs two looks for each entry."""

    async def append(self, entries, *, synced=False):
        taken = []
        for entry in entries:
            taken.append(entry)
            await looks(2)
        return await super().append(taken, synced=synced)


@pytest.fixture(autouse=True)
def _looks_are_short(monkeypatch):
    monkeypatch.setattr(silence, "LOOK_S", LOOK_S)
    monkeypatch.setattr(committing, "WORKING_S", LOOK_S)


async def looks(number: int) -> None:
    """So many looks later."""
    for _ in range(number):
        await asyncio.sleep(LOOK_S)  # paced: the looks are


async def test_a_disk_that_hangs_is_told_once_and_is_over_by_itself(caplog):
    """/readyz says it in words while it lasts, and the log when it begins and ends."""
    caplog.set_level("INFO")
    disk = HangingDisk()
    scene = Scene(LocalRecorder(disk))
    await scene.desk.start()
    peer = await scene.join()
    ready = Request("GET", "/readyz")
    with LogReader() as log:
        peer.send(a_set("/a", 1), qos=1)
        assert (await log.line_with("journal")).startswith("the journal has not answered for ")
        answer = scene.desk.answer_http(ready)
        assert (answer.status, answer.body[:28]) == (503, b"the journal has not answered")
        await looks(30)
        disk.is_well.set()
        assert (await log.line_with("journal")).startswith("the journal answers again, after ")
    await peer.until(lambda message: isinstance(message, Ack))
    assert scene.desk.answer_http(ready).status == 200
    await scene.desk.stop()


async def test_a_commit_that_takes_long_and_comes_further_is_not_silent(caplog):
    """Though nothing was answered for three times as long as it takes to be silent."""
    scene = Scene(LocalRecorder(SlowDisk()))
    await scene.desk.start()
    peer = await scene.join()
    for number in range(15):
        peer.send(a_set("/a", number), qos=1)
        await settle(peer)
    for revision in (1, 15):
        await peer.until(lambda message, at=revision: message == Ack("/a", at))
    assert not caplog.records
    await scene.desk.stop()


async def test_a_journal_that_moves_is_not_silent():
    """However much it still owes, and though it has not moved for all but one of the looks."""
    reasons = []

    def answered() -> int | None:
        reasons.append(watched.reason)
        return len(reasons) // 10 if len(reasons) < 50 else None

    watched = Silence(answered)
    watched.watch()
    while len(reasons) < 50:
        await looks(1)
    assert set(reasons) == {None}


async def test_a_pause_of_the_router_is_not_the_silence_of_the_journal():
    """What came meanwhile has not been read yet."""
    watched = Silence(lambda: 0)
    watched.watch()
    time.sleep(20 * LOOK_S)  # paced: nothing turns meanwhile
    await looks(1)
    assert watched.reason is None
    watched.stop()


async def test_a_journal_that_owes_nothing_is_not_watched():
    """However long nobody writes."""
    asked = []
    watched = Silence(lambda: asked.append(None))
    for number in range(1, 21):
        watched.watch()
        await looks(1)
        assert len(asked) == number
    assert watched.reason is None
