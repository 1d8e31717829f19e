"""The npm client, unchanged, against the router: everything that its users do."""

import signal

from clasp_journal.entry import Phase, SignalType
from router.client import connect, make_publish, make_set
from router.wire.messages import SignalDef

PATTERNS = {
    "/house/1/lamp": ["/house/1/lamp"],
    "/house/*/lamp": ["/house/1/lamp", "/house/2/lamp"],
    "/house/**": ["/house/1/lamp", "/house/2/lamp", "/house/zone51", "/house/1/deep/er"],
    "/**/lamp": ["/house/1/lamp", "/house/2/lamp"],
    "/house/zone5*": ["/house/zone51"],
    "/house/**/er": ["/house/1/deep/er"],
}


async def connected(node, router, *names, **options):
    """Connect clients of these names."""
    return [
        await node.do("connect", client=name, url=router.url, options={"name": name, **options})
        for name in names
    ]


async def subscribed(node, client, pattern, **options):
    """Subscribe, named by the pattern, and wait until the router has taken it."""
    await node.do("subscribe", client=client, subscription=pattern, pattern=pattern, **options)
    await flushed(node, client)


async def flushed(node, client):
    """Wait until the router has handled all that the client has sent: a GET comes after it."""
    mark = f"/flushed/{client}/{len(node.events)}"
    await node.call(client, "set", mark, 1)
    assert await node.call(client, "get", mark) == 1


async def written_at_last(node, ours, address):
    """Let client b write until it may, which is when the router has noticed that the holder is gone."""
    while await ours.get(address) != "b":
        await node.call("b", "set", address, "b")
        await flushed(node, "b")


async def test_it_connects_and_knows_its_session(node, router):
    """WELCOME gives each its own id, and the router's time."""
    first, second = await connected(node, router, "a", "b")
    assert first != second
    state = await node.do("state", client="a")
    async with connect(router.url) as ours:
        assert abs(state["time"] - ours.time_us) < 10_000_000
        assert state["connected"]


async def test_it_sets_and_gets(node, router):
    """Values of every kind come back, from another client and from the router."""
    await connected(node, router, "a", "b")
    values = {
        *("/v/null", "/v/true", "/v/text", "/v/bytes", "/v/list", "/v/map", "/v/float", "/v/nan"),
    }
    given = dict(
        zip(
            sorted(values),
            [
                b"\x00\xff",
                0.25,
                [1.0, "two", None],
                {"z": 1.0, "a": [True]},
                float("nan"),
                None,
                "grüße",
                True,
            ],
            strict=True,
        )
    )
    for address, value in given.items():
        await node.call("a", "set", address, value)
    await flushed(node, "a")
    async with connect(router.url) as ours:
        for address, value in given.items():
            assert repr(await ours.get(address)) == repr(value)
            assert repr(await node.call("b", "get", address)) == repr(value).replace("1.0", "1")


async def test_it_hears_what_its_patterns_match(node, router):
    """Literals, `*`, `**` in every place, and partial wildcards."""
    await connected(node, router, "a")
    for pattern in PATTERNS:
        await subscribed(node, "a", pattern)
    addresses = ["/house/1/lamp", "/house/2/lamp", "/house/zone51", "/house/1/deep/er", "/else"]
    async with connect(router.url) as ours:
        for number, address in enumerate(addresses):
            await ours.set(address, number)
        for pattern, matching in PATTERNS.items():
            assert await node.updates(pattern, len(matching)) == [
                (address, addresses.index(address)) for address in matching
            ]


