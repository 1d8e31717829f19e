"""Who in this program wants which messages.

The router says with no message for which subscription it is meant, so the client matches once more, with the
one matcher of the house. Of a SNAPSHOT, whoever it was meant for, a subscription gets the params that it has
not heard of yet, and those that have changed, as after a reconnect.

Bounds: `QUEUE_MAX` updates wait in a subscription that is iterated; then the oldest is dropped, counted in
`missed`, and told to `on_error` once per run of losses. `MATCHES_MAX` addresses are remembered with
their subscriptions; then the memory starts anew.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import NamedTuple, TypedDict

from clasp_journal import value as values
from clasp_journal.address import Pattern
from clasp_journal.entry import ParamSnapshot, Phase, SignalType
from clasp_journal.value import Value
from router.client.errors import ClientError, Overflow
from router.wire.masks import mask_admits, mask_of_signals
from router.wire.messages import Publish, Set, Subscribe, SubscribeOptions

QUEUE_MAX = 10_000
MATCHES_MAX = 10_000


class Origin(Enum):
    """Where an update comes from."""

    LIVE = "live"
    SNAPSHOT = "snapshot"
    """The state that a subscription starts with, or finds changed after a reconnect."""
    HISTORY = "history"
    """The past values that the option `history` asked for."""


class Update(NamedTuple):
    """One message for a subscription."""

    address: str
    signal: SignalType
    encoded: bytes | None
    revision: int | None = None
    """Of a param."""
    timestamp: int | None = None
    """Of a signal the sender's own time; of the past and of snapshots the router's."""
    samples: tuple[float, ...] | None = None
    gesture_id: int | None = None
    phase: Phase = Phase.START
    rate: int | None = None
    origin: Origin = Origin.LIVE

    @property
    def value(self) -> Value:
        """The value as a Python object; None where there is none."""
        return None if self.encoded is None else values.decode(self.encoded)

    @classmethod
    def of(cls, message: Set | Publish, frame_timestamp: int | None = None) -> Update:
        """What a SET or PUBLISH says; a frame timestamp makes it history."""
        origin = Origin.LIVE if frame_timestamp is None else Origin.HISTORY
        if isinstance(message, Set):
            return cls(
                message.address,
                SignalType.PARAM,
                message.encoded,
                message.revision,
                frame_timestamp,
                origin=origin,
            )
        return cls(
            message.address,
            message.signal,
            message.encoded,
            timestamp=message.timestamp if frame_timestamp is None else frame_timestamp,
            samples=message.sample_values,
            gesture_id=message.gesture_id,
            phase=message.phase,
            rate=message.rate,
            origin=origin,
        )

    @classmethod
    def of_param(cls, param: ParamSnapshot) -> Update:
        """What a SNAPSHOT says of one param."""
        return cls(
            param.address,
            SignalType.PARAM,
            param.encoded,
            param.revision,
            param.timestamp or None,
            origin=Origin.SNAPSHOT,
        )


Callback = Callable[[Update], None]


class Options(TypedDict, total=False):
    """How the router is to thin a subscription out, and how much history it starts with."""

    max_rate: int
    """Updates per second."""
    epsilon: float
    history: int
    window_ms: int


class Subscription:
    """A pattern somebody listens to: with a callback, or by `async for`."""

    def __init__(self, request: Subscribe, callback: Callback | None) -> None:
        self.request = request
        self.pattern = Pattern.parse(request.pattern)
        self.callback = callback
        self.missed = 0
        """Updates that were dropped because nobody took them in time."""
        self.on_cancel: Callable[[Subscription], Awaitable[None]] | None = None
        self._heard_of: set[str] = set()
        self._waiting: deque[Update] = deque()
        self._woken = asyncio.Event()
        self._ended = False
        self._fault: ClientError | None = None
        self._overflowing = False

    @property
    def id(self) -> int:
        """Its number on the wire."""
        return self.request.id

    @property
    def asks_history(self) -> bool:
        """Whether it starts with past values."""
        options = self.request.options
        return options is not None and options.history is not None

    def wants(self, update: Update, *, is_news: bool) -> bool:
        """Whether the update is for this subscription; its pattern is known to match."""
        if not mask_admits(self.request.type_mask, update.signal):
            return False
        if update.origin is Origin.HISTORY:
            return self.asks_history
        if update.signal is not SignalType.PARAM:
            return True
        is_first = update.address not in self._heard_of
        if is_first:
            self._heard_of.add(update.address)
        return is_news or is_first

    def take(self, update: Update) -> None:
        """Call back, or queue. Raises what the callback raises, and `Overflow` where losses begin."""
        if self.callback is not None:
            self.callback(update)
            return
        self._waiting.append(update)
        self._woken.set()
        if len(self._waiting) > QUEUE_MAX:
            self._waiting.popleft()
            self.missed += 1
            if not self._overflowing:
                self._overflowing = True
                raise Overflow(
                    f"{self.request.pattern}: more than {QUEUE_MAX} updates wait; dropping the oldest"
                )

    def end(self, fault: ClientError | None = None) -> None:
        """Nothing more will come; an iteration ends, or raises, after what is waiting."""
        self._ended = True
        self._fault = fault
        self._woken.set()

    async def cancel(self) -> None:
        """End the subscription: listen no more."""
        if self.on_cancel is not None and not self._ended:
            await self.on_cancel(self)

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Update:
        while not self._waiting:
            if self._ended:
                raise self._fault or StopAsyncIteration
            self._woken.clear()
            await self._woken.wait()
        self._overflowing = False
        return self._waiting.popleft()


class Subscriptions:
    """All subscriptions of one client, by number."""

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._by_id: dict[int, Subscription] = {}
        self._matches: dict[str, tuple[Subscription, ...]] = {}
        self._on_error = on_error

    def add(self, subscription: Subscription) -> None:
        """Deliver to it from now on."""
        self._by_id[subscription.id] = subscription
        self._matches.clear()

    def remove(self, subscription: Subscription) -> None:
        """Deliver to it no more."""
        self._by_id.pop(subscription.id, None)
        self._matches.clear()

    def __contains__(self, subscription: Subscription) -> bool:
        return subscription.id in self._by_id

    def all(self) -> list[Subscription]:
        """The subscriptions there are now."""
        return list(self._by_id.values())

    def deliver(self, update: Update, *, is_news: bool = True) -> None:
        """Hand an update to whom it concerns; without news, only to those who have not heard of the param."""
        for subscription in self._matching(update.address):
            if subscription.wants(update, is_news=is_news):
                try:
                    subscription.take(update)
                except Exception as fault:
                    # A broken callback costs nobody else.
                    self._on_error(fault)

    def _matching(self, address: str) -> tuple[Subscription, ...]:
        found = self._matches.get(address)
        if found is None:
            if len(self._matches) >= MATCHES_MAX:
                self._matches.clear()
            found = tuple(s for s in self._by_id.values() if s.pattern.matches(address))
            self._matches[address] = found
        return found

    def end(self, fault: ClientError | None) -> None:
        """The client is closed, or has lost its router for good."""
        for subscription in self.all():
            subscription.end(fault)
            self.remove(subscription)


def make_subscribe(number: int, pattern: str, types: tuple[SignalType, ...], options: Options) -> Subscribe:
    """The SUBSCRIBE for what a program asks."""
    return Subscribe(
        number,
        pattern,
        mask_of_signals(types),
        SubscribeOptions(
            options.get("max_rate"), options.get("epsilon"), options.get("history"), options.get("window_ms")
        )
        if options
        else None,
    )


def without_history(request: Subscribe) -> Subscribe:
    """The SUBSCRIBE to send after a reconnect: the past was told already."""
    options = request.options
    if options is None or options.history is None:
        return request
    thinned = SubscribeOptions(options.max_rate, options.epsilon, None, options.window_ms)
    empty = thinned == SubscribeOptions()
    return Subscribe(request.id, request.pattern, request.type_mask, None if empty else thinned)
