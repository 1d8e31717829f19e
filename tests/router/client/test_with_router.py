"""The client and the real router, in one process: what each promises the other."""

import asyncio

import pytest

from clasp_journal.entry import EntryKind, SignalType, absolute_ttl
from clasp_journal.memory import MemoryJournal
from router import Router, RouterConfig
from router.client import JournalRefused, Origin, Refused, connect, make_publish, make_set
from router.quantities import Address
from router.wire.masks import Feature
from router.wire.messages import SignalDef

ANYWHERE = RouterConfig(listen=Address("127.0.0.1", 0), journal="none")


@pytest.fixture
async def router():
    """A router that remembers in memory."""
    async with Router(ANYWHERE).with_journal(MemoryJournal()) as running:
        yield running


@pytest.fixture
async def desk(router):
    """A client of it."""
    async with connect(router.url, name="desk") as client:
        yield client


async def test_everything_is_there_when_connect_returns(router, desk):
    """The state comes in many SNAPSHOTs; none is missing, and `snapshot` has them all, too."""
    for number in range(3_000):
        await desk.set(f"/p/{number}", number, qos=0)
    await desk.set("/last", 1)
    async with connect(router.url) as late:
        assert len(late.params) == 3_001
        assert len(await late.snapshot("/p/*")) == 3_000
        subscription = await late.subscribe("/p/*")
        assert {(await anext(subscription)).value for _ in range(3_000)} == set(range(3_000))


async def test_a_query_has_all_its_answers(desk):
    """RESULTs are many, and the client knows the last."""
    signals = [SignalDef(f"/desk/{number}", datatype="f64" * 50) for number in range(1_000)]
    for begin in range(0, 1_000, 250):
        await desk.announce("/desk", signals[begin : begin + 250])
    assert await desk.query("/desk/*") == signals
    assert await desk.query("/none") == []


async def test_refusals_find_their_calls(router, desk):
    """Every kind of refusal raises where it belongs."""
    await desk.set("/a", 1, lock=True)
    async with connect(router.url) as other:
        for call, code in (
            (lambda: other.set("/a", 2), 401),
            (lambda: other.set("a", 2), 200),
            (lambda: other.set("/b", 2, revision=9), 400),
            (lambda: other.set("/b", "x" * 65_100), 402),
            (lambda: other.bundle([make_set("/c", 1), make_set("/a", 2)]), 401),
            (lambda: other.bundle([make_publish("no", 1)]), 200),
            (lambda: other.bundle([make_set("/c", 1)], at_us=other.time_us + 10**10), 402),
            (lambda: other.bundle([make_set("/c", 1)] * 1_001), 402),
            (lambda: other.publish("/clasp/p2p/signal/nobody", 1, qos=2), 404),
            (lambda: other.get("/nothing"), 201),
            (lambda: other.get("no"), 200),
            (lambda: other.query("//"), 202),
            (lambda: other.announce("/d", [SignalDef("no")]), 200),
        ):
            with pytest.raises(Refused) as refused:
                await call()
            assert refused.value.code == code
        assert await other.get("/a") == 1


