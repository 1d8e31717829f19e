"""What the journal of the router remembers, entry by entry, and then what is being written to it.

The past is pulled in pages of `PAGE_ENTRIES`: nothing is asked for before the page before it was used, so a
program may take its time, and may use the client inside the loop. What is live waits in a feed; when more
than `FEED_ENTRIES` wait there, the feed is cancelled and the rest is pulled as the past that it has become.

Laws: every entry comes once and in order, over overflows and reconnects alike, since each request starts
behind the last entry that was handed out. Where the router cannot do that (entries are gone, or the journal
has begun a new life), it is said: `incomplete` is set, and a follower is given the state as it is now.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from clasp_journal.entry import JournalEntry, ParamSnapshot
from router.client.errors import ClientError, ConnectionLost, NoAnswer
from router.wire.messages import Entries, Replay, ReplayExtension

PAGE_ENTRIES = 1_000
FEED_ENTRIES = 10_000
SILENCE_S = 30.0
"""How long the router may be silent in the middle of the past."""

State = dict[str, ParamSnapshot]


class Position(NamedTuple):
    """A place in one life of a journal: behind the entry with this number."""

    seq: int
    epoch: str


class Feed:
    """The ENTRIES of one request, as they arrive."""

    def __init__(self, number: int, entries_max: int) -> None:
        self.id = number
        self.overflowed = False
        self.finished = False
        """Whether the router has said that no more will come."""
        self._entries_max = entries_max
        self._arrived: deque[Entries] = deque()
        self._waiting_entries = 0
        self._woken = asyncio.Event()
        self._fault: ClientError | None = None

    def put(self, entries: Entries) -> None:
        """Take in what came, unless too much waits already."""
        if self._waiting_entries + len(entries.entries) > self._entries_max:
            self.overflowed = True
        if not self.overflowed:
            self._arrived.append(entries)
            self._waiting_entries += len(entries.entries)
        self._woken.set()

    def fail(self, fault: ClientError) -> None:
        """Nothing more will come, for this reason."""
        self._fault = fault
        self._woken.set()

    async def next(self) -> Entries | None:
        """What came next; None when the rest was dropped."""
        while not self._arrived:
            if self._fault is not None:
                raise self._fault
            if self.overflowed:
                return None
            self._woken.clear()
            await self._woken.wait()
        entries = self._arrived.popleft()
        self._waiting_entries -= len(entries.entries)
        return entries


class Source(Protocol):
    """What a history needs of a client."""

    async def open_feed(self, request: Replay, entries_max: int) -> Feed:
        """Send a REPLAY, numbered by the client; a refusal fails the feed."""

    async def close_feed(self, feed: Feed) -> None:
        """End a feed: nothing more of it is wanted."""

    async def wait_connected(self) -> None:
        """Return when there is a connection; raise `ConnectionLost` if there will be none."""

    async def snapshot(self, pattern: str) -> State:
        """The params that match, as they are now."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a history is to contain."""

    request: Replay
    """Without its extension, which is made on the way."""
    author: str | None = None
    newest: bool = False
    """The newest `limit` of the past, not the oldest; they are one page."""
    journal_kinds: bool = False
    follow: bool = False
    since: Position | None = None
    only_new: bool = False
    """Nothing of the past: start behind the newest entry."""
    on_incomplete: Callable[[State], None] | None = None


