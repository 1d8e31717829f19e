"""A whole router: the desk, its journal and its door, made from a configuration. Classes meet only here.

    async with Router(RouterConfig()).with_journal(journal) as router:
        print(router.url)

Law: a start that fails leaves nothing behind, no port, no task, no process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from clasp_journal.journal import Journal
from clasp_journal.opening import open_journal
from router.auth.gate import TokenGate
from router.auth.store import StoreError
from router.config import RouterConfig
from router.core.access import Gate
from router.core.ground import Settings
from router.core.limits import Limits
from router.network import make_certificates, make_guard
from router.quantities import Address
from router.recording.journal_process import JournalProcess
from router.recording.options import JournalOptions, OnJournalError, RetentionRules
from router.recording.recorder import Recorder
from router.recording.recorder_local import LocalRecorder
from router.recording.recorder_process import ProcessRecorder
from router.runtime.desk import Desk, DeskSettings
from router.transports.memory import MemoryDoor, MemoryPeer
from router.transports.tls import CertificateError, Certificates
from router.transports.websocket import WebSocketDoor
from router.web.pages import make_pages

log = logging.getLogger("router")

QUIESCE_TIMEOUT_S = 1.0
"""For what was accepted to be committed when the router is told to end; its process goes on alone."""
LEAVING_TIMEOUT_S = 0.5
"""For clients to answer the close of a router that ends."""
STOP_TIMEOUT_S = 10.0
"""For the last snapshot."""


class CannotListen(OSError):
    """The address is not to be had."""


class CannotReadTokens(ValueError):
    """There is no file of tokens, or it is none."""


class Router:
    """A router in this program. Start and stop it, as often as you like, or use it as an async context."""

    def __init__(self, config: RouterConfig | None = None) -> None:
        self.config = config or RouterConfig()
        self._journal: Journal | None = None
        self._process: JournalProcess | None = None
        self._desk: Desk | None = None
        self._certificates: Certificates | None = None
        self._door = WebSocketDoor()
        self._port = 0
        self.restored_params = 0

    def with_journal(self, journal: Journal) -> Self:
        """Record into this journal, in this process. It is closed at the end; a next start needs another."""
        self._journal = journal
        return self

    def with_journal_process(self, process: JournalProcess | None) -> Self:
        """Let the first start use this process, which has been begun ahead. Ending it is up to the caller
        if that start fails."""
        self._process = process
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
        self._door = WebSocketDoor(guard=make_guard(self.config), certificates=self._certificates)
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
        await self._door.close(timeout_s=LEAVING_TIMEOUT_S)
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
                lock_wait_s=config.journal_wait_s,
                set_aside_damaged=config.on_journal_error is OnJournalError.SERVE,
                retain=tuple(retention),
                mirror=config.mirror_options,
            ),
            self._take_process(),
        )

    def _take_process(self) -> JournalProcess | None:
        process, self._process = self._process, None
        return process


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
