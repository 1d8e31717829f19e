"""`clasp-router` as a process: signals, a block of lines at the start, an exit code.

Law: the journal's process is begun before anything else is loaded, because it takes as long to be ready as
all the rest; whatever the start comes to, that process does not stay behind.
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
from typing import TYPE_CHECKING

from clasp_journal.errors import JournalCorrupt, JournalError
from router.advice import inapplicable
from router.config import RouterConfig
from router.loops import new_event_loop
from router.network import risks
from router.quantities import Retention, format_size
from router.recording.journal_process import JournalProcess
from router.supervision import Supervisor
from router.transports.tls import CertificateError

if TYPE_CHECKING:
    from router.daemon import Router

log = logging.getLogger("router")

CANNOT_OPEN = 3
"""The exit code when the port, the certificate or the journal cannot be had."""
_KILLED_BY = 128
"""What shells add to the number of the signal that ended a program at once."""
_GC_THRESHOLD = (100_000, 50, 50)


def run(config: RouterConfig) -> int:
    """Be the daemon until a signal comes; returns the exit code."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_serve(config))


async def _serve(config: RouterConfig) -> int:
    told_to_end = _heed_signals()
    # What is restored stays, and who leaves is gone without it: looking for garbage again and again is waste.
    gc.set_threshold(*_GC_THRESHOLD)
    process = await _begin_journal_process(config)
    lines = _Lines(config)
    try:
        router = await _start(config, process, told_to_end)
    except BaseException as error:
        await _give_up(process)
        _explain(error, config)
        return CANNOT_OPEN
    if router is None:
        await _give_up(process)
        return 0
    lines.print(router)
    for line in (*inapplicable(config), *risks(config)):
        log.warning("%s", line)
    gc.collect()
    gc.freeze()
    supervisor = Supervisor()
    supervisor.ready(f"listening on {router.address}")
    await told_to_end
    supervisor.ending()
    await router.stop()
    return 0


async def _start(
    config: RouterConfig, process: JournalProcess | None, told_to_end: asyncio.Future[None]
) -> Router | None:
    """A router that has started; None if it was told to end before."""
    from router.daemon import Router

    router = Router(config).with_journal_process(process)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, router.reload)
    start = asyncio.create_task(router.start())
    await asyncio.wait((start, told_to_end), return_when=asyncio.FIRST_COMPLETED)
    if not start.done():
        start.cancel()
        await asyncio.gather(start, return_exceptions=True)
        return None
    await start
    return router


async def _begin_journal_process(config: RouterConfig) -> JournalProcess | None:
    """Begin the journal's process, if there is to be one; whether it could be is seen when it is needed."""
    if config.backend == "sqlite":
        with contextlib.suppress(OSError):
            return await JournalProcess.spawn()
    return None


async def _give_up(process: JournalProcess | None) -> None:
    """End a process that nothing was entrusted to, if it has not ended."""
    if process is not None:
        process.kill()
        await process.end()


def _heed_signals() -> asyncio.Future[None]:
    """What is done at the first signal to end. The second ends the process there and then."""
    loop = asyncio.get_running_loop()
    told_to_end: asyncio.Future[None] = loop.create_future()

    def end(number: int) -> None:
        if told_to_end.done():
            # The journal's process still commits what it has got.
            os._exit(_KILLED_BY + number)
        told_to_end.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number)
    return told_to_end


def _explain(error: BaseException, config: RouterConfig) -> None:
    """Say in one line why there is no router; what nobody foresaw is raised."""
    if isinstance(error, ImportError):
        # The names below may be what cannot be had.
        raise error
    from router.daemon import CannotListen, CannotReadTokens

    if isinstance(error, CannotListen):
        log.error("cannot listen on %s: %s", config.listen, error.strerror)
    elif isinstance(error, CannotReadTokens):
        log.error("nobody could come in: %s", error)
    elif isinstance(error, CertificateError):
        log.error("the certificate cannot be used: %s", error)
    elif isinstance(error, JournalCorrupt):
        log.error(
            "the journal cannot be opened: %s. No entry was touched. Put a good copy in its place, or start "
            "with --on-journal-error serve: then it is set aside under another name, and a new one begins",
            error,
        )
    elif isinstance(error, JournalError):
        log.error("the journal cannot be opened: %s", error)
    else:
        raise error


class _Lines:
    """The block of lines at the start."""

    def __init__(self, config: RouterConfig) -> None:
        self._began_s = time.monotonic()
        self._is_new = config.backend == "sqlite" and not os.path.exists(config.journal_path)

    def print(self, router: Router) -> None:
        """Tell the operator what runs and where."""
        config = router.config
        took_ms = (time.monotonic() - self._began_s) * 1_000
        named = "" if config.name == RouterConfig().name else f" {config.name}"
        lines = (
            f"clasp-router{named}, pid {os.getpid()}",
            f"journal {self._describe(config)}",
            f"restored {router.restored_params} params in {took_ms:.0f} ms",
            f"listening on {router.address}",
        )
        # Whoever does not read them still has a router.
        with contextlib.suppress(OSError):
            print("\n".join(lines), file=sys.stdout, flush=True)

    def _describe(self, config: RouterConfig) -> str:
        if config.backend == "none":
            return "none: nothing is remembered; an ACK means applied"
        if config.backend == "memory":
            return "in memory: nothing outlives the router; an ACK means applied"
        path = config.journal_path
        size = "new" if self._is_new else format_size(sum(map(_size_bytes, (path, f"{path}-wal"))))
        kept = "" if config.retain == Retention() else f"; kept: {config.retain}"
        kept += f"; rules: {len(config.rules)}" if config.rules else ""
        mirror = "" if config.mirror == "none" else f"; mirror: {config.mirror}"
        return f"{path}, {size}{kept}{mirror}; an ACK means committed, with QoS 2 on the disk"


def _size_bytes(path: str) -> int:
    with contextlib.suppress(OSError):
        return Path(path).stat().st_size
    return 0