class History:
    """An async iterator of entries, oldest first."""

    def __init__(self, source: Source, wish: Wish) -> None:
        self.incomplete = False
        """The router had to leave out entries that were asked for."""
        self.snapshot: State | None = None
        """What a follower was given in their place, last time."""
        self.position = wish.since
        """Behind the last entry that was handed out."""
        self.caught_up = asyncio.Event()
        """Set when everything that was the past has been handed out."""
        self._source = source
        self._wish = wish
        self._remaining = wish.request.limit
        self._feed: Feed | None = None
        self._head = Position(0, "")
        self._told = False
        self._ended = False
        self._entries = self._run()

    def __aiter__(self) -> History:
        return self

    async def __anext__(self) -> JournalEntry:
        return await anext(self._entries)

    async def close(self) -> None:
        """End it; the router stops sending."""
        self._ended = True
        await self._close_feed()
        await self._entries.aclose()

    async def _run(self) -> AsyncGenerator[JournalEntry, None]:
        while not self._ended:
            try:
                async for entry in self._past():
                    yield entry
                self.caught_up.set()
                if not self._wish.follow:
                    return
                async for entry in self._live():
                    yield entry
            except ConnectionLost:
                await self._source.wait_connected()
            finally:
                await self._close_feed()

    async def _past(self) -> AsyncIterator[JournalEntry]:
        """Page after page, up to the end or the limit."""
        if self._wish.only_new and self.position is None:
            await self._page(self._extension(newest=True), 1)
            self.position = self._head
            return
        while self._remaining != 0:
            newest = self._wish.newest and self.position is None
            asked = self._remaining if newest else self._page_entries()
            page = await self._page(self._extension(newest=newest), asked)
            for entry in page:
                self._advance(entry)
                yield entry
            if newest or asked is None or len(page) < asked:
                break
        # The limit counts entries of the past only.
        self._remaining = None

    def _page_entries(self) -> int:
        return PAGE_ENTRIES if self._remaining is None else min(PAGE_ENTRIES, self._remaining)

    async def _page(self, extension: ReplayExtension, limit: int | None) -> list[JournalEntry]:
        """All entries of one request for the past."""
        request = replace(self._wish.request, limit=limit, extension=extension)
        feed = await self._open(request, max(FEED_ENTRIES, limit or 0))
        page: list[JournalEntry] = []
        try:
            while not feed.finished:
                async with asyncio.timeout(SILENCE_S):
                    entries = await self._next(feed)
                if entries is None:
                    raise ClientError("the router sent more entries than were asked for")
                page += entries.entries
                feed.finished = entries.caught_up
        except TimeoutError as fault:
            raise NoAnswer(f"the router was silent for {SILENCE_S:g} s in the middle of the past") from fault
        await self._close_feed()
        return page

    async def _live(self) -> AsyncIterator[JournalEntry]:
        """What is written from now on, until it comes faster than it is taken."""
        request = replace(self._wish.request, to_us=None, limit=None, extension=self._extension(follow=True))
        feed = await self._open(request, FEED_ENTRIES)
        while (entries := await self._next(feed)) is not None:
            for entry in entries.entries:
                self._advance(entry)
                yield entry

    def _extension(self, *, newest: bool = False, follow: bool = False) -> ReplayExtension:
        position = self.position
        return ReplayExtension(
            as_entries=True,
            follow=follow,
            journal_kinds=self._wish.journal_kinds,
            newest=newest,
            after_seq=None if position is None else position.seq,
            epoch=None if position is None else position.epoch,
            author=self._wish.author,
        )

    async def _open(self, request: Replay, entries_max: int) -> Feed:
        self._told = False
        self._feed = await self._source.open_feed(request, entries_max)
        return self._feed

    async def _next(self, feed: Feed) -> Entries | None:
        """What came next; a gap is made known before what is behind it."""
        entries = await feed.next()
        if entries is None:
            return None
        self._head = Position(entries.head, entries.epoch)
        if entries.incomplete and not self._told:
            self._told = self.incomplete = True
            if self.position is not None and self.position.epoch != entries.epoch:
                self.position = self._head
            if self._wish.follow:
                await self._fall_back()
        return entries

    async def _fall_back(self) -> None:
        """Where entries are missing, the state tells what they led to."""
        self.snapshot = await self._source.snapshot(self._wish.request.pattern)
        if self._wish.on_incomplete is not None:
            self._wish.on_incomplete(self.snapshot)

    def _advance(self, entry: JournalEntry) -> None:
        self.position = Position(entry.seq, self._head.epoch)
        if self._remaining is not None:
            self._remaining -= 1

    async def _close_feed(self) -> None:
        if self._feed is not None:
            feed, self._feed = self._feed, None
            await self._source.close_feed(feed)