async def test_events_streams_gestures_and_timelines_reach_others(node, router):
    """Each with what it carries; the sender does not hear itself."""
    await connected(node, router, "a", "b")
    await subscribed(node, "a", "/s/**")
    await subscribed(node, "b", "/s/*")
    async with connect(router.url) as ours:
        heard = await ours.subscribe("/s/**")
        await node.call("a", "emit", "/s/cue", {"go": True})
        await node.call("a", "stream", "/s/level", 0.5)
        await node.call("a", "gesture", "/s/touch", 7, "start", {"x": 1})
        await node.call("a", "gesture", "/s/touch", 7, "end", {"x": 2})
        await node.call("a", "timeline", "/s/fade", [{"time": 0, "value": 1}])
        updates = [await anext(heard) for _ in range(5)]
        assert [(update.address, update.signal, update.value) for update in updates] == [
            ("/s/cue", SignalType.EVENT, {"go": True}),
            ("/s/level", SignalType.STREAM, 0.5),
            ("/s/touch", SignalType.GESTURE, {"x": 1.0}),
            ("/s/touch", SignalType.GESTURE, {"x": 2.0}),
            # Its encoder has no place for the keyframes.
            ("/s/fade", SignalType.TIMELINE, None),
        ]
        assert [update.phase for update in updates[2:4]] == [Phase.START, Phase.END]
        assert {update.gesture_id for update in updates[2:4]} == {7}
        assert all(abs(update.timestamp - ours.time_us) < 60_000_000 for update in updates)
        assert await node.updates("/s/*", 5) == [
            ("/s/cue", {"go": True}),
            ("/s/level", 0.5),
            ("/s/touch", {"x": 1, "phase": "start", "gestureId": 7}),
            ("/s/touch", {"x": 2, "phase": "end", "gestureId": 7}),
            ("/s/fade", None),
        ]
        await ours.emit("/s/end", "of it")
        assert await node.updates("/s/**", 1) == [("/s/end", "of it")]


async def test_bundles_arrive_in_order_and_may_wait(node, router):
    """At once, and at a time of the router."""
    await connected(node, router, "a", "b")
    await subscribed(node, "b", "/bundle/**")
    now = (await node.do("state", client="a"))["time"]
    await node.call(
        "a", "bundle", [{"set": ["/bundle/1", 1]}, {"emit": ["/bundle/2", 2]}, {"set": ["/bundle/3", 3]}]
    )
    await node.call("a", "bundle", [{"set": ["/bundle/4", 4]}], {"at": now + 300_000})
    heard = await node.updates("/bundle/**", 4)
    assert heard == [("/bundle/1", 1), ("/bundle/2", 2), ("/bundle/3", 3), ("/bundle/4", 4)]
    async with connect(router.url) as ours:
        written = (await ours.get_param("/bundle/4")).timestamp
        assert written >= now + 300_000


async def test_bundles_of_others_reach_it(node, router):
    """As single messages, which is how it hears them."""
    await connected(node, router, "a")
    await subscribed(node, "a", "/b/*")
    async with connect(router.url) as ours:
        await ours.bundle([make_set("/b/1", 1), make_publish("/b/2", "two")])
    assert await node.updates("/b/*", 2) == [("/b/1", 1), ("/b/2", "two")]


async def test_a_lock_keeps_others_out(node, router):
    """Only the holder writes; whoever tries is told 401, and keeps the connection."""
    await connected(node, router, "a", "b")
    lock = {"type": "SET", "address": "/door", "value": "mine", "lock": True}
    await node.do("send", client="a", message=lock, qos=1)
    await flushed(node, "a")
    await node.call("b", "set", "/door", "stolen")
    await flushed(node, "b")
    assert (await node.do("state", client="b"))["error"]["code"] == 401
    async with connect(router.url) as ours:
        assert await ours.get("/door") == "mine"
        await node.do("close", client="a")
        await written_at_last(node, ours, "/door")


async def test_a_late_joiner_finds_everything(node, router):
    """The state that is too large for one SNAPSHOT, with long addresses."""
    addresses = [f"/a/rather/long/address/of/param/number/{n:05}" for n in range(3_000)]
    async with connect(router.url) as ours:
        for n, address in enumerate(addresses):
            await ours.set(address, n, qos=0)
        await ours.set("/last", 1)
    await connected(node, router, "late")
    await node.do("subscribe", client="late", subscription="all", pattern="/a/**")
    heard = dict(await node.updates("all", 3_000))
    assert heard == {address: n for n, address in enumerate(addresses)}


