"""History for sessions: pulled from the journal page by page, at the pace of whoever reads it.

Laws: a session has one replay running and a bounded number waiting, and gets the past of one subscription
after the other; one that has caught up and follows live entries no longer counts as running; a slow reader
lags, it is neither dropped nor closed for it, and nobody else notices; a replay that fails says so to its
session; who has as many errands under way as may be is not read until one is done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from typing import Any

from clasp_journal.address import Pattern
from clasp_journal.errors import JournalError
from router.core.access import Right
from router.core.answers import packed, packed_error
from router.core.limits import Limits
from router.core.session import Session
from router.recording.recorder import Recorder
from router.recording.requests import HistoryRequest, PageRequest
from router.runtime.exchange import Exchange
from router.runtime.outbox import Outbox, PauseReason
from router.wire.codes import ErrorCode
from router.wire.messages import Ack, JournalDo, JournalDone, Replay, Subscribe

log = logging.getLogger("router.replay")


class _Job:
    """One replay of one session."""

    __slots__ = ("id", "is_following", "is_holding", "pattern", "session", "task")

    def __init__(
        self, session: Session, pattern: str, job_id: int | None, *, is_holding: bool = False
    ) -> None:
        self.session = session
        self.pattern = Pattern.parse(pattern)
        self.id = job_id
        self.is_holding = is_holding
        """Whether deliveries to the session wait until it is done."""
        self.task: asyncio.Task[None] | None = None
        """None while it waits for its turn."""
        self.is_following = False


class Replays:
    """All replays of all sessions."""

    def __init__(self, exchange: Exchange, recorder: Recorder, limits: Limits) -> None:
        self._exchange = exchange
        self._recorder = recorder
        self._limits = limits
        self._jobs: dict[Session, dict[_Job, Coroutine[Any, Any, None]]] = {}
        self._errands: dict[Session, set[asyncio.Task[None]]] = {}

    def replay(self, session: Session, request: Replay, qos: int) -> None:
        """Send what was, and with `follow` what comes. One too many is refused."""
        waiting = sum(job.task is None and not job.is_holding for job in self._jobs.get(session, ()))
        if waiting >= self._limits.replays_queued:
            reason = f"{waiting} replays wait already"
            refusal = packed_error(ErrorCode.TOO_MANY, reason, request.pattern)
            self._exchange.reply(session, refusal)
            return
        job = _Job(session, request.pattern, request.extension.id if request.extension else None)
        self._add(job, self._replay(job, request, qos))
        self._start_next(session)

    def backfill(self, session: Session, request: Subscribe, snapshot: Iterator[bytes], now: int) -> None:
        """Send the past of a new subscription and its snapshot, and hold deliveries meanwhile."""
        self._exchange.settle()
        session.outbox.hold()
        job = _Job(session, request.pattern, request.id, is_holding=True)
        self._add(job, self._backfill(session, request, snapshot, now))
        self._start_next(session)

    def journal_do(self, session: Session, request: JournalDo) -> None:
        """Have the journal do what a tool asks, and answer it."""
        task = asyncio.get_running_loop().create_task(self._do(session, request))
        errands = self._errands.setdefault(session, set())
        errands.add(task)
        task.add_done_callback(lambda task: self._did(session, task))
        if len(errands) >= self._limits.errands:
            session.outbox.pause(PauseReason.ERRANDS)

    def cancel(self, session: Session, job_id: int) -> None:
        """End the replay with this id, if there is one."""
        for job in self._jobs.get(session, ()):
            if job.id == job_id:
                self._end(job)
                return

    def review(self, session: Session) -> None:
        """Its rights are others now: end what they no longer permit, and say so."""
        for job in list(self._jobs.get(session, ())):
            if not session.access.may_all(Right.HISTORY, job.pattern):
                self._end(job)
                reason = "the token no longer permits this replay"
                self._exchange.reply(session, packed_error(ErrorCode.FORBIDDEN, reason, job.pattern.text))

    def leave(self, session: Session) -> None:
        """The session is gone, and all its replays with it."""
        for job in list(self._jobs.get(session, ())):
            self._end(job)

    async def stop(self) -> None:
        """End all replays and errands."""
        tasks = [job.task for jobs in self._jobs.values() for job in jobs if job.task]
        for session in list(self._jobs):
            self.leave(session)
        errands = [task for tasks in self._errands.values() for task in tasks]
        for task in errands:
            task.cancel()
        await asyncio.gather(*tasks, *errands, return_exceptions=True)

    # The work itself.

    async def _replay(self, job: _Job, request: Replay, qos: int) -> None:
        session, outbox = job.session, job.session.outbox
        last_sent = 0
        wanted = _page_request(request)
        try:
            while True:
                page = await self._recorder.page(wanted)
                await self._send(outbox, page.blob)
                last_sent = page.last_sent or last_sent
                wanted = wanted.following(page)
                if page.done and not job.is_following:
                    if request.extension is None or not request.extension.follow:
                        break
                    job.is_following = True
                    self._start_next(session)
                if job.is_following:
                    wanted = wanted._replace(upto_seq=None, limit=None, to_us=None, wait=True)
        except JournalError as error:
            log.error("replay of %s: %s", request.pattern, error)
            answer = packed_error(ErrorCode.INTERNAL, f"replay failed: {error.reason}", request.pattern)
            self._exchange.reply(session, answer)
            return
        if qos and not _as_entries(request):
            self._exchange.reply(session, packed(Ack(address=request.pattern, revision=last_sent)))

    async def _backfill(
        self, session: Session, request: Subscribe, snapshot: Iterator[bytes], now: int
    ) -> None:
        outbox: Outbox = session.outbox
        options = request.options
        assert options is not None
        wanted = HistoryRequest(
            (request.pattern,),
            min(options.history or 0, self._limits.history_per_address),
            self._limits.history_entries,
            request.type_mask,
            now,
        )
        try:
            # A page is large: who does not take the one before is not given another.
            await outbox.room()
            page = await self._recorder.history(wanted)
            outbox.write_past(page.blob)
        except JournalError as error:
            log.error("history of %s: %s", request.pattern, error)
            self._exchange.reply(session, packed_error(ErrorCode.INTERNAL, error.reason, request.pattern))
        for frame in snapshot:
            await outbox.room()
            outbox.write_past(frame)
            await asyncio.sleep(0)

    async def _do(self, session: Session, request: JournalDo) -> None:
        within = tuple(pattern.text for pattern in session.access.patterns(Right.HISTORY))
        status, result = await self._recorder.do(request.verb, request.encoded, session.author, within)
        self._exchange.reply(session, packed(JournalDone(request.id, status, result)))

    def _did(self, session: Session, task: asyncio.Task[None]) -> None:
        errands = self._errands[session]
        errands.discard(task)
        if not errands:
            del self._errands[session]
        session.outbox.resume(PauseReason.ERRANDS)

    async def _send(self, outbox: Outbox, packed_frames: bytes) -> None:
        await outbox.room(behind_holds=True)
        if packed_frames and outbox.is_open:
            self._exchange.answer(outbox, packed_frames)
        await asyncio.sleep(0)

    # Whose turn it is.

    def _add(self, job: _Job, work: Coroutine[Any, Any, None]) -> None:
        self._jobs.setdefault(job.session, {})[job] = work
        job.session.replays += 1

    def _start_next(self, session: Session) -> None:
        for is_holding in (True, False):
            jobs = [job for job in self._jobs.get(session, ()) if job.is_holding is is_holding]
            if any(job.task is not None and not job.is_following for job in jobs):
                continue
            waiting = next((job for job in jobs if job.task is None), None)
            if waiting is not None:
                self._start(waiting)

    def _start(self, job: _Job) -> None:
        work = self._jobs[job.session][job]
        job.task = asyncio.get_running_loop().create_task(work)
        job.task.add_done_callback(lambda task: self._done(job, task))

    def _end(self, job: _Job) -> None:
        """From here on it is none any more, though its task ends a little later."""
        work = self._jobs[job.session][job]
        self._remove(job)
        if job.task is not None:
            job.task.cancel()
        else:
            work.close()

    def _done(self, job: _Job, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("a replay failed", exc_info=task.exception())
        # A cancelled task knows the frame in which it ended, and the frame the job: a cycle would keep both.
        job.task = None
        if job in self._jobs.get(job.session, ()):
            self._remove(job)
        self._start_next(job.session)

    def _remove(self, job: _Job) -> None:
        jobs = self._jobs[job.session]
        del jobs[job]
        job.session.replays -= 1
        if job.is_holding:
            job.session.outbox.release()
            self._exchange.pull(job.session.outbox)
        if not jobs:
            del self._jobs[job.session]


def _as_entries(request: Replay) -> bool:
    return request.extension is not None and request.extension.as_entries


def _page_request(request: Replay) -> PageRequest:
    """The journal's words for what a peer asks."""
    wanted = PageRequest((request.pattern,), request.from_us, request.to_us, request.limit, request.type_mask)
    extension = request.extension
    if extension is None:
        return wanted
    return wanted._replace(
        author=extension.author,
        after_seq=extension.after_seq or 0,
        epoch=extension.epoch,
        newest=extension.newest,
        entries_id=extension.id if extension.as_entries else None,
        journal_kinds=extension.journal_kinds,
    )
