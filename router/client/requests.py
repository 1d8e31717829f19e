"""What was asked and is not yet answered.

Published CLASP numbers no requests. Answers are matched by what they say and by order:

    ACK       names the address; one without, or an empty one, is the bundle's: one of those at a time
    ERROR     names the address or pattern; one without is the bundle's, or the oldest fence's, or that of the
              only request there is
    SNAPSHOT  of a GET names the address
    SYNC      carries back the time it was sent with

A *fence* is a PING behind a request that is answered by nothing, or by who knows how many messages: what
comes before its PONG belongs to the request, since a router answers in order.

Laws: a request whose caller has gone still keeps its turn until it is answered, so that no answer is taken
for another's; when the connection ends, everything that waits fails with `ConnectionLost`.
Bound: `IN_FLIGHT_MAX` requests; those beyond wait for room.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Protocol

from clasp_journal.entry import ParamSnapshot
from router.client.errors import ClientError, NoAnswer, Refused
from router.client.turns import Turns
from router.wire.messages import Ack, Error, Message, Ping, Query, Result, SignalDef

IN_FLIGHT_MAX = 1_000
ANSWER_TIMEOUT_S = 30.0
UNNAMED = ""
"""The turn of whatever is answered by an ACK without address."""


class Line(Protocol):
    """The way to the router. Both calls raise `ConnectionLost` when there is none."""

    async def room(self) -> None:
        """Wait until more can be posted."""

    def post(self, *messages: Message, qos: int = 0) -> None:
        """Put messages on the way, next to each other."""


class Request:
    """One request on its way, and what has come back for it."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.keys = keys
        self.finished = False
        self.answer: asyncio.Future[Ack | None] = asyncio.get_running_loop().create_future()
        self.answer.add_done_callback(_notice)
        self.signals: list[SignalDef] = []
        self.param: ParamSnapshot | None = None

    def resolve(self, answer: Ack | None) -> None:
        """Answer it, unless it was answered before."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def reject(self, fault: ClientError) -> None:
        """Fail it, unless it was answered before."""
        if not self.answer.done():
            self.answer.set_exception(fault)


def _notice(answer: asyncio.Future[Ack | None]) -> None:
    """Look at a failure, so that one whose caller has gone is not reported as forgotten."""
    if not answer.cancelled():
        answer.exception()


@asynccontextmanager
async def _patience() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            yield
    except TimeoutError as fault:
        raise NoAnswer(f"no answer in {ANSWER_TIMEOUT_S:g} s") from fault


class Requests:
    """All requests of one client."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._turns = Turns()
        self._room = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._owners: dict[str, Request] = {}
        self._fences: deque[Request] = deque()
        self._queries: deque[Request] = deque()

    async def acknowledged(self, message: Message, qos: int, keys: Iterable[str]) -> Ack:
        """Send, and wait for the ACK."""
        async with _patience():
            request = await self._admit(keys)
            self._post(request, message, qos=qos)
            ack = await asyncio.shield(request.answer)
        assert ack is not None
        return ack

    async def fenced(self, *messages: Message, keys: Iterable[str] = ()) -> Request:
        """Send, and wait until everything that the router answers at once has come."""
        async with _patience():
            request = await self._admit(keys)
            self._fences.append(request)
            if any(isinstance(message, Query) for message in messages):
                self._queries.append(request)
            self._post(request, *messages, Ping())
            await asyncio.shield(request.answer)
        return request

    def _post(self, request: Request, *messages: Message, qos: int = 0) -> None:
        try:
            self._line.post(*messages, qos=qos)
        except BaseException:
            self._finish(request)
            raise

    async def _admit(self, keys: Iterable[str]) -> Request:
        await self._room.acquire()
        try:
            turns = await self._turns.take(keys)
            try:
                await self._line.room()
            except BaseException:
                self._turns.give_back(turns)
                raise
        except BaseException:
            self._room.release()
            raise
        request = Request(turns)
        for key in request.keys:
            self._owners[key] = request
        return request

    def _finish(self, request: Request, fault: ClientError | None = None) -> None:
        """Take a request off the books; its turns go to the next."""
        if request.finished:
            return
        request.finished = True
        if fault is None:
            request.resolve(None)
        else:
            request.reject(fault)
        for queue in (self._fences, self._queries):
            if request in queue:
                queue.remove(request)
        for key in request.keys:
            del self._owners[key]
        self._turns.give_back(request.keys)
        self._room.release()

    def take_ack(self, ack: Ack) -> bool:
        """An ACK came; whether somebody waited for it."""
        request = self._owners.get(ack.address or UNNAMED)
        if request is None or request in self._fences:
            return False
        request.resolve(ack)
        self._finish(request)
        return True

    def take_error(self, error: Error) -> bool:
        """An ERROR came; whether it was the answer to a request."""
        request = self._owners.get(error.address or UNNAMED)
        if request is None and not error.address:
            request = self._anonymous()
        if request is None:
            return False
        if request in self._fences:
            request.reject(Refused.from_error(error))
        else:
            self._finish(request, Refused.from_error(error))
        return True

    def _anonymous(self) -> Request | None:
        """Who is meant by an ERROR without an address, if that can be told."""
        if self._fences:
            return self._fences[0]
        waiting = {*self._owners.values()}
        return waiting.pop() if len(waiting) == 1 else None

    def take_param(self, param: ParamSnapshot) -> None:
        """A param came in a SNAPSHOT; a GET may have asked for it."""
        request = self._owners.get(param.address)
        if request is not None:
            request.param = param

    def take_result(self, result: Result) -> None:
        """A part of the answer to the oldest QUERY came."""
        if self._queries:
            self._queries[0].signals += result.signals

    def take_pong(self) -> None:
        """The oldest fence is passed."""
        if self._fences:
            self._finish(self._fences[0])

    def fail(self, fault: ClientError) -> None:
        """The connection is gone, and every answer with it."""
        for request in {*self._owners.values(), *self._fences}:
            self._finish(request, fault)
