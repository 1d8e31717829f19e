"""The past on a router again: undone, and replayed."""

import pytest

from clasp_journal import MemoryJournal
from clasp_journal.acting.replaying import AT_ONCE, Pace, parse_renaming
from clasp_journal.acting.undoing import plan_undo
from clasp_journal.entry import Phase, SignalType, absolute_ttl
from router import Router, RouterConfig
from router.client import UndoStopped, connect, make_set, replay_into, undo
from router.quantities import Address
from router.wire.messages import Set

ANYWHERE = RouterConfig(listen=Address("127.0.0.1", 0), journal="none")


def everything(address):
    """Every address is meant."""
    return True


@pytest.fixture
async def journal():
    """The memory of the router."""
    return MemoryJournal()


@pytest.fixture
async def desk(journal):
    """A client of a router."""
    async with Router(ANYWHERE).with_journal(journal) as router, connect(router.url) as client:
        yield client


@pytest.fixture
async def target():
    """A client of another router, which is empty."""
    async with (
        Router(ANYWHERE).with_journal(MemoryJournal()) as router,
        connect(router.url, reconnect=False) as client,
    ):
        yield client


async def shown(client):
    """What the router has: addresses and bits."""
    return {address: param.encoded for address, param in (await client.snapshot()).items()}


async def test_an_undo_brings_a_thousand_params_back(desk, journal):
    """To the bit, in bundles, with entries of its own."""
    for number in range(1_200):
        await desk.set(f"/stage/{number}", number, qos=0)
    await desk.send(Set("/stage/odd", b"\x06\x3f\x80\x00\x00"), qos=1)
    then, before = await journal.state(), await shown(desk)
    for number in range(1_200):
        await desk.set(f"/stage/{number}", "x" * 50, qos=0)
    await desk.set("/stage/odd", 1.0)
    cut = await journal.latest_seq()
    sent = []
    plan = plan_undo(then, await journal.state(), everything)
    assert await undo(desk, plan, on_sent=sent.append) == 1_201 == sum(sent)
    assert await shown(desk) == before
    assert [entry.address for entry in await journal.since(cut)] == [step.address for step in plan.steps]


async def test_an_undo_stops_at_a_param_that_changed_meanwhile(desk, journal):
    """The bundle with it has no effect at all, and it is told how far it came."""
    await desk.set("/a", 1)
    await desk.set("/b", 1)
    then = await journal.state()
    await desk.set("/a", 2)
    await desk.set("/b", 2)
    plan = plan_undo(then, await journal.state(), everything)
    await desk.set("/b", 3)
    with pytest.raises(UndoStopped, match="0 of 2") as stopped:
        await undo(desk, plan)
    assert stopped.value.refusal.code == 400
    assert await desk.get("/a") == 2


async def test_what_expired_comes_back_with_its_time_to_live(desk, journal):
    """An undo knows what was there, also where nothing is now."""
    ttl = absolute_ttl(60)
    await desk.set("/a", 1, ttl=ttl)
    then = await journal.state()
    await desk.set("/a", 2, ttl=absolute_ttl(1))
    async for entry in desk.replay("/a", journal_kinds=True, follow=True):
        if entry.encoded is None:
            break
    assert await undo(desk, plan_undo(then, await journal.state(), everything)) == 1
    assert (await journal.state()).live["/a"].value == 1
    assert (await journal.state()).live["/a"].ttl == ttl


async def test_what_was_not_there_can_be_made_to_go(desk, journal):
    """It is set once more, and expires."""
    then = await journal.state()
    await desk.set("/new", 1)
    plan = plan_undo(then, await journal.state(), everything, expire_new=True)
    assert await undo(desk, plan) == 1
    async for entry in desk.replay("/new", journal_kinds=True, follow=True):
        if entry.encoded is None:
            break
    assert await shown(desk) == {}


async def test_a_replay_is_what_was_recorded(desk, journal, target):
    """Every message with everything in it, in order; times of senders keep their distance."""
    await desk.send(make_set("/a", [1, {"b": b"c"}]))
    await desk.set("/a", 2.5)
    await desk.publish("/e", qos=0)
    await desk.publish("/s", signal=SignalType.STREAM, samples=[1.0, 2.0], rate=48_000)
    await desk.gesture("/g", 7, Phase.MOVE, 0.5)
    await desk.publish("/e", 1, timestamp=5, qos=2)
    recorded = await journal.query()
    assert await replay_into(target, journal.query(), pace=AT_ONCE) == len(recorded) == 6
    replayed = [entry async for entry in target.replay()]
    assert [(e.address, e.kind, e.signal_type, e.encoded, e.samples, e.rate) for e in replayed] == [
        (e.address, e.kind, e.signal_type, e.encoded, e.samples, e.rate) for e in recorded
    ]
    assert [(e.gesture_id, e.phase) for e in replayed] == [(e.gesture_id, e.phase) for e in recorded]
    recorded_late_us, replayed_late_us = (e.timestamp - e.sent for e in (recorded[-1], replayed[-1]))
    assert replayed_late_us >= recorded_late_us
    assert await shown(target) == await shown(desk)


async def test_a_replay_can_go_elsewhere_and_faster(desk, journal, target):
    """Under another root, and with no wait above what was asked for."""
    await desk.set("/a/x", 1)
    await desk.set("/b", 2)
    entries = [entry._replace(timestamp=at * 10**9) for at, entry in enumerate(await journal.query())]

    async def far_apart():
        for entry in entries:
            yield entry

    renamings = [parse_renaming("/a=/rehearsal")]
    assert await replay_into(target, far_apart(), pace=Pace(4, 1_000), renamings=renamings) == 2
    assert await target.get("/rehearsal/x") == 1
    assert await target.get("/b") == 2
