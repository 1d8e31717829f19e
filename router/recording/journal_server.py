"""The journal's process from the inside: one router, one journal, from the first message to the last.

Laws: everything that was in the pipe is committed before this ends; no more is taken from the pipe than can
be held, the rest waits with the router; a request is answered once, unless it is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from clasp_journal.entry import ParamSnapshot
from clasp_journal.errors import BadInput, JournalCorrupt, JournalError, JournalLocked
from clasp_journal.journal import Journal, Results, Span
from clasp_journal.mirror import MirrorOptions
from clasp_journal.selection import Selection
from clasp_journal.sqlite import SqliteJournal
from clasp_journal.sqlite.scout import Scout
from clasp_journal.thinned import was_thinned
from router.recording.messages import (
    ASK_HEAD,
    ID,
    PACKET_HEAD,
    Kind,
    Question,
    describe_error,
    pack_plain,
    unpack_plain,
)
from router.recording.options import JournalOptions, retention_of
from router.recording.pipe import Receiver, Sender
from router.recording.requests import HistoryRequest, KeepSnapshot, PageRequest
from router.recording.restoring import decode_params, encode_params
from router.recording.setting_aside import make_room
from router.recording.vitals import Vitals

BACKLOG_BYTES = 16 * 1024 * 1024
"""Packets that are taken from the pipe before they are committed."""

if TYPE_CHECKING:
    from router.recording.clerk import Clerk

log = logging.getLogger("router.journal")


class JournalServer:
    """Serves the router at the other end of a pipe."""

    def __init__(self, sender: Sender, scout: Scout | None = None) -> None:
        """The scout helps to restore the state, where there is much of it."""
        self._sender = sender
        self._scout = scout
        self._options = JournalOptions("")
        self._clerk: Clerk | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._room = asyncio.Event()

    async def serve(self, receiver: Receiver) -> bool:
        """Do what is asked until the pipe ends. Returns whether everything was committed."""
        told_to_stop = False
        async for kind, body in receiver.messages():
            if kind == Kind.PACKET:
                await self._take(body)
            elif kind == Kind.ASK:
                self._begin(body)
            elif kind == Kind.CANCEL:
                self._cancel(body)
            elif kind == Kind.OPEN:
                self._options = JournalOptions(*unpack_plain(body))
                if self._options.resume_after_seq is not None:
                    self._dismiss_scout()
                if not await self._open():
                    return False
            elif kind == Kind.STOP:
                told_to_stop = True
                break
        return await self._end(with_snapshot=told_to_stop)

    # What the clerk tells.

    def committed(self, packet_number: int, first_seq: int, last_seq: int, synced: bool) -> None:
        """Report a commit to the router."""
        assert self._clerk is not None
        report = (packet_number, last_seq, synced, self._clerk.journal.epoch)
        self._sender.send(Kind.COMMITTED, pack_plain(report))
        self._room.set()

    def trouble(self, reason: str) -> None:
        """Report to the router that appending fails."""
        self._sender.send(Kind.TROUBLE, reason.encode())

    def recovered(self) -> None:
        """Report to the router that appending works again."""
        self._sender.send(Kind.RECOVERED)

    def working(self) -> None:
        """Report to the router that a long commit has come further."""
        self._sender.send(Kind.WORKING)

    def vital(self, vitals: Vitals) -> None:
        """Report the journal's figures to the router."""
        *facts, committed, synced = vitals
        self._sender.send(Kind.VITALS, pack_plain((*facts, tuple(committed), tuple(synced))))

    # What the router says.

    async def _open(self) -> bool:
        options = self._options
        try:
            try:
                self._clerk = await self._begin_clerk()
            except JournalCorrupt as damage:
                if not options.set_aside_damaged:
                    raise
                # Opening looks at little of a file; this was seen only when the state was restored.
                await make_room(options.path, damage)
                self._clerk = await self._begin_clerk()
        except JournalError as error:
            self._sender.send(Kind.FAILED, describe_error(error))
            return False
        await self._clerk.start()
        return True

    async def _begin_clerk(self) -> Clerk:
        journal = await open_journal(self._options, self._scout)
        every_s, rules = self._options.snapshot_every_s, retention_of(self._options)
        # What it needs of the router takes long to load; a scout is on its way by now.
        from router.recording.clerk import Clerk

        clerk = Clerk(journal, self, snapshot_every_s=every_s, retention=rules)
        try:
            await self._get_ready(clerk, self._options.resume_after_seq)
        except JournalError:
            self._dismiss_scout()
            with contextlib.suppress(JournalError):
                await journal.close()
            raise
        self._dismiss_scout()
        return clerk

    def _dismiss_scout(self) -> None:
        """End the scout: no state will be restored any more."""
        scout, self._scout = self._scout, None
        if scout is not None:
            scout.dismiss()

    async def _get_ready(self, clerk: Clerk, resume_after_seq: int | None) -> None:
        journal = clerk.journal
        param_count = revision_floor = appended = 0
        if resume_after_seq is not None:
            appended = await count_appended(journal, resume_after_seq)
        else:
            told: list[list[ParamSnapshot]] = []
            # What the router has heard cannot be taken back if a new journal begins after all.
            tell = told.append if self._options.set_aside_damaged else self._tell
            state = await clerk.restore(tell)
            for params in told:
                self._tell(params)
            revision_floor = state.revision_floor
            param_count = len(state.live) + len(state.tombstones)
        facts = (journal.epoch, await journal.latest_seq(), revision_floor, param_count, appended)
        self._sender.send(Kind.READY, pack_plain(facts))

    def _tell(self, params: list[ParamSnapshot]) -> None:
        """Let the router build its part of the state while the rest is still being restored here."""
        for page in encode_params(params):
            self._sender.send(Kind.STATE, page)

    async def _take(self, body: bytes) -> None:
        assert self._clerk is not None
        number, synced = PACKET_HEAD.unpack_from(body)
        self._clerk.submit(number, body[PACKET_HEAD.size :], synced=synced)
        while self._clerk.backlog_bytes > BACKLOG_BYTES:
            self._room.clear()
            await self._room.wait()

    def _begin(self, body: bytes) -> None:
        request_id, question = ASK_HEAD.unpack_from(body)
        work = self._ask(question, unpack_plain(body[ASK_HEAD.size :]))
        task = asyncio.create_task(self._answer(request_id, work))
        self._tasks[request_id] = task

        def end(_: object) -> None:
            self._tasks.pop(request_id, None)
            if isinstance(work, Coroutine):
                # Cancelled before its first step, the task has not begun it; Python would complain of that.
                work.close()

        task.add_done_callback(end)

    def _ask(self, question: int, arguments: Any) -> Awaitable[Any]:
        """Put a question to the clerk. A snapshot takes its place between the packets here and now."""
        assert self._clerk is not None
        if question == Question.PAGE:
            return self._clerk.page(PageRequest(*arguments))
        if question == Question.HISTORY:
            return self._clerk.history(HistoryRequest(*arguments))
        if question == Question.DO:
            return self._clerk.do(*arguments)
        pages, revision_floor = arguments
        params = [param for page in pages for param in decode_params(page)]
        return self._clerk.keep_snapshot(KeepSnapshot(params, revision_floor))

    async def _answer(self, request_id: int, work: Awaitable[Any]) -> None:
        try:
            result = await work
        except (JournalError, BadInput, ValueError) as error:
            self._sender.send(Kind.ERROR, ID.pack(request_id), describe_error(error))
        else:
            answer = tuple(result) if isinstance(result, tuple) else result
            await self._sender.room()
            self._sender.send(Kind.ANSWER, ID.pack(request_id), pack_plain(answer))

    def _cancel(self, body: bytes) -> None:
        task = self._tasks.get(ID.unpack(body)[0])
        if task is not None:
            task.cancel()

    async def _end(self, *, with_snapshot: bool) -> bool:
        if self._clerk is None:
            return True
        for task in list(self._tasks.values()):
            task.cancel()
        try:
            async with asyncio.timeout(self._options.drain_timeout_s):
                await self._clerk.close(with_snapshot=with_snapshot)
        except TimeoutError:
            log.error("gave up: %d bytes of entries could not be written", self._clerk.backlog_bytes)
            return False
        return True


async def open_journal(options: JournalOptions, scout: Scout | None) -> Journal:
    """Open the file; if another process is writing it, say so and wait a while for it to end."""
    on_corrupt: Literal["refuse", "set_aside"] = "set_aside" if options.set_aside_damaged else "refuse"
    mirror = MirrorOptions(*options.mirror) if options.mirror is not None else None
    opening = partial(
        SqliteJournal, options.path, mirror=mirror, url=options.url, on_corrupt=on_corrupt, scout=scout
    )
    try:
        return await opening().open()
    except JournalLocked as locked:
        if options.lock_wait_s <= 0:
            raise
        log.warning("waiting for the journal, up to %g s: %s", options.lock_wait_s, locked)
    return await opening(lock_wait_s=options.lock_wait_s).open()


async def count_appended(journal: Journal, after_seq: int) -> int:
    """How many entries behind a number came in packets, and not from the journal's side itself."""
    from router.recording.feed import CLERKS_KINDS

    count = 0
    span = Span(after_seq, await journal.latest_seq())
    async for page in Results(journal, Selection(), span=span).pages():
        count += sum(entry.kind not in CLERKS_KINDS or was_thinned(entry) for entry in page)
    return count
