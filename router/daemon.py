"""A whole router: the desk, its journal and its door, made from a configuration. Classes meet only here.

    async with Router(RouterConfig()).with_journal(journal) as router:
        print(router.url)

`run` is the same as a daemon: signals, a block of lines at the start, an exit code.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from clasp_journal.errors import JournalError
from clasp_journal.journal import Journal
from clasp_journal.opening import open_journal
from router.config import RouterConfig
from router.core.ground import Settings
from router.quantities import Address
from router.runtime.desk import Desk, DeskSettings
from router.runtime.options import JournalOptions
from router.runtime.recorder import Recorder
from router.runtime.recorder_local import LocalRecorder
from router.runtime.recorder_process import ProcessRecorder
from router.transports.memory import MemoryDoor, MemoryPeer
from router.transports.websocket import WebSocketDoor

log = logging.getLogger("router")

QUIESCE_TIMEOUT_S = 1.0
"""For what was accepted to be committed when the router is told to end; its process goes on alone."""
CLOSE_TIMEOUT_S = 0.5
"""For clients to answer the close."""
STOP_TIMEOUT_S = 10.0
"""For the last snapshot."""
_GC_THRESHOLD = (100_000, 50, 50)

CANNOT_OPEN = 3


class Router:
    """A router in this program. Start and stop it, or use it as an async context."""

    def __init__(self, config: RouterConfig | None = None) -> None:
        self.config = config or RouterConfig()
        self._journal: Journal | None = None
        self._desk: Desk | None = None
        self._door = WebSocketDoor(CLOSE_TIMEOUT_S)
        self._port = 0
        self.restored_params = 0

    def with_journal(self, journal: Journal) -> Self:
        """Record into this journal, in this process. It is closed at the end."""
        self._journal = journal
        return self

    async def start(self) -> None:
        """Bind the port, bring the state back, and let clients in."""
        recorder = await self._make_recorder()
        settings = DeskSettings(
            self.config.limits(),
            Settings(self.config.name, self.config.param_ttl, recorder is not None),
            self.config.on_journal_error,
        )
        self._desk = Desk(settings, recorder)
        try:
            self._port = await self._door.open(self._desk, *self.config.listen)
            if isinstance(recorder, ProcessRecorder):
                recorder.tell_url(self.url)
            self.restored_params = await self._desk.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Commit what was accepted, say goodbye to clients, take a last snapshot."""
        desk, self._desk = self._desk, None
        if desk is None:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(desk.quiesce(), QUIESCE_TIMEOUT_S)
        await self._door.close(timeout_s=CLOSE_TIMEOUT_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(desk.stop(), STOP_TIMEOUT_S)

    @property
    def address(self) -> Address:
        """Where it listens, with the real port."""
        return Address(self.config.listen.host, self._port)

    @property
    def url(self) -> str:
        """What clients connect to."""
        return f"ws://{self.address}"

    def connect(self) -> MemoryPeer:
        """A connection from within this program, without a socket."""
        assert self._desk is not None, "the router is not started"
        return MemoryDoor(self._desk).connect()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _make_recorder(self) -> Recorder | None:
        if self._journal is not None:
            return LocalRecorder(self._journal, snapshot_every_s=self.config.snapshot_every_s)
        scheme, _, path = self.config.journal.partition(":")
        if scheme == "none":
            return None
        if scheme == "memory":
            journal = await open_journal(self.config.journal)
            return LocalRecorder(journal, snapshot_every_s=self.config.snapshot_every_s)
        return ProcessRecorder(JournalOptions(path, snapshot_every_s=self.config.snapshot_every_s))


def run(config: RouterConfig) -> int:
    """Be the daemon until a signal comes; returns the exit code."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(_serve(config))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config))


async def _serve(config: RouterConfig) -> int:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    router = Router(config)
    began = time.monotonic()
    try:
        await router.start()
    except JournalError as error:
        log.error("the journal cannot be opened: %s", error)
        return CANNOT_OPEN
    except OSError as error:
        log.error("cannot listen on %s: %s", config.listen, error.strerror or error)
        return CANNOT_OPEN
    _print_start(router, (time.monotonic() - began) * 1_000)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLD)
    await ended.wait()
    await router.stop()
    return 0


def _print_start(router: Router, took_ms: float) -> None:
    config = router.config
    lines = [
        f"clasp-router {config.name}, pid {os.getpid()}",
        f"journal {_describe_journal(config.journal)}",
        f"restored {router.restored_params} params in {took_ms:.0f} ms",
        f"listening on {router.address}",
    ]
    print("\n".join(lines), file=sys.stdout, flush=True)


def _describe_journal(journal: str) -> str:
    scheme, _, rest = journal.partition(":")
    if scheme == "none":
        return "none: nothing is remembered, an ACK means applied"
    if scheme == "memory":
        return "in memory: nothing outlives the router, an ACK means applied"
    with contextlib.suppress(OSError):
        return f"{rest}, {Path(rest).stat().st_size} bytes; an ACK means committed"
    return f"{rest}, new; an ACK means committed"
