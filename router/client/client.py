"""The client: everything a program can ask of a router, over one connection that comes back by itself.

Laws: a call that asks for an answer returns when it has come, or raises `Refused`, `ConnectionLost` or
`NoAnswer`. When the connection is lost, what was on its way fails and what is called meanwhile fails at once;
after the reconnect every subscription is there again. What goes wrong and belongs to no call goes to
`on_error`.

Calls made one after another have effect in that order. Among calls made at the same time, only those about
the same address have an order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Mapping
from ssl import SSLContext
from types import TracebackType
from typing import Literal, TypedDict, Unpack

from clasp_journal.entry import ParamSnapshot, Phase, SignalType
from clasp_journal.value import Value
from router.client.errors import Refused
from router.client.exchange import ClockReading, Exchange, now_us
from router.client.history import History, State, Wish
from router.client.link import Link
from router.client.params import Params
from router.client.parts import NOTHING, Nothing, PublishExtras, SetFlags, make_publish, make_set
from router.client.requests import ANSWER_TIMEOUT_S, UNNAMED
from router.client.subscriptions import Callback, Options, Subscription, make_subscribe
from router.client.wishes import PastOptions, make_wish
from router.wire.codes import ErrorCode
from router.wire.masks import FEATURES_OF_ROUTERS, Feature
from router.wire.messages import Announce, Bundle, Get, Hello, Publish, Query, Set, SignalDef

DEFAULT_URL = "ws://127.0.0.1:7330"
DEFAULT_NAME = "clasp-journal client"

_log = logging.getLogger(__name__)


class Client:
    """One session with a router. Made by `connect`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._requests = exchange.requests

    @property
    def connected(self) -> bool:
        """Whether calls can reach the router now."""
        return self._exchange.link.connected

    async def wait_connected(self) -> None:
        """Return when there is a connection; raise `ConnectionLost` if there will be none."""
        await self._exchange.link.wait_connected()

    @property
    def session(self) -> str:
        """The id that the router gave this connection; a new one after each reconnect."""
        return self._exchange.welcome.session

    @property
    def router_name(self) -> str:
        """What the router calls itself."""
        return self._exchange.welcome.name

    @property
    def features(self) -> Feature:
        """What the router says it can do."""
        return Feature(self._exchange.welcome.features)

    @property
    def params(self) -> Params:
        """Address to value, of all that is known; all that this session may read when `connect` returns."""
        return self._exchange.params

    @property
    def time_us(self) -> int:
        """The router's time, as far as known."""
        return now_us() + self._exchange.offset_us

    async def set(self, address: str, value: Value, *, qos: int = 1, **flags: Unpack[SetFlags]) -> int | None:
        """Give a param a value; the new revision, once the router has it as safe as `qos` asks for.

        1: it survives the end of the router's process; 2: also of its power. 0 returns at once, with None.
        """
        return await self._send(make_set(address, value, **flags), qos)

    async def publish(
        self,
        address: str,
        value: Value | Literal[Nothing.NOTHING] = NOTHING,
        *,
        signal: SignalType = SignalType.EVENT,
        qos: int = 0,
        **extras: Unpack[PublishExtras],
    ) -> None:
        """Send a signal. Only with `qos` 2 does it return when the signal is on disk; else at once."""
        await self._send(make_publish(address, value, signal, **extras), qos)

    async def emit(self, address: str, value: Value | Literal[Nothing.NOTHING] = NOTHING) -> None:
        """Send an event."""
        await self.publish(address, value)

    async def stream(self, address: str, value: Value) -> None:
        """Send a sample of a stream."""
        await self.publish(address, value, signal=SignalType.STREAM)

    async def gesture(
        self,
        address: str,
        gesture_id: int,
        phase: Phase,
        value: Value | Literal[Nothing.NOTHING] = NOTHING,
    ) -> None:
        """Send a step of a gesture."""
        await self.publish(address, value, signal=SignalType.GESTURE, gesture_id=gesture_id, phase=phase)

    async def bundle(
        self, parts: Iterable[Set | Publish], *, at_us: int | None = None, qos: int = 1
    ) -> int | None:
        """Have all parts take effect together, or none; the revision of the last SET.

        With `at_us`, a time of the router, it returns None as soon as the router has put it on its list; what
        then goes wrong goes to `on_error`.
        """
        message = Bundle(list(parts), at_us)
        keys = [UNNAMED, *(part.address for part in message.messages if isinstance(part, Set | Publish))]
        if at_us is not None:
            await self._requests.fenced(message, keys=keys)
            return None
        if qos == 0:
            return await self._send(message, 0)
        return (await self._requests.acknowledged(message, qos, keys)).revision

    async def send(self, message: Set | Publish, *, qos: int = 0) -> int | None:
        """Send what `make_set` or `make_publish` made; returns as `set` and `publish` do."""
        return await self._send(message, qos)

    async def _send(self, message: Set | Publish | Bundle, qos: int) -> int | None:
        acknowledged_from = 2 if isinstance(message, Publish) else 1
        if qos < acknowledged_from or isinstance(message, Bundle):
            await self._exchange.link.room()
            self._exchange.link.post(message, qos=qos)
            return None
        ack = await self._requests.acknowledged(message, qos, (message.address,))
        return ack.revision

    async def get(self, address: str) -> Value:
        """The value of a param, asked of the router; `Refused` with 201 if it has none."""
        return (await self.get_param(address)).value

    async def get_param(self, address: str) -> ParamSnapshot:
        """The value of a param with its revision, writer and time."""
        request = await self._requests.fenced(Get(address), keys=(address,))
        if request.param is None:
            raise Refused(ErrorCode.ADDRESS_NOT_FOUND, "no such param", address)
        return request.param

    async def snapshot(self, pattern: str = "/**") -> State:
        """All params that match, by address, asked of the router."""
        return await self._exchange.snapshot(pattern)

    async def subscribe(
        self,
        pattern: str,
        callback: Callback | None = None,
        *,
        types: Iterable[SignalType] = (),
        **options: Unpack[Options],
    ) -> Subscription:
        """Listen to what matches, by callback or, without one, by `async for` over what this returns.

        It starts with the params as they are, and returns when they have come. A callback is a plain
        function, called for each update as it arrives; what it raises goes to `on_error`.
        """
        request = make_subscribe(self._exchange.next_number(), pattern, tuple(types), options)
        subscription = Subscription(request, callback)
        subscription.on_cancel = self._exchange.unsubscribe
        await self._exchange.subscribe(subscription)
        return subscription

    async def announce(self, namespace: str, signals: Iterable[SignalDef]) -> None:
        """Tell the router which signals there are."""
        message = Announce(namespace, list(signals))
        keys = [namespace, *(signal.address for signal in message.signals)]
        await self._requests.acknowledged(message, 1, keys)

    async def query(self, pattern: str = "/**") -> list[SignalDef]:
        """Which signals have been announced."""
        return (await self._requests.fenced(Query(pattern), keys=(pattern,))).signals

    async def sync(self) -> ClockReading:
        """Compare clocks; `time_us` follows the newest reading."""
        return await self._exchange.sync()

    def replay(self, pattern: str = "/**", **options: Unpack[PastOptions]) -> History:
        """The entries of the journal that match, oldest first; with `follow`, then those being written."""
        return self._history(make_wish(pattern, options))

    def follow(self, pattern: str = "/**", **options: Unpack[PastOptions]) -> History:
        """The entries that are written from now on, or behind the position `since`, across reconnects."""
        return self._history(make_wish(pattern, {**options, "follow": True}, only_new="since" not in options))

    def _history(self, wish: Wish) -> History:
        self._need_journal()
        return History(self._exchange, wish)

    async def journal_do(
        self,
        verb: str,
        arguments: Mapping[str, Value] | None = None,
        *,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> dict[str, Value]:
        """Ask the journal of the router to do something: `stats`, `state`, `snapshot`, `mark` and so on."""
        self._need_journal()
        return await self._exchange.past.do(verb, arguments or {}, timeout_s)

    def _need_journal(self) -> None:
        if not self.features & Feature.JOURNAL:
            raise Refused(ErrorCode.UNAVAILABLE, "this router does not offer the journal extension")

    async def close(self) -> None:
        """Send what was called for, and say goodbye. Iterations end."""
        await self._exchange.link.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Connecting:
    """A client on its way: await it, or enter it with `async with`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._client: Client | None = None

    async def _open(self) -> Client:
        try:
            await self._exchange.link.open(self._exchange)
        except BaseException:
            await self._exchange.link.close()
            raise
        return Client(self._exchange)

    def __await__(self) -> Generator[object, None, Client]:
        return self._open().__await__()

    async def __aenter__(self) -> Client:
        self._client = await self._open()
        return self._client

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()


class ConnectOptions(TypedDict, total=False):
    """What `connect` can be told."""

    name: str
    token: str | None
    reconnect: bool
    """Whether to come back when the connection is lost; True if not said otherwise."""
    on_error: Callable[[Exception], None] | None
    """Called with what goes wrong and belongs to no call; else it is logged."""
    ssl: SSLContext | None
    """Whom to trust and what to show by wss://; else the system says whom."""


def connect(url: str = DEFAULT_URL, **options: Unpack[ConnectOptions]) -> Connecting:
    """Connect to a router. The first attempt raises if it fails; later ones are repeated."""
    name, token = options.get("name", DEFAULT_NAME), options.get("token")
    hello = Hello(name, features=int(FEATURES_OF_ROUTERS), token=token)
    link = Link(url, hello, reconnect=options.get("reconnect", True), tls=options.get("ssl"))
    return Connecting(Exchange(link, options.get("on_error") or _report))


def _report(fault: Exception) -> None:
    _log.warning("%s", fault)