async def test_limits_name_what_they_refuse():
    """Refusals that are about the router as a whole find their calls, too, though many are on their way."""
    async with Router(ANYWHERE) as router, connect(router.url) as client:
        calls = [client.subscribe(f"/s/{number}") for number in range(1_010)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
        assert {fault.code for fault in refused} == {429}
        assert len(refused) == 10


async def test_many_calls_at_once_all_have_their_answers(desk):
    """Pipelined over more calls than may be in flight, some about the same address."""
    calls = [desk.set(f"/many/{number % 700}", number) for number in range(2_100)]
    revisions = await asyncio.gather(*calls)
    assert sorted(revisions) == sorted([1, 2, 3] * 700)


async def test_the_past_is_replayed_and_followed(router, desk):
    """All of it, narrowed down, the newest, and what is written meanwhile."""
    for number in range(2_500):
        await desk.publish("/e", number)
    await desk.set("/p", "last", ttl=absolute_ttl(600))
    entries = [entry async for entry in desk.replay()]
    assert [entry.value for entry in entries] == [*range(2_500), "last"]
    assert {entry.name for entry in entries} == {"desk"}
    assert entries[-1].ttl == absolute_ttl(600)
    params = desk.replay(types=[SignalType.PARAM])
    assert [entry.seq async for entry in params] == [2_501]
    newest = desk.replay("/e", newest=True, limit=2)
    assert [entry.value async for entry in newest] == [2_498, 2_499]
    by_time = desk.replay(from_us=entries[10].timestamp, to_us=entries[12].timestamp, author="desk")
    assert {10, 11, 12} <= {entry.value async for entry in by_time}
    follower = desk.replay("/e", follow=True, limit=1, newest=True)
    assert (await anext(follower)).value == 2_499
    async with connect(router.url) as other:
        await other.publish("/e", "live", qos=2)
    assert (await anext(follower)).value == "live"
    await follower.close()


async def test_many_follow_while_others_replay(desk):
    """A follower occupies no place in the queue of replays."""
    followers = [desk.replay("/e", follow=True) for _ in range(20)]
    waiting = [asyncio.ensure_future(anext(follower)) for follower in followers]
    for follower in followers:
        await follower.caught_up.wait()
    await desk.publish("/e", 1, qos=2)
    assert {entry.value for entry in await asyncio.gather(*waiting)} == {1}
    assert [entry.value async for entry in desk.replay("/e")] == [1]
    for follower in followers:
        await follower.close()


async def test_a_ring_that_has_forgotten_says_so():
    """A follower that was away too long is given the state."""
    ring = MemoryJournal(capacity=50)
    async with Router(ANYWHERE).with_journal(ring) as router, connect(router.url) as client:
        await client.set("/kept", "since the beginning")
        follower = client.replay(follow=True)
        first = await anext(follower)
        await follower.close()
        for number in range(100):
            await client.set("/n", number)
        told = []
        again = client.follow(since=follower.position, on_incomplete=told.append)
        entry = await anext(again)
        assert first.seq == 1
        assert entry.seq > 2
        assert again.incomplete
        assert {address: param.value for address, param in told[0].items()} == {
            "/kept": "since the beginning",
            "/n": 99,
        }


async def test_the_journal_can_be_asked(desk):
    """Verbs of the journal, and what it says to one that it does not know."""
    await desk.set("/a", 1)
    stats = await desk.journal_do("stats")
    assert stats["latest_seq"] == 1
    assert (await desk.journal_do("mark", {"mark": "doors open"}))["seq"] == 2
    kinds = [entry.kind async for entry in desk.replay(journal_kinds=True)]
    assert kinds == [EntryKind.SET, EntryKind.MARK]
    with pytest.raises(JournalRefused, match="no verb"):
        await desk.journal_do("dance")


async def test_history_comes_before_the_state(router, desk):
    """The subscribe option, as the client shows it."""
    for number in range(5):
        await desk.set("/h", number)
    async with connect(router.url) as late:
        subscription = await late.subscribe("/h", history=2)
        heard = [await anext(subscription) for _ in range(3)]
        assert [(update.origin, update.value) for update in heard] == [
            (Origin.HISTORY, 3),
            (Origin.HISTORY, 4),
            (Origin.SNAPSHOT, 4),
        ]
        assert late.params["/h"] == 4


async def test_without_a_journal_the_past_is_refused():
    """WELCOME says so, and the client does not ask."""
    async with Router(ANYWHERE) as router, connect(router.url) as client:
        assert not client.features & Feature.JOURNAL
        assert await client.set("/a", 1, qos=2) == 1
        with pytest.raises(Refused, match="501"):
            client.replay()


async def test_answers_that_wait_for_history_come_after_it(desk):
    """What was asked while the past of a subscription was fetched is not forgotten."""
    await desk.set("/h", 1)
    asked = [
        desk.subscribe("/h", history=2),
        desk.query(),
        desk.get("/h"),
        desk.subscribe("/h", history=1),
        desk.snapshot("/h"),
    ]
    _, signals, value, _, state = await asyncio.gather(*asked)
    assert (signals, value, state["/h"].value) == ([], 1, 1)
