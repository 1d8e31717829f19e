"""The connection is greeted, lost, and comes back."""

import asyncio
import itertools

import pytest

from clasp_journal.entry import ParamSnapshot, SignalType
from clasp_journal.value import encode
from router.client import ConnectionLost, Refused, connect
from router.client.pacing import FIRST_DELAY_S, LAST_DELAY_S, delays_s
from router.wire.masks import Feature
from router.wire.messages import (
    Ack,
    Error,
    Hello,
    Ping,
    Pong,
    Publish,
    Set,
    Snapshot,
    Subscribe,
    SubscribeOptions,
)
from tests.router.client.peer import Line, scripted_router, until


async def test_a_client_says_who_it_is_and_learns_who_it_met():
    """HELLO carries name and token; WELCOME and SNAPSHOT say the rest."""
    heard: list[Hello] = []

    async def script(line: Line) -> None:
        heard.append(await line.welcome(ParamSnapshot("/a", encode(1), 2, "w", 5)))
        await line.pass_fence()
        await line.stay()

    async with scripted_router(script) as url, connect(url, name="desk", token="cpsk_1") as client:
        assert (heard[0].name, heard[0].token) == ("desk", "cpsk_1")
        assert (client.session, client.router_name) == ("session-1", "stand-in")
        assert client.features & Feature.JOURNAL
        assert client.connected
        assert dict(client.params) == {"/a": 1}
        assert client.params.param("/a").revision == 2


async def test_await_and_async_with_are_two_ways_to_the_same():
    """A client that was awaited is closed by hand, and then refuses to be used."""

    async def script(line: Line) -> None:
        await line.begin()
        await line.stay()

    async with scripted_router(script) as url:
        client = await connect(url)
        await client.close()
        with pytest.raises(ConnectionLost, match="closed"):
            await client.set("/a", 1)


async def test_the_first_connect_raises_what_goes_wrong(unused_tcp_port):
    """Nobody listens: that is said at once, not tried for ever."""
    with pytest.raises(ConnectionLost, match="cannot reach"):
        await connect(f"ws://127.0.0.1:{unused_tcp_port}")


async def test_a_router_that_does_not_want_us_says_why():
    """ERROR instead of WELCOME is a refusal."""

    async def script(line: Line) -> None:
        await line.hear(Hello)
        await line.say(Error(300, "who are you?"))
        await line.close(1008)

    async with scripted_router(script) as url:
        with pytest.raises(Refused, match="300: who are you"):
            await connect(url)


@pytest.mark.parametrize("greeting", [b"SSSS", "hello", encode("x")])
async def test_whoever_does_not_speak_clasp_is_left(greeting):
    """What is no message where WELCOME should be ends the attempt."""

    async def script(line: Line) -> None:
        await line.hear(Hello)
        await line.say_bytes(greeting)
        await line.stay()

    async with scripted_router(script) as url:
        with pytest.raises(ConnectionLost, match="does not speak CLASP"):
            await connect(url)


async def test_a_message_before_welcome_is_not_accepted():
    """Nothing may come before WELCOME."""

    async def script(line: Line) -> None:
        await line.hear(Hello)
        await line.say(Ping())
        await line.stay()

    async with scripted_router(script) as url:
        with pytest.raises(ConnectionLost, match="Ping came before WELCOME"):
            await connect(url)


async def test_a_ping_is_answered():
    """CLASP has its own PING, too."""

    async def script(line: Line) -> None:
        await line.begin()
        await line.say(Ping())
        await line.hear(Pong)
        await line.say(Set("/heard", encode(True), 1))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        await until(lambda: "/heard" in client.params)


async def test_subscriptions_come_back_with_their_options_and_without_history():
    """The same numbers, patterns and options; the past is not told twice."""

    async def first(line: Line) -> None:
        await line.begin()
        asked = await line.hear(Subscribe)
        options = SubscribeOptions(max_rate=30, history=5)
        assert (asked.pattern, asked.type_mask, asked.options) == ("/a/*", 0x03, options)
        await line.pass_fence()
        assert (await line.hear(Subscribe)).id == 2
        await line.pass_fence()
        await line.close(1012)

    async def second(line: Line) -> None:
        await line.welcome()
        asked = await line.hear(Subscribe)
        assert (asked.id, asked.pattern, asked.type_mask) == (1, "/a/*", 0x03)
        assert asked.options == SubscribeOptions(max_rate=30)
        await line.pass_fence()
        assert (await line.hear(Subscribe)).options is None
        await line.pass_fence()
        await line.pass_fence()
        await line.say(Publish("/a/x", SignalType.EVENT, encode("again")))
        await line.stay()

    async with scripted_router(first, second) as url, connect(url) as client:
        types = (SignalType.PARAM, SignalType.EVENT)
        subscription = await client.subscribe("/a/*", types=types, max_rate=30, history=5)
        await client.subscribe("/b", history=1)
        assert (await anext(subscription)).value == "again"
        assert client.session == "session-2"


