"""The journal extension as a client uses it: feeds of ENTRIES, and requests to the journal itself.

Law: a feed or a job ends with its connection; histories then start a new one where they stood.
Bound: a feed holds what it was opened for; a job is one answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace

from clasp_journal import value as values
from clasp_journal.value import Value
from router.client.errors import ClientError, ConnectionLost, JournalRefused, NoAnswer, Refused
from router.client.history import Feed
from router.client.requests import ANSWER_TIMEOUT_S, Line, Requests
from router.wire.messages import Entries, Error, JournalDo, JournalDone, Replay, Unsubscribe


class Past:
    """The feeds and jobs of one client."""

    def __init__(self, line: Line, requests: Requests, numbers: Iterator[int]) -> None:
        self._line = line
        self._requests = requests
        self._numbers = numbers
        self._feeds: dict[int, tuple[str, Feed]] = {}
        self._jobs: dict[int, asyncio.Future[JournalDone]] = {}

    async def open_feed(self, request: Replay, entries_max: int) -> Feed:
        """Send a REPLAY with its extension, numbered here."""
        assert request.extension is not None
        feed = Feed(next(self._numbers), entries_max)
        self._feeds[feed.id] = (request.pattern, feed)
        numbered = replace(request, extension=replace(request.extension, id=feed.id))
        try:
            await self._requests.fenced(numbered, keys=(request.pattern,))
        except BaseException:
            await self.close_feed(feed)
            raise
        return feed

    async def close_feed(self, feed: Feed) -> None:
        """Want no more of it; the router is told unless it has said that there is no more."""
        if self._feeds.pop(feed.id, None) is not None and not feed.finished:
            try:
                self._line.post(Unsubscribe(feed.id))
            except ConnectionLost:
                # What ends with the connection needs no telling.
                return

    async def do(
        self, verb: str, arguments: Mapping[str, Value], timeout_s: float = ANSWER_TIMEOUT_S
    ) -> dict[str, Value]:
        """Ask the journal to do something, and return its result."""
        number = next(self._numbers)
        done: asyncio.Future[JournalDone] = asyncio.get_running_loop().create_future()
        self._jobs[number] = done
        try:
            async with asyncio.timeout(timeout_s):
                await self._requests.fenced(JournalDo(number, verb, values.encode(dict(arguments))))
                answer = await done
        except TimeoutError as fault:
            raise NoAnswer(f"{verb}: no answer in {timeout_s:g} s") from fault
        finally:
            del self._jobs[number]
        if answer.status:
            raise _refusal(verb, answer)
        return answer.result

    def take_entries(self, entries: Entries) -> None:
        """ENTRIES came; those of a feed that was closed meanwhile are dropped."""
        _, feed = self._feeds.get(entries.id, (None, None))
        if feed is None:
            return
        feed.put(entries)
        if feed.overflowed:
            self._feeds.pop(entries.id)
            self._line.post(Unsubscribe(entries.id))

    def take_done(self, done: JournalDone) -> None:
        """The journal has answered."""
        job = self._jobs.get(done.id)
        if job is not None and not job.done():
            job.set_result(done)

    def take_error(self, error: Error) -> bool:
        """An ERROR came that no request waits for; whether a feed has failed by it."""
        for pattern, feed in self._feeds.values():
            if pattern == error.address:
                feed.fail(Refused.from_error(error))
                return True
        return False

    def fail(self, fault: ClientError) -> None:
        """The connection is gone: fail all feeds and jobs."""
        for _, feed in self._feeds.values():
            feed.fail(fault)
        self._feeds.clear()
        for job in self._jobs.values():
            if not job.done():
                job.set_exception(fault)


def _refusal(verb: str, answer: JournalDone) -> JournalRefused:
    reason = answer.result.get("reason")
    return JournalRefused(
        answer.status, f"{verb}: {reason if isinstance(reason, str) else 'not done, for no stated reason'}"
    )
