"""`clasp-to`, unchanged, against the router: everything that its users do."""

import asyncio
import signal

import pytest
from clasp.client import ClaspError

from clasp_journal.entry import Phase, SignalType
from router.client import connect, make_publish, make_set
from router.wire.masks import Feature
from router.wire.messages import SignalDef
from tests.interop.python_peer import PATIENCE_S, Watched, python_client

PATTERNS = {
    "/house/1/lamp": ["/house/1/lamp"],
    "/house/*/lamp": ["/house/1/lamp", "/house/2/lamp"],
    "/house/1/**": ["/house/1", "/house/1/lamp", "/house/1/deep/er"],
    "/**/lamp": ["/house/1/lamp", "/house/2/lamp"],
    "/house/**/er": ["/house/1/deep/er"],
    # It compares partial wildcards literally, whatever the router sends.
    "/house/zone5*": [],
}


async def test_it_connects_and_knows_its_session(router):
    """WELCOME gives it an id and the router's time; every byte of the HELLO is honoured."""
    async with python_client(router.url, name="board", features=["param"], token="cpsk_x") as client:
        assert client.connected
        async with connect(router.url) as ours:
            assert abs(client.time() - ours.time_us) < 10_000_000
            assert ours.session != client.session_id
            assert ours.features & Feature.JOURNAL


async def test_it_sets_and_gets(router):
    """Values of every kind come back with their type, from the router and from its own cache."""
    values = {
        "/v/null": None,
        "/v/true": True,
        "/v/int": -(1 << 62),
        "/v/float": 0.1,
        "/v/inf": float("inf"),
        "/v/text": "grüße",
        "/v/bytes": b"\x00\xff",
        "/v/list": [1, 2.0, "three", [None]],
        "/v/map": {"z": 1, "a": {"deep": True}},
    }
    async with python_client(router.url) as first, python_client(router.url) as second:
        for address, value in values.items():
            await first.set(address, value)
        await first.flush()
        for address, value in values.items():
            assert repr(await second.get(address)) == repr(value)
        async with connect(router.url) as ours:
            assert {address: ours.params[address] for address in values} == values
        with pytest.raises(ClaspError, match="timeout"):
            await first.get("/v/none", timeout=0.2)


async def test_it_hears_what_its_patterns_match(router):
    """Literals, `*`, and `**` in every place."""
    addresses = ["/house/1", "/house/1/lamp", "/house/2/lamp", "/house/zone51", "/house/1/deep/er", "/else"]
    async with connect(router.url) as ours:
        for pattern, matching in PATTERNS.items():
            async with python_client(router.url) as client:
                client.listen(pattern)
                await client.flush()
                client.heard.clear()
                for number, address in enumerate(addresses):
                    await ours.set(address, number)
                await client.flush()
                assert client.heard == [(address, addresses.index(address)) for address in matching], pattern


async def test_events_streams_gestures_and_timelines_reach_others(router):
    """Each with what it carries; the sender does not hear itself."""
    async with python_client(router.url) as first, python_client(router.url) as second:
        first.listen("/s/**")
        second.listen("/s/*")
        await asyncio.gather(first.flush(), second.flush())
        async with connect(router.url) as ours:
            heard = await ours.subscribe("/s/**")
            await first.emit("/s/cue", {"go": True})
            await first.emit("/s/bare")
            await first.stream("/s/level", 0.5)
            await first.gesture("/s/touch", 7, "start", [1])
            await first.gesture("/s/touch", 7, "cancel", [2])
            await first.timeline("/s/fade", [{"time": 0, "value": 1}])
            updates = [await anext(heard) for _ in range(6)]
            assert [(update.signal, update.value) for update in updates] == [
                (SignalType.EVENT, {"go": True}),
                (SignalType.EVENT, None),
                (SignalType.STREAM, 0.5),
                (SignalType.GESTURE, [1]),
                (SignalType.GESTURE, [2]),
                (SignalType.TIMELINE, None),
            ]
            assert [update.phase for update in updates[3:5]] == [Phase.START, Phase.CANCEL]
            await ours.publish("/s/end", {"keyframes": []}, signal=SignalType.TIMELINE)
            await second.until(lambda: len(second.heard) == 7)
        assert [address for address, _ in second.heard[:6]] == [update.address for update in updates]
        await first.flush()
        assert first.heard == [("/s/end", {"keyframes": []})]