async def test_what_changed_meanwhile_is_news_and_what_did_not_is_not():
    """After a reconnect a subscription hears of changes; a param that is gone leaves the cache."""
    same, before = (
        ParamSnapshot("/a/same", encode(1), 1, "w", 5),
        ParamSnapshot("/a/it", encode(1), 1, "w", 5),
    )
    after, gone = ParamSnapshot("/a/it", encode(2), 2, "w", 6), ParamSnapshot("/a/gone", encode(0), 1, "w", 5)

    async def first(line: Line) -> None:
        await line.begin(same, before, gone)
        await line.hear(Subscribe)
        await line.say(_snapshot(same, before, gone))
        await line.pass_fence()
        await line.close(1012)

    async def second(line: Line) -> None:
        await line.welcome(same, after)
        await line.hear(Subscribe)
        await line.say(_snapshot(same, after))
        await line.pass_fence()
        await line.pass_fence()
        await line.say(Set("/a/end", encode("end"), 1))
        await line.stay()

    async with scripted_router(first, second) as url, connect(url) as client:
        subscription = await client.subscribe("/a/*")
        heard = [(update.address, update.value) async for update in _until_end(subscription)]
        assert heard == [("/a/same", 1), ("/a/it", 1), ("/a/gone", 0), ("/a/it", 2)]
        await client.wait_connected()
        assert dict(client.params) == {"/a/same": 1, "/a/it": 2, "/a/end": "end"}


async def test_calls_without_a_connection_fail_at_once_until_it_is_back():
    """Nothing is stored up for a router that is not there."""
    may_return = asyncio.Event()

    async def first(line: Line) -> None:
        await line.begin()
        await line.close(1012, "restarting")

    async def second(line: Line) -> None:
        await may_return.wait()
        await line.begin()
        await line.hear(Set)
        await line.say(Ack("/a", 1))
        await line.stay()

    async with scripted_router(first, second) as url, connect(url) as client:
        await until(lambda: not client.connected)
        with pytest.raises(ConnectionLost):
            await client.set("/a", 1)
        with pytest.raises(ConnectionLost):
            await client.emit("/go")
        may_return.set()
        await client.wait_connected()
        assert await client.set("/a", 1) == 1


async def test_iterations_end_with_the_client_and_fail_with_a_link_that_stays_lost():
    """Whoever closes knows; whoever is left alone is told."""

    async def script(line: Line) -> None:
        await line.begin()
        await line.hear(Subscribe)
        await line.pass_fence()
        await line.close(1011, "over")

    async with scripted_router(script) as url, connect(url, reconnect=False) as client:
        subscription = await client.subscribe("/a")
        with pytest.raises(ConnectionLost, match="1011 over"):
            await anext(subscription)

    async def patient(line: Line) -> None:
        await line.begin()
        await line.hear(Subscribe)
        await line.pass_fence()
        await line.stay()

    async with scripted_router(patient) as url:
        async with connect(url) as client:
            subscription = await client.subscribe("/a")
        assert [update async for update in subscription] == []


async def test_what_was_sent_before_closing_is_sent():
    """Closing waits for what was called for."""
    heard: list[object] = []

    async def script(line: Line) -> None:
        await line.begin()
        for _ in range(500):
            heard.append((await line.hear(Set)).value)

    async with scripted_router(script) as url:
        async with connect(url) as client:
            for number in range(500):
                await client.set("/a", number, qos=0)
        await until(lambda: len(heard) == 500)
    assert heard == list(range(500))


def test_waits_grow_up_to_a_limit_and_differ():
    """Each is between half and all of twice the one before."""
    waits = list(itertools.islice(delays_s(), 12))
    expected = [min(FIRST_DELAY_S * 2**n, LAST_DELAY_S) for n in range(12)]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, expected, strict=True))


def _snapshot(*params: ParamSnapshot) -> Snapshot:
    return Snapshot(list(params))


async def _until_end(subscription):
    async for update in subscription:
        if update.value == "end":
            return
        yield update