async def test_it_comes_back_after_the_router_was_killed(node, router):
    """It subscribes again by itself, and finds what it had set."""
    await connected(node, router, "a", reconnectInterval=100)
    await subscribed(node, "a", "/kept/*")
    await node.call("a", "set", "/kept/1", "before")
    await flushed(node, "a")
    await router.stop(signal.SIGKILL)
    await node.wait_for(lambda event: event["event"] == "disconnected")
    await router.start()
    await node.wait_for(lambda event: event["event"] == "connected", 2)
    async with connect(router.url) as ours:
        assert await ours.get("/kept/1") == "before"
        await ours.set("/kept/2", "after")
        await node.wait_for(lambda event: event.get("address") == "/kept/2")


async def test_it_breaks_off_and_nobody_else_minds(node, router):
    """A connection that ends without a goodbye frees its lock."""
    await connected(node, router, "a", "b")
    lock = {"type": "SET", "address": "/held", "value": 1, "lock": True}
    await node.do("send", client="a", message=lock)
    await flushed(node, "a")
    await node.do("break", client="a")
    async with connect(router.url) as ours:
        await written_at_last(node, ours, "/held")


async def test_every_message_it_can_encode_is_taken(node, router):
    """None of them ends the session, whether clients should send it or not."""
    await connected(node, router, "a")
    definition = {
        "address": "/d/1",
        "type": "param",
        "datatype": "f64",
        "access": "rw",
        "meta": {"unit": "dB", "range": [0, 1], "default": 0.5, "description": "a fader"},
    }
    messages = [
        {"type": "ANNOUNCE", "namespace": "/d", "signals": [definition]},
        *({"type": "SUBSCRIBE", "id": 70 + n, "pattern": "/x", "types": [t]} for n, t in enumerate(TYPES)),
        {"type": "SUBSCRIBE", "id": 80, "pattern": "/x/**", "options": OPTIONS},
        {"type": "UNSUBSCRIBE", "id": 80},
        {"type": "PUBLISH", "address": "/x/s", "signal": "stream", "samples": [0, 0.5], "rate": 48_000},
        {"type": "SET", "address": "/x/p", "value": 1, "revision": 0, "lock": True, "unlock": True},
        {"type": "GET", "address": "/x/p"},
        {"type": "BUNDLE", "messages": [{"type": "BUNDLE", "messages": [{"type": "PING"}]}]},
        {"type": "SYNC", "t1": 5},
        {"type": "PING"},
        {"type": "PONG"},
        {"type": "QUERY", "pattern": "/d/*"},
        {"type": "HELLO", "version": 1, "name": "again", "features": []},
        {"type": "WELCOME", "version": 1, "session": "s", "name": "n", "features": [], "time": 1},
        {"type": "SNAPSHOT", "params": [{"address": "/x/fake", "value": 1, "revision": 1}]},
        {"type": "ACK", "address": "/x", "revision": 1, "locked": True, "holder": "h", "correlationId": 1},
        {"type": "ERROR", "code": 500, "message": "no", "address": "/x", "correlationId": 1},
        {"type": "RESULT", "signals": [{"address": "/d/2", "type": "event"}]},
    ]
    for message in messages:
        for qos in (0, 1, 2):
            await node.do("send", client="a", message=message, qos=qos)
    await flushed(node, "a")
    assert (await node.call("a", "getSignals"))[0]["address"] == "/d/1"
    async with connect(router.url) as ours:
        assert await ours.query("/d/*") == [SignalDef("/d/1", datatype="f64", access="rw")]
        assert "/x/fake" not in ours.params
        assert await ours.get("/x/p") == 1
    assert not [event for event in node.events if event.get("level") == "warn"]


TYPES = ["param", "event", "stream", "gesture", "timeline"]
OPTIONS = {"maxRate": 30, "epsilon": 0.1, "history": 3, "window": 20}