async def test_bundles_arrive_in_order_and_may_wait(router):
    """It sends them as MessagePack; they are taken, at once and at a time of the router."""
    async with python_client(router.url) as first, python_client(router.url) as second:
        second.listen("/bundle/**")
        await second.flush()
        at = first.time() + 300_000
        await first.bundle([{"set": ["/bundle/4", 4]}], at=at)
        await first.bundle([{"set": ["/bundle/1", 1]}, {"emit": ["/bundle/2", 2]}, {"set": ["/bundle/3", 3]}])
        await second.until(lambda: len(second.heard) == 4)
        assert second.heard == [(f"/bundle/{n}", n) for n in (1, 2, 3, 4)]
        async with connect(router.url) as ours:
            assert (await ours.get_param("/bundle/4")).timestamp >= at


async def test_a_lock_keeps_it_out_until_the_holder_is_gone(router):
    """It is told 401 and goes on; the holder's end frees the lock."""
    async with python_client(router.url) as client:
        async with connect(router.url) as ours:
            await ours.set("/door", "mine", lock=True)
            await client.set("/door", "stolen")
            await client.flush()
            assert [message["code"] for message in client.messages if message["type"] == "ERROR"] == [401]
            assert await client.get("/door") == "mine"
        async with connect(router.url) as ours:
            while await ours.get("/door") != "free":
                await client.set("/door", "free")
                await client.flush()


async def test_a_late_joiner_finds_everything(router):
    """3,000 params with long addresses, in as many SNAPSHOTs as it takes."""
    addresses = [f"/a/rather/long/address/of/param/number/{n:05}" for n in range(3_000)]
    async with connect(router.url) as ours:
        for n, address in enumerate(addresses):
            await ours.set(address, n, qos=0)
        await ours.set("/last", 1)
    async with python_client(router.url) as late:
        late.listen("/a/**")
        await late.until(lambda: len(late.heard) >= 3_000)
        assert dict(late.heard) == {address: n for n, address in enumerate(addresses)}


async def restarted(router):
    """Kill a router and start it again; how long that took: this client comes back only once."""
    began_s = asyncio.get_running_loop().time()
    await router.stop(signal.SIGKILL)
    await router.start()
    return asyncio.get_running_loop().time() - began_s


async def test_it_comes_back_after_the_router_was_killed(router):
    """It connects again once, does not subscribe again by itself, and finds what it had set."""
    restart_s = await restarted(router)
    client = Watched(router.url, reconnect=True, reconnect_interval=max(1.0, 5 * restart_s))
    await client.connect()
    await client.set("/kept", "before")
    await client.flush()
    async with connect(router.url) as ours:
        await ours.set("/mark", 1)
    connected = asyncio.Event()
    client.on_connect(connected.set)
    await restarted(router)
    async with asyncio.timeout(PATIENCE_S):
        await connected.wait()
    client._params.clear()
    assert await client.get("/kept") == "before"
    await client.close()


async def test_it_queries_what_was_announced(router):
    """Its QUERY is MessagePack, and RESULT is for it."""
    async with python_client(router.url) as client, connect(router.url) as ours:
        await ours.announce("/desk", [SignalDef("/desk/1", SignalType.STREAM, "f64", "r")])
        signals = await client.query_signals("/desk/*")
        assert signals == [{"address": "/desk/1", "type": "stream", "datatype": "f64", "access": "r"}]
        assert await client.query_signals("/none") == []


