"""Recorders under test: started, fed, listened to, stopped."""

import asyncio
import logging
from contextlib import asynccontextmanager

from clasp_journal.memory import MemoryJournal
from router.recording.recorder_local import LocalRecorder
from tests.router.recording.history import entry_of, packet


class Listener:
    """Hears what a recorder tells, and lets a test wait for it."""

    def __init__(self, recorder):
        self.recorder = recorder
        self.remembered = []
        self.commits = []
        self.troubles = []
        self.recoveries = 0
        self._heard = asyncio.Event()
        recorder.on_remembered = self.remembered.extend
        recorder.on_committed = self._committed
        recorder.on_trouble = self._trouble
        recorder.on_recovered = self._recovered

    @property
    def committed(self):
        """The number of the last packet that was reported."""
        return self.commits[-1][0] if self.commits else 0

    async def until(self, condition):
        """Return when the condition holds; it can only change when something is heard."""
        async with asyncio.timeout(30):
            while not condition():
                self._heard.clear()
                await self._heard.wait()

    async def until_committed(self, number):
        """Return when this packet is reported."""
        await self.until(lambda: self.committed >= number)

    def _committed(self, packet_number, last_seq, synced):
        self.commits.append((packet_number, last_seq, synced))
        self._heard.set()

    def _trouble(self, reason):
        self.troubles.append(reason)
        self._heard.set()

    def _recovered(self):
        self.recoveries += 1
        self._heard.set()


class LogReader(logging.Handler):
    """Reads the log while it is written."""

    def __init__(self):
        super().__init__()
        self._lines = asyncio.Queue()

    def __enter__(self):
        logging.getLogger("router.journal").addHandler(self)
        return self

    def __exit__(self, *_):
        logging.getLogger("router.journal").removeHandler(self)

    def emit(self, record):
        """Take a line."""
        self._lines.put_nowait(record.getMessage())

    async def line_with(self, words):
        """The next line that says this."""
        async with asyncio.timeout(30):
            while words not in (line := await self._lines.get()):
                pass
        return line


@asynccontextmanager
async def started(recorder):
    """A recorder is started, and stopped at the end; gives who listens to it."""
    listener = Listener(recorder)
    await recorder.start()
    try:
        yield listener
    finally:
        await recorder.stop()


@asynccontextmanager
async def local(journal=None, **options):
    """A started recorder with a ring in this process."""
    recorder = LocalRecorder(MemoryJournal() if journal is None else journal, **options)
    async with started(recorder) as listener:
        yield recorder, listener


async def record(recorder, listener, packets, synced=False):
    """Submit packets of what was recorded, and wait until they are committed."""
    for recorded in packets:
        number = recorder.submit(packet(recorded), synced=synced)
    await listener.until_committed(number)


def expected(packets):
    """The entries that packets have to become, numbered."""
    flat = [one for recorded in packets for one in recorded]
    return [entry_of(one, seq) for seq, one in enumerate(flat, start=1)]
