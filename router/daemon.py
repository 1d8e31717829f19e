"""A whole router: the desk, its journal and its door, made from a configuration. Classes meet only here.

    async with Router(RouterConfig()).with_journal(journal) as router:
        print(router.url)

`run` is the same as a daemon: signals, a block of lines at the start, an exit code. Law: a start that fails
leaves nothing behind, no port, no task, no process.
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
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from clasp_journal.errors import JournalCorrupt, JournalError
from clasp_journal.journal import Journal
from clasp_journal.opening import open_journal
from router.auth.gate import TokenGate
from router.auth.store import StoreError
from router.config import RouterConfig
from router.core.access import Gate
from router.core.ground import Settings
from router.core.limits import Limits
from router.network import make_certificates, make_guard, risks
from router.quantities import Address, Retention, format_size
from router.runtime.desk import Desk, DeskSettings
from router.runtime.keeping import OnJournalError
from router.runtime.options import JournalOptions, RetentionRules
from router.runtime.recorder import Recorder
from router.runtime.recorder_local import LocalRecorder
from router.runtime.recorder_process import ProcessRecorder
from router.supervision import Supervisor
from router.transports.memory import MemoryDoor, MemoryPeer
from router.transports.tls import CertificateError, Certificates
from router.transports.websocket import WebSocketDoor
from router.web.pages import make_pages

log = logging.getLogger("router")

QUIESCE_TIMEOUT_S = 1.0
"""For what was accepted to be committed when the router is told to end; its process goes on alone."""
CLOSE_TIMEOUT_S = 0.5
"""For clients to answer the close."""
STOP_TIMEOUT_S = 10.0
"""For the last snapshot."""
_GC_THRESHOLD = (100_000, 50, 50)

CANNOT_OPEN = 3
"""The exit code when the port, the certificate or the journal cannot be had."""
_KILLED_BY = 128
"""What shells add to the number of the signal that ended a program at once."""


class CannotListen(OSError):
    """The address is not to be had."""


class CannotReadTokens(ValueError):
    """There is no file of tokens, or it is none."""


class Router:
    """A router in this program. Start and stop it, as often as you like, or use it as an async context."""

    def __init__(self, config: RouterConfig | None = None) -> None:
        self.config = config or RouterConfig()
        self._journal: Journal | None = None
        self._desk: Desk | None = None
        self._certificates: Certificates | None = None
        self._door = WebSocketDoor(CLOSE_TIMEOUT_S)
        self._port = 0
        self.restored_params = 0

    def with_journal(self, journal: Journal) -> Self:
        """Record into this journal, in this process. It is closed at the end; a next start needs another."""
        self._journal = journal
        return self

    async def start(self) -> None:
        """Bind the port, bring the state back, and let clients in.

        Raises `CannotListen`, `CannotReadTokens`, `CertificateError`, or a `JournalError` if the journal
        cannot be opened.
        """
        if self._desk is not None:
            raise RuntimeError("the router is started already")
        limits = self.config.limits()
        gate = _make_gate(self.config.auth, limits)
        self._certificates = make_certificates(self.config)
        self._door = WebSocketDoor(
            CLOSE_TIMEOUT_S, guard=make_guard(self.config), certificates=self._certificates
        )
        recorder = await self._make_recorder()
        settings = DeskSettings(
            limits,
            Settings(self.config.name, self.config.param_ttl, recorder is not None, gate),
            self.config.on_journal_error,
        )
        self._desk = Desk(settings, recorder)
        self._desk.pages = make_pages(self._desk)
        try:
            self._port = await self._bind(self._desk)
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
        if not await _in_time(desk.quiesce, QUIESCE_TIMEOUT_S):
            log.warning("the journal is slow: what was accepted is still being written")
        await self._door.close(timeout_s=CLOSE_TIMEOUT_S)
        if not await _in_time(desk.stop, STOP_TIMEOUT_S):
            log.warning("the journal has not ended in %g s; its process finishes alone", STOP_TIMEOUT_S)

    def reload(self) -> None:
        """Read certificates and tokens again; with files that cannot be used the router goes on as before."""
        if self._desk is not None:
            self._desk.look_at_tokens()
        if self._certificates is None:
            if self.config.auth == "none":
                log.info("there is nothing to be read again")
            return
        try:
            self._certificates.reload()
        except CertificateError as error:
            log.error("the certificate stays as it was: %s", error)
        else:
            log.info("new connections are shown the certificate that was read now")

    @property
    def address(self) -> Address:
        """Where it listens, with the real port."""
        return Address(self.config.listen.host, self._port)

    @property
    def url(self) -> str:
        """What clients connect to."""
        return f"{'ws' if self._certificates is None else 'wss'}://{self.address}"

    def connect(self) -> MemoryPeer:
        """A connection from within this program, without a socket."""
        if self._desk is None:
            raise RuntimeError("the router is not started")
        return MemoryDoor(self._desk).connect()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _bind(self, desk: Desk) -> int:
        try:
            return await self._door.open(desk, *self.config.listen)
        except OSError as error:
            # The text of a failed bind repeats the address in the words of whichever loop it is.
            is_numbered = error.errno is not None and error.errno > 0
            reason = os.strerror(error.errno) if is_numbered and error.errno else error.strerror or str(error)
            raise CannotListen(error.errno, reason) from error

    async def _make_recorder(self) -> Recorder | None:
        config = self.config
        every_s, retention = config.snapshot_every_s, _retention_of(config)
        if self._journal is not None:
            return LocalRecorder(self._journal, snapshot_every_s=every_s, retention=retention)
        if config.backend == "none":
            return None
        if config.backend == "memory":
            journal = await open_journal(config.journal)
            return LocalRecorder(journal, snapshot_every_s=every_s, retention=retention)
        return ProcessRecorder(
            JournalOptions(
                config.journal_path,
                snapshot_every_s=every_s,
                set_aside_damaged=config.on_journal_error is OnJournalError.SERVE,
                retain=tuple(retention),
                mirror=config.mirror_options,
            )
        )


def _make_gate(auth: str, limits: Limits) -> Gate | None:
    if auth == "none":
        return None
    try:
        return TokenGate(auth, limits)
    except FileNotFoundError:
        hint = "make it with: clasp-router token create --auth FILE --subject NAME --scope read:/**"
        raise CannotReadTokens(f"there is no file {auth}; {hint}") from None
    except (OSError, StoreError) as error:
        raise CannotReadTokens(str(error)) from None


def _retention_of(config: RouterConfig) -> RetentionRules:
    retain = config.retain
    age_us = None if retain.age_s is None else round(retain.age_s * 1_000_000)
    thin_after_us = round(config.thin_after_s * 1_000_000)
    return RetentionRules(age_us, retain.size_bytes, retain.entries, config.rules, thin_after_us)


async def _in_time(act: Callable[[], Awaitable[None]], timeout_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(act(), timeout_s)
        return True
    return False


def run(config: RouterConfig) -> int:
    """Be the daemon until a signal comes; returns the exit code."""
    with asyncio.Runner(loop_factory=_new_event_loop) as runner:
        return runner.run(_serve(config))


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """The quick loop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _serve(config: RouterConfig) -> int:
    told_to_end = _heed_signals()
    # What is restored stays: looking through all of it for garbage again and again is waste.
    gc.set_threshold(*_GC_THRESHOLD)
    router = Router(config)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, router.reload)
    lines = _Lines(config)
    start = asyncio.create_task(router.start())
    await asyncio.wait((start, told_to_end), return_when=asyncio.FIRST_COMPLETED)
    if not start.done():
        start.cancel()
        await asyncio.gather(start, return_exceptions=True)
        return 0
    error = start.exception()
    if error is not None:
        _explain(error, config)
        return CANNOT_OPEN
    lines.print(router)
    for risk in risks(config):
        log.warning("%s", risk)
    gc.collect()
    gc.freeze()
    supervisor = Supervisor()
    supervisor.ready(f"listening on {router.address}")
    await told_to_end
    supervisor.ending()
    await router.stop()
    return 0


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
        self._is_new = config.backend == "sqlite" and not Path(config.journal_path).exists()

    def print(self, router: Router) -> None:
        """Tell the operator what runs and where."""
        config = router.config
        took_ms = (time.monotonic() - self._began_s) * 1_000
        lines = (
            f"clasp-router {config.name}, pid {os.getpid()}",
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