async def test_every_message_it_can_encode_is_taken(router):
    """None of them ends the session, in binary or in the MessagePack that it falls back to."""
    signals = [{"address": "/d/1", "type": "param", "meta": {"unit": "dB"}}]
    messages = [
        {"type": "ANNOUNCE", "namespace": "/d", "signals": signals},
        {"type": "SUBSCRIBE", "id": 9, "pattern": "/x/**", "types": ["param", "event", "stream"]},
        {
            "type": "SUBSCRIBE",
            "id": 10,
            "pattern": "/x",
            "options": {"maxRate": 5, "epsilon": 0.1, "history": 2},
        },
        {"type": "UNSUBSCRIBE", "id": 9},
        {"type": "PUBLISH", "address": "/x/param", "signal": "param", "value": 1},
        {
            "type": "SET",
            "address": "/x/p",
            "value": 1,
            "revision": 0,
            "lock": True,
            "unlock": True,
            "ttl": 60,
        },
        {"type": "SET", "address": "/x/q", "value": 1, "ttl": 60, "absolute": True},
        {"type": "GET", "address": "/x/p"},
        {"type": "BUNDLE", "timestamp": None, "messages": []},
        {"type": "QUERY", "pattern": "/d/*"},
        {"type": "PING"},
        {"type": "PONG"},
        {"type": "HELLO", "version": 1, "name": "again", "features": []},
        {"type": "WELCOME", "version": 1, "session": "s", "name": "n", "features": [], "time": 1},
        {"type": "SNAPSHOT", "params": [{"address": "/x/fake", "value": 1, "revision": 1}]},
        {"type": "REPLAY", "pattern": "/none", "types": []},
        {"type": "FEDERATION_SYNC", "op": "RequestSync", "patterns": [], "revisions": {}},
        {"type": "ACK", "address": "/x"},
        {"type": "ERROR", "code": 500, "message": "no"},
        {"type": "RESULT", "signals": []},
    ]
    async with python_client(router.url) as client:
        for message in messages:
            await client._send(message)
        await client.flush()
        codes = [message["code"] for message in client.messages if message["type"] == "ERROR"]
        assert codes == [101, 403], "a second HELLO, and FEDERATION_SYNC without the feature"
        async with connect(router.url) as ours:
            assert await ours.query("/d/*") == [SignalDef("/d/1")]
            assert ours.params["/x/p"] == 1
            assert "/x/fake" not in ours.params


async def test_it_lives_through_ten_thousand_messages_of_every_kind(router):
    """SET, PUBLISH of all signals, SNAPSHOT, ERROR, RESULT, PONG, replayed history: none ends its loop."""
    rounds = 700
    async with python_client(router.url) as client, connect(router.url) as ours:
        client.listen("/t/**", history=100)
        await ours.announce("/t", [SignalDef("/t/1")])
        await client.flush()
        for n in range(rounds):
            address = f"/t/{n % 7}"
            await ours.set(
                address, {"round": n, "list": [n, float(n), "ü", b"\xff", None]}, qos=0, ttl=60 * (n % 2)
            )
            await ours.set(f"{address}/locked", n, lock=True, unlock=bool(n % 2))
            await ours.emit(address)
            await ours.publish(address, n, timestamp=n)
            await ours.stream(address, float("nan"))
            await ours.publish(address, [n] * 20, signal=SignalType.TIMELINE)
            for phase in Phase:
                await ours.gesture(address, n, phase, [n, n])
            await ours.publish(address, n, signal=SignalType.PARAM, rate=5)
            await ours.bundle([make_set(f"{address}/a", n), make_publish(f"{address}/b", n)], qos=0)
            await client.set(f"{address}/own", n)
            await client.set(f"{address}/locked", "stolen")
            await client._send({"type": "GET", "address": address})
            await client._send({"type": "PING"})
            if n % 50 == 0:
                await client._send({"type": "REPLAY", "pattern": "/t/**", "limit": 100, "types": []})
                await client.query_signals("/t/*")
                await ours.get(address)
        await ours.set("/t/end", "end")
        await client.until(lambda: ("/t/end", "end") in client.heard)
        await client.flush()
        assert len(client.messages) >= 10_000
        assert {message["type"] for message in client.messages} == {
            *("SET", "PUBLISH", "SNAPSHOT", "ERROR", "RESULT", "PONG"),
        }
        assert client.is_listening
