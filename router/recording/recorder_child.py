"""The journal's process: `python -m router.recording.recorder_child IN OUT`, two inherited sockets.

Laws: it ends when the pipe it reads from does; signals that are meant for the router do not end it; its log
goes to the router as long as there is one, then to stderr.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys

from clasp_journal.sqlite.scout import Scout
from router.loops import new_event_loop
from router.recording.journal_server import JournalServer
from router.recording.messages import Kind, describe_line
from router.recording.pipe import Receiver, Sender

LAST_WORDS_S = 1.0
"""How long the router may take to read the last messages."""
GC_THRESHOLD = 50_000
"""Entries are short-lived and never in cycles: looking for garbage after every 700 of them is waste."""


class _ToRouter(logging.Handler):
    """Sends lines to the router's log."""

    def __init__(self, sender: Sender) -> None:
        super().__init__()
        self._sender = sender
        self._stderr = logging.StreamHandler()
        self._stderr.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if self._sender.is_open:
            self._sender.send(Kind.LOG, describe_line(record))
        else:
            self._stderr.emit(record)


async def run(reading: socket.socket, writing: socket.socket, scout: Scout | None) -> bool:
    """Serve the router; returns whether everything it sent was committed."""
    sender = await Sender.start(writing)
    logging.basicConfig(handlers=[_ToRouter(sender)], level=logging.INFO)
    try:
        return await JournalServer(sender, scout).serve(await Receiver.start(reading))
    finally:
        await sender.finish(LAST_WORDS_S)


def _fork_scout(*ends: socket.socket) -> Scout | None:
    """Fork a scout, if the system lets us: it only makes the start quicker."""
    try:
        return Scout.fork(end.fileno() for end in ends)
    except OSError:
        return None


def main() -> None:
    """Run as a process."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.set_threshold(GC_THRESHOLD)
    reading, writing = (socket.socket(fileno=int(descriptor)) for descriptor in sys.argv[1:3])
    scout = _fork_scout(reading, writing)
    code = 1
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            code = 0 if runner.run(run(reading, writing, scout)) else 1
    except BaseException:
        logging.getLogger("router.journal").exception("the journal's process failed")
    finally:
        # A thread that still waits for a disk would keep the process, and with it the lock.
        os._exit(code)


if __name__ == "__main__":
    main()
