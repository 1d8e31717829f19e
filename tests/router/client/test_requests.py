"""Answers reach the call that asked, though nothing on the wire says which one that is."""

import asyncio

import pytest

from clasp_journal.entry import ParamSnapshot, SignalType
from clasp_journal.value import encode
from router.client import (
    NOTHING,
    ConnectionLost,
    NoAnswer,
    Refused,
    connect,
    make_publish,
    make_set,
    requests,
)
from router.wire.messages import (
    Ack,
    Announce,
    Bundle,
    Error,
    Get,
    Ping,
    Pong,
    Publish,
    Query,
    Result,
    Set,
    SignalDef,
    Snapshot,
    Sync,
)
from tests.router.client.peer import Line, scripted_router


async def test_a_set_returns_its_revision():
    """The ACK of an address belongs to whoever has set it."""

    async def script(line: Line) -> None:
        await line.begin()
        first, second = await line.hear(Set), await line.hear(Set)
        assert (first.address, first.value, line.qos) == ("/a", 1, 1)
        await line.say(Ack(second.address, 9), Ack(first.address, 4))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        revisions = await asyncio.gather(client.set("/a", 1), client.set("/b", 2))
        assert revisions == [4, 9]


async def test_a_refused_set_raises_the_code():
    """An ERROR about the address is the answer."""

    async def script(line: Line) -> None:
        await line.begin()
        request = await line.hear(Set)
        assert (request.revision, request.lock, request.unlock, request.ttl) == (3, True, False, 60)
        await line.say(Error(400, "revision is 5", "/a"))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        with pytest.raises(Refused, match="400 /a: revision is 5") as refused:
            await client.set("/a", 1, revision=3, lock=True, ttl=60)
        assert (refused.value.code, refused.value.address) == (400, "/a")


async def test_two_sets_of_one_address_take_turns():
    """An ERROR about an address could be for either, so the second is sent when the first is answered."""

    async def script(line: Line) -> None:
        await line.begin()
        assert (await line.hear(Set)).value == 1
        await line.say(Error(401, "locked", "/a"))
        assert (await line.hear(Set)).value == 2
        await line.say(Ack("/a", 7))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        first, second = await asyncio.gather(client.set("/a", 1), client.set("/a", 2), return_exceptions=True)
        assert isinstance(first, Refused)
        assert second == 7


async def test_a_call_that_was_given_up_takes_its_answer_with_it():
    """Whoever asks next about the same address does not get the answer to an older question."""
    sent = asyncio.Event()

    async def script(line: Line) -> None:
        await line.begin()
        await line.hear(Set)
        sent.set()
        await line.hear(Publish)
        await line.say(Ack("/a", 1))
        await line.hear(Set)
        await line.say(Ack("/a", 2))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        impatient = asyncio.create_task(client.set("/a", 1))
        await sent.wait()
        impatient.cancel()
        patient = asyncio.create_task(client.set("/a", 2))
        await client.emit("/go")
        assert await patient == 2
        assert impatient.cancelled()


async def test_qos_0_waits_for_nothing():
    """A SET without confirmation and an event return at once."""

    async def script(line: Line) -> None:
        await line.begin()
        assert (await line.hear(Set)).value == 1
        assert line.qos == 0
        event = await line.hear(Publish)
        assert (event.encoded, event.signal) == (None, SignalType.EVENT)
        assert (await line.hear(Publish)).encoded == encode(None)
        assert (await line.hear(Publish)).sample_values == (0.5, 1.0)
        await line.hear(Get)
        await line.pass_fence()
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        assert await client.set("/a", 1, qos=0) is None
        await client.emit("/go")
        await client.emit("/go", None)
        await client.publish("/s", NOTHING, signal=SignalType.STREAM, samples=[0.5, 1.0])
        with pytest.raises(Refused):
            await client.get("/nothing")


async def test_a_committed_signal_waits_for_its_ack():
    """QoS 2 is the one that PUBLISH is acknowledged for."""

    async def script(line: Line) -> None:
        await line.begin()
        assert (await line.hear(Publish)).value == "go"
        assert line.qos == 2
        await line.say(Ack("/cue"))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        await client.publish("/cue", "go", qos=2)


async def test_a_bundle_gets_the_ack_without_address():
    """Its parts' addresses are its own for errors, the unnamed ACK for success."""

    async def script(line: Line) -> None:
        await line.begin()
        bundle = await line.hear(Bundle)
        assert [type(part) for part in bundle.messages] == [Set, Publish]
        await line.say(Ack(revision=12))
        await line.hear(Bundle)
        await line.say(Error(401, "locked", "/b"))
        await line.hear(Bundle)
        await line.say(Error(429, "too many"))
        await line.stay()

    parts = [make_set("/a", 1), make_publish("/b", 2)]
    async with scripted_router(script) as url, connect(url) as client:
        assert await client.bundle(parts) == 12
        with pytest.raises(Refused, match="401 /b"):
            await client.bundle(parts)
        with pytest.raises(Refused, match="429"):
            await client.bundle(parts)


