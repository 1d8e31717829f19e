"""Each subscription gets what it asked for, once, and a slow one says what it missed."""

import asyncio

import pytest

from clasp_journal.entry import ParamSnapshot, Phase, SignalType
from clasp_journal.errors import PatternError
from clasp_journal.value import encode
from router.client import Origin, Overflow, Refused, Update, connect
from router.client.subscriptions import QUEUE_MAX
from router.wire.messages import (
    Bundle,
    Error,
    Publish,
    Set,
    Snapshot,
    Subscribe,
    Unsubscribe,
    pack_samples,
)
from tests.router.client.peer import Line, scripted_router, until


async def accept(line: Line, *params: ParamSnapshot) -> Subscribe:
    """Take one SUBSCRIBE and answer it."""
    request = await line.hear(Subscribe)
    if params:
        await line.say(Snapshot(list(params)))
    await line.pass_fence()
    return request


async def test_patterns_and_types_decide_who_hears_what():
    """A message reaches every subscription that matches it, and no other."""

    async def script(line: Line) -> None:
        await line.begin()
        for _ in range(3):
            await accept(line)
        await line.say(Set("/a/1", encode(1), 1), Publish("/a/1", SignalType.EVENT, encode(2)))
        await line.say(Bundle([Set("/a", encode(3), 1), Publish("/b/end")]))
        await line.stay()

    heard: dict[str, list[Update]] = {"all": [], "one": [], "params": []}
    async with scripted_router(script) as url, connect(url) as client:
        await client.subscribe("/a/**", heard["all"].append)
        await client.subscribe("/*/1", heard["one"].append)
        ended = asyncio.Event()

        def take(update: Update) -> None:
            heard["params"].append(update)
            if update.address == "/b/end":
                ended.set()

        await client.subscribe("/**", take, types=(SignalType.PARAM, SignalType.EVENT))
        await ended.wait()
    assert [update.value for update in heard["all"]] == [1, 2, 3]
    assert [update.value for update in heard["one"]] == [1, 2]
    assert [update.value for update in heard["params"]] == [1, 2, 3, None]


async def test_an_update_carries_all_that_a_signal_does():
    """Samples, rate, gesture and time arrive."""

    async def script(line: Line) -> None:
        await line.begin()
        await accept(line)
        await line.say(Publish("/s", SignalType.STREAM, samples=pack_samples([1.0]), rate=48))
        await line.say(Publish("/g", SignalType.GESTURE, encode([0, 1]), None, 99, 7, Phase.MOVE))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        subscription = await client.subscribe("/*")
        stream, gesture = await anext(subscription), await anext(subscription)
    assert (stream.samples, stream.rate, stream.encoded) == ((1.0,), 48, None)
    assert (gesture.value, gesture.timestamp, gesture.gesture_id, gesture.phase) == (
        [0, 1],
        99,
        7,
        Phase.MOVE,
    )


async def test_a_subscription_starts_with_the_state_though_the_client_knew_it():
    """The SNAPSHOT of one subscription is no news for another that overlaps."""
    param = ParamSnapshot("/a/1", encode(0.5), 4, "w", 77)

    async def script(line: Line) -> None:
        await line.begin(param)
        await accept(line, param)
        await accept(line, param)
        await line.say(Set("/a/1", encode(1.0), 5))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        first = await client.subscribe("/a/*")
        second = await client.subscribe("/a/1")
        for subscription in (first, second):
            state, live = await anext(subscription), await anext(subscription)
            assert (state.origin, state.value, state.revision) == (Origin.SNAPSHOT, 0.5, 4)
            assert (live.origin, live.value, live.revision) == (Origin.LIVE, 1.0, 5)


async def test_history_reaches_only_who_asked_and_changes_no_param():
    """Frames with a timestamp are the past."""

    async def script(line: Line) -> None:
        await line.begin(ParamSnapshot("/a", encode(9), 9, "w", 900))
        await accept(line)
        await line.hear(Subscribe)
        await line.say(Set("/a", encode(8), 8), timestamp=800)
        await line.say(Publish("/a", SignalType.EVENT, encode("then"), timestamp=850), timestamp=851)
        await line.say(Snapshot([ParamSnapshot("/a", encode(9), 9, "w", 900)]))
        await line.pass_fence()
        await line.say(Publish("/a", SignalType.EVENT, encode("now")))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        plain = await client.subscribe("/a", types=(SignalType.EVENT,))
        asking = await client.subscribe("/a", history=2)
        heard = [await anext(asking) for _ in range(4)]
        assert [(update.origin, update.value, update.timestamp) for update in heard] == [
            (Origin.HISTORY, 8, 800),
            (Origin.HISTORY, "then", 851),
            (Origin.SNAPSHOT, 9, 900),
            (Origin.LIVE, "now", None),
        ]
        assert (await anext(plain)).value == "now"
        assert client.params["/a"] == 9


async def test_a_refused_subscription_raises_and_is_forgotten():
    """The pattern names it in the ERROR."""

    async def script(line: Line) -> None:
        await line.begin()
        await line.hear(Subscribe)
        await line.say(Error(429, "1000 are enough", "/a"))
        await line.pass_fence()
        await line.hear(Unsubscribe)
        await accept(line)
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        with pytest.raises(Refused, match="429 /a"):
            await client.subscribe("/a")
        with pytest.raises(PatternError):
            await client.subscribe("no/pattern")
        await client.subscribe("/b")


async def test_cancelling_ends_the_iteration_and_tells_the_router():
    """What waited is still handed out."""

    async def script(line: Line) -> None:
        await line.begin()
        asked = await accept(line)
        await line.say(Publish("/a", SignalType.EVENT, encode(1)))
        assert (await line.hear(Unsubscribe)).id == asked.id
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        subscription = await client.subscribe("/**")
        assert (await anext(subscription)).value == 1
        await subscription.cancel()
        assert [update async for update in subscription] == []


async def test_who_takes_too_slowly_is_told_once_and_keeps_the_newest():
    """The oldest are dropped and counted."""
    faults: list[Exception] = []
    surplus = 5

    async def script(line: Line) -> None:
        await line.begin()
        await accept(line)
        for number in range(QUEUE_MAX + surplus):
            await line.say(Publish("/a", SignalType.STREAM, encode(number)))
        await line.say(Set("/end", encode(True), 1))
        await line.stay()

    async with scripted_router(script) as url, connect(url, on_error=faults.append) as client:
        subscription = await client.subscribe("/a")
        await until(lambda: "/end" in client.params)
        assert subscription.missed == surplus
        assert (await anext(subscription)).value == surplus
    assert [type(fault) for fault in faults] == [Overflow]


async def test_a_callback_that_fails_costs_nobody_else():
    """What it raises goes to `on_error`; the others, and it, hear on."""
    faults: list[Exception] = []
    heard: list[Update] = []

    async def script(line: Line) -> None:
        await line.begin()
        await accept(line)
        await accept(line)
        await line.say(Publish("/a"), Publish("/a"), Set("/end", encode(True), 1))
        await line.stay()

    def fail(update: Update) -> None:
        raise LookupError(update.address)

    async with scripted_router(script) as url, connect(url, on_error=faults.append) as client:
        await client.subscribe("/a", fail)
        await client.subscribe("/a", heard.append)
        await until(lambda: "/end" in client.params)
    assert [type(fault) for fault in faults] == [LookupError, LookupError]
    assert len(heard) == 2
