"""A router that does nothing but feed its journal, as a process that a test can kill.

    python -m tests.router.recording.feeding_router PATH

It writes one line per commit that is reported: the number of entries that are then safe.
"""

import asyncio
import itertools
import sys

from router.recording.options import JournalOptions
from router.recording.recorder_process import ProcessRecorder
from tests.router.recording.history import packet, sets

PACKET_ENTRIES = 20
BACKLOG_BYTES = 256 * 1024


async def feed(path):
    """Feed until killed."""
    recorder = ProcessRecorder(JournalOptions(path))
    room = asyncio.Event()

    def committed(packet_number, last_seq, synced):
        print(packet_number * PACKET_ENTRIES, flush=True)
        room.set()

    recorder.on_committed = committed
    await recorder.start()
    print(recorder.pid, flush=True)
    for start in itertools.count(0, PACKET_ENTRIES):
        recorder.submit(packet(sets(PACKET_ENTRIES, start=start)), synced=False)
        while recorder.backlog_bytes > BACKLOG_BYTES:
            room.clear()
            await room.wait()
        await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(feed(sys.argv[1]))
