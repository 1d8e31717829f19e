"""The two halves of a conversation: what was sent and waits, and to whom what arrives belongs.

Laws: what arrives is handled at once and in order; nothing here waits for the program. Only a frame with a
timestamp is the past: it is shown to subscriptions that asked for history, and changes no param.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import NamedTuple

from clasp_journal.entry import ParamSnapshot
from router.client.connection import Received
from router.client.errors import ClientError, ConnectionLost, NoAnswer, Refused
from router.client.history import Feed, State
from router.client.link import Link
from router.client.params import Params
from router.client.past import Past
from router.client.requests import ANSWER_TIMEOUT_S, Requests
from router.client.subscriptions import (
    Origin,
    Subscription,
    Subscriptions,
    Update,
    make_subscribe,
    without_history,
)
from router.wire.messages import (
    Ack,
    Bundle,
    Entries,
    Error,
    JournalDone,
    Message,
    Ping,
    Pong,
    Publish,
    Replay,
    Result,
    Set,
    SignalType,
    Snapshot,
    Sync,
    Unsubscribe,
    Welcome,
)


def now_us() -> int:
    """The time of this machine, in microseconds since the Unix epoch."""
    return time.time_ns() // 1_000


class ClockReading(NamedTuple):
    """One comparison of the router's clock with ours."""

    offset_us: int
    """What to add to our time to get the router's."""
    round_trip_us: int


class Exchange:
    """Everything behind a client's calls."""

    def __init__(self, link: Link, on_error: Callable[[Exception], None]) -> None:
        self.link = link
        self.on_error = on_error
        self.welcome = Welcome(0, "", "")
        self.offset_us = 0
        self.params = Params()
        self.requests = Requests(link)
        self._numbers = itertools.count(1)
        self.past = Past(link, self.requests, self._numbers)
        self._subscriptions = Subscriptions(on_error)
        self._sync_rounds: dict[int, asyncio.Future[ClockReading]] = {}

    def opened(self, welcome: Welcome) -> None:
        """A connection has come about."""
        self.welcome = welcome
        self.offset_us = welcome.time - now_us()
        self.params.begin()

    async def begin(self) -> None:
        """Subscribe again. The router's first SNAPSHOT has come when this returns."""
        for subscription in self._subscriptions.all():
            # One that is cancelled meanwhile must not come back.
            if subscription in self._subscriptions:
                await self._subscribe_again(subscription)
        await self.requests.fenced()
        self.params.finish()

    async def _subscribe_again(self, subscription: Subscription) -> None:
        try:
            await self.requests.fenced(
                without_history(subscription.request), keys=(subscription.pattern.text,)
            )
        except ConnectionLost:
            raise
        except ClientError as fault:
            self.on_error(fault)

    def ended(self, fault: ConnectionLost) -> None:
        """Nothing that waits will be answered."""
        self.requests.fail(fault)
        self.past.fail(fault)
        for waiting in self._sync_rounds.values():
            if not waiting.done():
                waiting.set_exception(fault)
        if self.link.end is not None or not self.link.comes_back:
            self._subscriptions.end(None if self.link.end is not None else fault)

    def receive(self, received: Received) -> None:
        """Handle one message of the router."""
        match received.message:
            case Set() | Publish() as message:
                self._take(message, received.timestamp)
            case Snapshot(params):
                for param in params:
                    self._take_param(param)
            case Ack() as ack:
                self.requests.take_ack(ack)
            case Pong():
                self.requests.take_pong()
            case Error() as error:
                if not (self.requests.take_error(error) or self.past.take_error(error)):
                    self.on_error(Refused.from_error(error))
            case message:
                self._receive_rarely(message)

    def _receive_rarely(self, message: Message) -> None:
        match message:
            case Entries() as entries:
                self.past.take_entries(entries)
            case JournalDone() as done:
                self.past.take_done(done)
            case Result() as result:
                self.requests.take_result(result)
            case Sync() as sync:
                self._take_sync(sync, now_us())
            case Ping():
                self.link.post(Pong())
            case Bundle(messages):
                for inner in messages:
                    self.receive(Received(inner, None))
            case _:
                # What only clients send is ignored, as a router ignores what only routers send.
                return

    def _take(self, message: Set | Publish, timestamp: int | None) -> None:
        update = Update.of(message, timestamp)
        if timestamp is None and isinstance(message, Set):
            self.params.learn(ParamSnapshot(message.address, message.encoded, message.revision or 0, "", 0))
        self._subscriptions.deliver(update)

    def _take_param(self, param: ParamSnapshot) -> None:
        is_news = self.params.learn(param)
        self.requests.take_param(param)
        self._subscriptions.deliver(Update.of_param(param), is_news=is_news)

    async def subscribe(self, subscription: Subscription) -> None:
        """Listen; the first SNAPSHOT has come when this returns, if there is one."""
        self._subscriptions.add(subscription)
        try:
            await self.requests.fenced(subscription.request, keys=(subscription.pattern.text,))
        except BaseException:
            await self.unsubscribe(subscription)
            raise

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription."""
        self._subscriptions.remove(subscription)
        subscription.end()
        try:
            self.link.post(Unsubscribe(subscription.id))
        except ConnectionLost:
            # Without a connection the router has forgotten it already.
            return

    def next_number(self) -> int:
        """A number for a subscription or a request of the journal extension; they share one space."""
        return next(self._numbers)

    async def sync(self) -> ClockReading:
        """Compare clocks once."""
        await self.link.room()
        t1 = now_us()
        while t1 in self._sync_rounds:
            t1 += 1
        answer: asyncio.Future[ClockReading] = asyncio.get_running_loop().create_future()
        self._sync_rounds[t1] = answer
        try:
            self.link.post(Sync(t1))
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                reading = await answer
        except TimeoutError as fault:
            raise NoAnswer(f"no answer to SYNC in {ANSWER_TIMEOUT_S:g} s") from fault
        finally:
            del self._sync_rounds[t1]
        self.offset_us = reading.offset_us
        return reading

    def _take_sync(self, sync: Sync, t4: int) -> None:
        waiting = self._sync_rounds.get(sync.t1)
        if waiting is None or waiting.done() or sync.t2 is None or sync.t3 is None:
            return
        round_trip_us = (t4 - sync.t1) - (sync.t3 - sync.t2)
        offset_us = ((sync.t2 - sync.t1) + (sync.t3 - t4)) // 2
        waiting.set_result(ClockReading(offset_us, round_trip_us))

    # What a history asks of its client.

    async def open_feed(self, request: Replay, entries_max: int) -> Feed:
        """Begin a feed of the past, as `Past.open_feed` says."""
        return await self.past.open_feed(request, entries_max)

    async def close_feed(self, feed: Feed) -> None:
        """End a feed, as `Past.close_feed` says."""
        await self.past.close_feed(feed)

    async def wait_connected(self) -> None:
        """Wait for a connection, as `Link.wait_connected` says."""
        await self.link.wait_connected()

    async def snapshot(self, pattern: str) -> State:
        """The params that match, as they are now: a subscription that lasts as long as its SNAPSHOT."""
        state: State = {}

        def take(update: Update) -> None:
            if update.origin is Origin.SNAPSHOT or update.address in state:
                state[update.address] = self.params.param(update.address)

        request = make_subscribe(self.next_number(), pattern, (SignalType.PARAM,), {})
        subscription = Subscription(request, take)
        await self.subscribe(subscription)
        await self.unsubscribe(subscription)
        return state
