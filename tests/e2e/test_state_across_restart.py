"""What a router knew when it ended, it knows when it is back: however it ended."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from clasp_journal.entry import EntryKind, absolute_ttl, sliding_ttl
from router.wire.messages import (
    Ack,
    Error,
    Get,
    Hello,
    Replay,
    ReplayExtension,
    Set,
    Subscribe,
    Unsubscribe,
    Welcome,
)
from tests.e2e.conftest import Dial
from tests.e2e.past import entries_until, read_past
from tests.e2e.peer import Peer, make_set, packed_all
from tests.e2e.router_process import PATIENCE_S, RouterProcess, look_until

End = Callable[[RouterProcess], Awaitable[object]]
ENDS = {"stop": RouterProcess.stop, "kill": RouterProcess.kill, "kill all": RouterProcess.kill_all}
every_end = pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())

FOLLOW = Replay("/**", extension=ReplayExtension(7, as_entries=True, follow=True, journal_kinds=True))

MANY = 20_000
VALUES = [None, True, 7, 7.0, -0.0, "seven", b"\x07", [7, {"b": 1, "a": 2}]]


async def refused(peer: Peer, address: str, **flags: object) -> int:
    """The code with which a SET is refused."""
    await peer.say(make_set(address, "refused", **flags), qos=1)
    error = await peer.hear(Error)
    assert error.address == address
    return error.code


@every_end
async def test_every_param_is_as_it_was(router: RouterProcess, dial: Dial, end: End):
    """Value, type, revision, writer, timestamp: a late joiner cannot tell that there was a restart."""
    writer = await dial(router, "writer")
    for round_number in range(3):
        for number, value in enumerate(VALUES):
            if number >= round_number:
                await writer.set(f"/param/{number}", value)
    before = (await dial(router)).params
    assert len(before) == len(VALUES)
    await end(router)
    await router.start()
    assert (await dial(router)).params == before
    assert f"restored {len(VALUES)} params" in router.output


@every_end
async def test_revisions_go_on(router: RouterProcess, dial: Dial, end: End):
    """The next SET has the next revision; an expected revision is compared with the one from before."""
    writer = await dial(router)
    for revision in range(1, 4):
        assert (await writer.set("/revised", revision)).revision == revision
    await end(router)
    await router.start()
    writer = await dial(router)
    assert await refused(writer, "/revised", revision=1) == 400
    assert await writer.set("/revised", 4, revision=3) == Ack("/revised", 4)


async def test_a_lock_is_held_against_others_and_ends_with_its_holder(router: RouterProcess, dial: Dial):
    """Only the holder writes or unlocks; when it vanishes the param is free at once."""
    holder, other = await dial(router, "holder"), await dial(router, "other")
    await other.say(Subscribe(1, "/locked"))
    await other.hears_nothing()
    await holder.set("/locked", 1, lock=True)
    assert (await other.hear(Set)).lock
    for flags in ({}, {"lock": True}, {"unlock": True}):
        assert await refused(other, "/locked", **flags) == 401
    assert (await holder.set("/locked", 2)).revision == 2
    await other.hear(Set)
    await other.say(Unsubscribe(1))
    holder.hang_up()
    assert await set_when_free(other, "/locked") == Ack("/locked", 3)


async def set_when_free(peer: Peer, address: str) -> Ack:
    """Set a param as soon as nobody holds it any more."""
    while True:
        await peer.say(make_set(address, "free"), qos=1)
        answer = (await peer.hear_any()).message
        if isinstance(answer, Ack):
            return answer
        assert answer.code == 401


@every_end
async def test_no_lock_outlives_the_router(router: RouterProcess, dial: Dial, end: End):
    """Whoever held it has to come back like everybody else."""
    holder = await dial(router)
    await holder.set("/locked", 1, lock=True)
    await end(router)
    await router.start()
    other = await dial(router)
    assert await other.set("/locked", 2) == Ack("/locked", 2)


async def test_an_expired_param_stays_expired_and_its_revision_goes_on(router: RouterProcess, dial: Dial):
    """It is gone from GET and SNAPSHOT, before and after a kill; its expiry is an entry."""
    writer = await dial(router)
    await writer.set("/mortal/sliding", 1, ttl=sliding_ttl(1))
    await writer.set("/mortal/absolute", 1, ttl=absolute_ttl(1))
    await writer.set("/immortal", 1)
    await writer.say(
        Replay("/mortal/**", extension=ReplayExtension(7, as_entries=True, follow=True, journal_kinds=True))
    )
    expired = await entries_until(writer, lambda entry: entry.kind is EntryKind.EXPIRE, 2)
    assert {(entry.address, entry.revision) for entry in expired} == {
        ("/mortal/sliding", 1),
        ("/mortal/absolute", 1),
    }
    assert (await dial(router)).params.keys() == {"/immortal"}
    await router.kill_all()
    await router.start()
    peer = await dial(router)
    assert peer.params.keys() == {"/immortal"}
    assert await peer.get("/mortal/sliding") is None
    assert await refused(peer, "/mortal/sliding", revision=3) == 400
    assert await peer.set("/mortal/sliding", 2) == Ack("/mortal/sliding", 2)
    assert await peer.set("/mortal/absolute", 2, revision=0) == Ack("/mortal/absolute", 2)


async def test_an_absolute_ttl_that_ends_while_the_router_is_down_is_over(router: RouterProcess, dial: Dial):
    """Nobody sees the param again; a longer TTL goes on, and a SET without one keeps it."""
    writer = await dial(router)
    await writer.set("/short", 1, ttl=absolute_ttl(1))
    await writer.set("/long", 1, ttl=absolute_ttl(3_600))
    over_us = time.time_ns() // 1_000 + 1_000_000
    await router.kill_all()
    look_until(lambda: time.time_ns() // 1_000 > over_us)
    await router.start()
    follower, writer = await dial(router), await dial(router)
    assert follower.params.keys() == {"/long"}
    await writer.set("/long", 2)
    await follower.say(FOLLOW)
    found = await entries_until(follower, lambda entry: entry.address == "/short" or entry.revision == 2, 3)
    assert [entry.kind for entry in found] == [EntryKind.SET, EntryKind.EXPIRE, EntryKind.SET]
    assert found[1].timestamp >= found[0].timestamp + 1_000_000
    assert found[2].ttl == absolute_ttl(3_600)


async def test_nobody_sees_half_a_state(router: RouterProcess, dial: Dial):
    """Who knocks while the state is being restored waits for WELCOME, and then is told all of it."""
    writer = await dial(router)
    await writer.say_bytes(packed_all(make_set(f"/many/{n}", n) for n in range(1, MANY)))
    await writer.set("/many/0", 0)
    await router.kill_all()
    router.launch()
    early = await dial_as_soon_as_possible(router)
    await early.say(Hello("early"))
    await early.hear(Welcome)
    await early.say(Get("/many/0"))
    snapshots = [heard.message for heard in await early.fence()]
    assert [param.address for param in snapshots.pop().params] == ["/many/0"]
    told = {param.address: param.value for snapshot in snapshots for param in snapshot.params}
    assert told == {f"/many/{n}": n for n in range(MANY)}
    early.hang_up()


async def dial_as_soon_as_possible(router: RouterProcess) -> Peer:
    """Connect while the router is starting, the moment that its port is bound."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await Peer.dial(router.port)
            except ConnectionRefusedError:
                await asyncio.sleep(0)


async def test_the_same_epoch_goes_on_after_a_kill(router: RouterProcess, dial: Dial):
    """A kill loses nothing that was committed, so a reader may go on where it was."""
    peer = await dial(router)
    await peer.set("/before", 1)
    before = await read_past(peer)
    await router.kill_all()
    await router.start()
    after = await read_past(await dial(router))
    assert after == before