async def test_a_scheduled_bundle_is_done_when_it_is_on_the_list():
    """Its ACK would come in an hour, and could not be told from others; what refuses it comes at once."""

    async def script(line: Line) -> None:
        await line.begin()
        assert (await line.hear(Bundle)).timestamp == 5_000_000
        assert line.qos == 0
        await line.pass_fence()
        await line.hear(Bundle)
        await line.say(Error(402, "too far ahead"))
        await line.pass_fence()
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        assert await client.bundle([make_set("/a", 1)], at_us=5_000_000) is None
        with pytest.raises(Refused, match="402"):
            await client.bundle([make_set("/a", 1)], at_us=9_000_000)


async def test_get_asks_the_router_and_knows_when_there_is_nothing():
    """An unknown address is answered by silence; the PONG behind it says that it was silence."""
    param = ParamSnapshot("/a", encode(0.5), 3, "somebody", 77)

    async def script(line: Line) -> None:
        await line.begin()
        assert (await line.hear(Get)).address == "/a"
        await line.hear(Ping)
        await line.say(Snapshot([param]), Pong())
        await line.hear(Get)
        await line.pass_fence()
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        assert await client.get_param("/a") == param
        with pytest.raises(Refused, match="201 /b"):
            await client.get("/b")


async def test_a_query_gathers_all_results():
    """The answer may be split; it ends where the PONG comes."""
    first, second = SignalDef("/a", datatype="f64"), SignalDef("/b", SignalType.EVENT)

    async def script(line: Line) -> None:
        await line.begin()
        assert (await line.hear(Query)).pattern == "/**"
        await line.hear(Ping)
        await line.say(Result([first]), Result([second]), Pong())
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        assert await client.query() == [first, second]


async def test_an_announcement_is_acknowledged_by_its_namespace():
    """The ACK carries the namespace, which may be empty."""

    async def script(line: Line) -> None:
        await line.begin()
        await line.hear(Announce)
        assert line.qos == 1
        await line.say(Ack("/desk"))
        await line.hear(Announce)
        await line.say(Ack(""))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        await client.announce("/desk", [SignalDef("/desk/1")])
        await client.announce("", [])


async def test_clocks_are_compared():
    """Offset and round trip follow from the four times."""

    async def script(line: Line) -> None:
        await line.begin()
        request = await line.hear(Sync)
        await line.say(
            Sync(request.t1 + 1, 1, 1), Sync(request.t1, request.t1 + 60_000_000, request.t1 + 60_000_000)
        )
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        reading = await client.sync()
        assert reading.round_trip_us >= 0
        assert abs(reading.offset_us - 60_000_000) <= reading.round_trip_us


async def test_what_nobody_asked_about_goes_to_on_error():
    """An ERROR without an owner, a broken frame and a text are reported, and the session goes on."""
    heard: list[Exception] = []

    async def script(line: Line) -> None:
        await line.begin()
        await line.say(Error(402, "late trouble", "/elsewhere"))
        await line.say_bytes(b"nonsense")
        await line.say_bytes("text")
        await line.hear(Set)
        await line.say(Ack("/a", 1))
        await line.stay()

    async with scripted_router(script) as url, connect(url, on_error=heard.append) as client:
        assert await client.set("/a", 1) == 1
        assert [str(fault) for fault in heard] == [
            "402 /elsewhere: late trouble",
            "frame starts with 0x6e",
            "a text message",
        ]


async def test_what_is_on_its_way_fails_with_the_connection():
    """The call cannot know whether it had effect, and says so."""

    async def script(line: Line) -> None:
        await line.begin()
        await line.hear(Set)
        await line.hear(Get)
        await line.close(1001, "going away")

    async with scripted_router(script) as url, connect(url, reconnect=False) as client:
        calls = asyncio.gather(
            client.set("/a", 1), client.get("/b"), client.set("/a", 2), return_exceptions=True
        )
        for fault in await calls:
            assert isinstance(fault, ConnectionLost)
        assert not client.connected
        with pytest.raises(ConnectionLost, match="1001 going away"):
            await client.wait_connected()


async def test_a_value_that_has_no_bytes_is_refused_before_it_is_sent():
    """What cannot be encoded costs the caller, not the connection or its turn."""

    async def script(line: Line) -> None:
        await line.begin()
        await line.hear(Set)
        await line.say(Ack("/a", 1))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        with pytest.raises(ValueError, match="does not fit"):
            await client.set("/a", 1 << 70)
        with pytest.raises(ValueError, match="carries"):
            await client.set("/a", ["x" * 60_000, "y" * 60_000])
        assert await client.set("/a", 1) == 1


async def test_silence_is_told_and_keeps_its_turn(monkeypatch):
    """Who gives up waiting leaves the question open: a late answer is for that one, not for the next."""
    monkeypatch.setattr(requests, "ANSWER_TIMEOUT_S", 0.05)

    async def script(line: Line) -> None:
        await line.begin()
        await line.hear(Set)
        await line.hear(Publish)
        await line.say(Ack("/a", 1))
        await line.hear(Set)
        await line.say(Ack("/a", 2))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        for _ in range(2):
            with pytest.raises(NoAnswer, match=r"no answer in 0\.05 s"):
                await client.set("/a", 1)
        monkeypatch.setattr(requests, "ANSWER_TIMEOUT_S", 20)
        await client.emit("/speak")
        assert await client.set("/a", 2) == 2
