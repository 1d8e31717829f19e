"""A recorder whose journal lives in a process of its own: no disk, query or snapshot stalls the router.

Laws: what is not reported as committed is kept, and sent again when the process has to be started again;
what the process that died had committed unreported is counted in the journal and not sent again; a question
is put again once, unless that could do something twice. What nobody waits for gathers here for a moment (see
`gathering`), and is lost if the router is killed in it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Iterable, Iterator
from typing import Any, NamedTuple

from clasp_journal.entry import ParamSnapshot
from clasp_journal.errors import JournalClosed, JournalError, JournalUnavailable
from clasp_journal.rules import Rules
from router.core.limits import KIB
from router.recording.committing import recorded
from router.recording.errands import failure
from router.recording.feed import feed_count, join_packets
from router.recording.feed_reading import read_feed
from router.recording.gathering import Gathering
from router.recording.journal_process import JournalProcess
from router.recording.messages import (
    ASK_HEAD,
    ID,
    PACKET_HEAD,
    Kind,
    Question,
    log_line,
    pack_plain,
    rebuild_error,
    unpack_plain,
)
from router.recording.options import JournalOptions, retention_of
from router.recording.pipe import packed
from router.recording.questions import OpenQuestion, Questions
from router.recording.recorder import Recorder
from router.recording.requests import WHOLE, HistoryRequest, Page, PageRequest, RestoredState
from router.recording.restoring import decode_params, encode_params
from router.recording.vitals import rebuild

RESPAWN_MIN_S = 0.05
RESPAWN_MAX_S = 1.0
PAGES_IN_FLIGHT = 32
"""Pages that may be on their way at once, waiting ones not counted; others queue here."""

WRITE_BYTES = 64 * KIB
"""What is written to the process at once, about."""

log = logging.getLogger("router.journal")


class _Packet(NamedTuple):
    number: int
    data: bytes
    synced: bool


class ProcessRecorder(Recorder):
    """Records through a child process into an SQLite file."""

    def __init__(self, options: JournalOptions, ahead: JournalProcess | None = None) -> None:
        """`ahead` is a process that has been begun already, for the first start."""
        super().__init__()
        self._ahead = ahead
        self._options = options
        self._process: JournalProcess | None = None
        self._supervision: asyncio.Task[None] | None = None
        self._outgoing: deque[_Packet | OpenQuestion] = deque()
        self._gathering = Gathering(self._pump)
        self._unconfirmed: deque[_Packet] = deque()
        self._questions = Questions()
        self._in_flight = asyncio.Semaphore(PAGES_IN_FLIGHT)
        self._backlog_bytes = 0
        self._submitted = self._sent = 0
        self._last_seq = 0
        self._in_trouble = False
        self._stopping = self._told_to_stop = False

    @property
    def backlog_bytes(self) -> int:
        return self._backlog_bytes

    @property
    def pid(self) -> int | None:
        """The process, if there is one at this moment."""
        return self._process.pid if self._process else None

    def tell_url(self, url: str) -> None:
        """Where the router listens, once that is known; before `start`. See `JournalOptions.url`."""
        self._options = self._options._replace(url=url)

    # What the router asks for.

    async def start(self) -> RestoredState:
        process, facts = await self._open(self._options)
        self.epoch, self._last_seq, revision_floor, param_count, _ = facts
        self._take_over(process)
        self._supervision = asyncio.create_task(self._supervise())
        return RestoredState(self.epoch, self._last_seq, revision_floor, param_count)

    def submit(self, packet: bytes, *, synced: bool, awaited: bool = True) -> int:
        self._submitted += 1
        item = _Packet(self._submitted, packet, synced)
        self._backlog_bytes += len(packet)
        self._unconfirmed.append(item)
        self._outgoing.append(item)
        self._gathering.add(len(packet), awaited=awaited)
        return self._submitted

    async def page(self, request: PageRequest) -> Page:
        arguments = pack_plain(tuple(request))
        if request.wait:
            return Page(*await self._ask(Question.PAGE, arguments))
        async with self._in_flight:
            return Page(*await self._ask(Question.PAGE, arguments))

    async def history(self, request: HistoryRequest) -> Page:
        async with self._in_flight:
            return Page(*await self._ask(Question.HISTORY, pack_plain(tuple(request))))

    async def do(
        self, verb: str, encoded_arguments: bytes, author: str = "", within: tuple[str, ...] = WHOLE
    ) -> tuple[int, bytes]:
        try:
            asked = pack_plain((verb, encoded_arguments, author, within))
            status, result = await self._ask(Question.DO, asked)
        except JournalError as error:
            return failure(error)
        return status, result

    def keep_snapshot(self, params: Iterable[ParamSnapshot], revision_floor: int) -> Awaitable[int]:
        pages = list(encode_params(list(params)))
        return self._ask(Question.KEEP_SNAPSHOT, pack_plain((pages, revision_floor)))

    async def stop(self) -> None:
        self._stopping = True
        self._pump()
        if self._supervision is not None and not self._supervision.done():
            await self._supervision

    # Towards the process.

    def _ask(self, kind: Question, arguments: bytes) -> Awaitable[Any]:
        """Put a question here and now, behind everything that was submitted; await its answer."""
        question = self._questions.open(kind, arguments)
        if self._supervision is None or self._supervision.done():
            self._questions.fail_all(JournalClosed("the journal is closed", path=self._options.path))
            return question.answer
        self._outgoing.append(question)
        self._pump()
        question.answer.add_done_callback(lambda _: self._close(question))
        return question.answer

    def _close(self, question: OpenQuestion) -> None:
        """Forget a question that is answered, or for whose answer nobody waits any more."""
        was_open = self._questions.close(question)
        if was_open and question.asked and self._process is not None:
            self._process.send(Kind.CANCEL, ID.pack(question.id))

    def _pump(self) -> None:
        """Send what can be sent; the rest goes when there is room."""
        if self._outgoing:
            self._gathering.has_left()
        process = self._process
        if process is None:
            return
        while self._outgoing and process.has_room:
            process.write(b"".join(self._next_messages()))
        if self._stopping and not self._outgoing and not self._told_to_stop:
            self._told_to_stop = True
            process.send(Kind.STOP)

    def _next_messages(self) -> Iterator[bytes]:
        """The next packed messages, as many as one write should carry."""
        size_bytes = 0
        while self._outgoing and size_bytes < WRITE_BYTES:
            item = self._outgoing[0]
            if isinstance(item, _Packet):
                message = self._next_packets()
            else:
                self._outgoing.popleft()
                if item not in self._questions:
                    continue
                item.asked += 1
                message = packed(Kind.ASK, ASK_HEAD.pack(item.id, item.kind), item.arguments)
            size_bytes += len(message)
            yield message

    def _next_packets(self) -> bytes:
        """The next packets in a row as one: to the process, each is about as much work as an entry."""
        data: list[bytes] = []
        size_bytes, synced = 0, False
        while self._outgoing and isinstance(item := self._outgoing[0], _Packet) and size_bytes < WRITE_BYTES:
            self._outgoing.popleft()
            data.append(item.data)
            size_bytes += len(item.data)
            synced = synced or item.synced
            self._sent = item.number
        return packed(Kind.PACKET, PACKET_HEAD.pack(self._sent, synced), join_packets(data))

    # From the process.

    async def _listen(self, process: JournalProcess) -> None:
        async for kind, body in process.messages():
            if kind == Kind.COMMITTED:
                number, self._last_seq, synced, self.epoch = unpack_plain(body)
                self._confirm(number)
                self.on_committed(number, self._last_seq, synced)
            elif kind == Kind.ANSWER:
                self._questions.take_answer(body)
            elif kind == Kind.ERROR:
                self._questions.take_error(body)
            elif kind == Kind.TROUBLE:
                self._note_trouble(body.decode())
            elif kind == Kind.RECOVERED:
                self._note_recovery()
            elif kind == Kind.WORKING:
                self.on_working()
            elif kind == Kind.VITALS:
                self.vitals = rebuild(unpack_plain(body))
            elif kind == Kind.LOG:
                log_line(body)

    def _confirm(self, number: int) -> None:
        unconfirmed = self._unconfirmed
        while unconfirmed and unconfirmed[0].number <= number:
            self._backlog_bytes -= len(unconfirmed.popleft().data)

    def _note_trouble(self, reason: str) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            self.on_trouble(reason)

    def _note_recovery(self) -> None:
        if self._in_trouble:
            self._in_trouble = False
            self.on_recovered()

    # Lives of the process.

    async def _supervise(self) -> None:
        """Keep a process running until everything is done; then nothing can be asked any more."""
        try:
            while not await self._live():
                self._look_back()
                await self._begin_again()
        finally:
            if self._process is not None:
                self._process.hang_up()
            self._questions.fail_all(JournalClosed("the journal is closed"))

    async def _live(self) -> bool:
        """Listen to a process until it ends. Returns whether that was the end it should have."""
        process = self._process
        assert process is not None
        await self._listen(process)
        self._process = None
        code = await process.end()
        if self._told_to_stop and not self._unconfirmed:
            return True
        self._note_trouble(f"the journal's process ended ({code})")
        return False

    def _look_back(self) -> None:
        """Queue again what the process that died has left undone."""
        died = JournalUnavailable("the journal's process ended while it was at this")
        packets = [packet for packet in self._unconfirmed if packet.number <= self._sent]
        self._outgoing.extendleft(reversed([*packets, *self._questions.outlive_process(died)]))
        self._told_to_stop = False

    async def _begin_again(self) -> None:
        delay_s = RESPAWN_MIN_S
        while True:
            try:
                options = self._options._replace(resume_after_seq=self._last_seq, set_aside_damaged=False)
                process, facts = await self._open(options)
                break
            except (JournalError, OSError) as error:
                log.warning("the journal's process cannot begin again: %s", error)
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, RESPAWN_MAX_S)
        epoch, self._last_seq, _, _, appended = facts
        number = self._settle(appended if epoch == self.epoch else 0)
        self.epoch = epoch
        self._note_recovery()
        if number:
            # Opening a journal syncs it, and with it what was committed before.
            self.on_committed(number, self._last_seq, True)
        self._take_over(process)

    def _settle(self, appended: int) -> int:
        """Take packets of so many entries as committed; return the number of the last, or 0."""
        number = 0
        rules = Rules(retention_of(self._options).rules)
        for packet in list(self._unconfirmed):
            entries = feed_count(packet.data)
            if rules.leave_out:
                entries = sum(1 for _ in recorded(read_feed(packet.data), rules))
            if entries > appended:
                break
            appended -= entries
            number = packet.number
        if appended:
            log.error("the journal holds %d entries that are not whole packets", appended)
        self._confirm(number)
        while self._outgoing and isinstance(first := self._outgoing[0], _Packet) and first.number <= number:
            self._outgoing.popleft()
        return number

    def _take_over(self, process: JournalProcess) -> None:
        self._process = process
        self._pump()

    async def _open(self, options: JournalOptions) -> tuple[JournalProcess, Any]:
        """Start a process and have it open the journal; pass its state on, and return the facts it tells."""
        process, self._ahead = self._ahead or await JournalProcess.spawn(), None
        process.attend(self._pump)
        try:
            process.send(Kind.OPEN, pack_plain(tuple(options)))
            while (message := await process.receive()) is not None:
                kind, body = message
                if kind == Kind.STATE:
                    self.on_remembered(decode_params(body))
                    await asyncio.sleep(0)
                elif kind == Kind.READY:
                    return process, unpack_plain(body)
                elif kind == Kind.FAILED:
                    raise rebuild_error(body)
                elif kind == Kind.LOG:
                    log_line(body)
            raise JournalUnavailable("the journal's process ended early", path=options.path, operation="open")
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                # It was entrusted with nothing yet, and may be waiting for another's lock.
                process.kill()
            await process.end()
            raise
