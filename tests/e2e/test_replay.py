"""The past, asked for over the wire: plain REPLAY as published routers answer it."""

import asyncio

import pytest

from clasp_journal.entry import SignalType
from router.wire.masks import mask_of_signals
from router.wire.messages import Ack, Error, Publish, Replay, Set, Subscribe, SubscribeOptions
from tests.e2e.conftest import Dial
from tests.e2e.past import read_past
from tests.e2e.peer import Heard, Peer, make_event, packed_all
from tests.e2e.router_process import RouterProcess

MANY = 20_000


async def replayed(peer: Peer, request: Replay) -> tuple[list[Heard], Ack]:
    """What a REPLAY with QoS 1 brings, and its end mark; nothing else may be heard meanwhile."""
    await peer.say(request, qos=1)
    heard = []
    while not isinstance((one := await peer.hear_any()).message, Ack):
        heard.append(one)
    return heard, one.message


async def write_some(peer: Peer, base: str) -> None:
    """Six entries: SETs of two params and events between them."""
    for number in range(3):
        await peer.set(f"{base}/{number % 2}", number)
        await peer.say(make_event(f"{base}/event", number), qos=2)
        await peer.hear(Ack)


async def test_replay_brings_what_was_in_order_with_its_times(shared_router: RouterProcess, dial: Dial):
    """SETs with their revisions, events with their values, each with its time on the frame, then the end."""
    writer, reader = await dial(shared_router), await dial(shared_router)
    await write_some(writer, "/replay/plain")
    past = await read_past(reader, "/replay/plain/**")
    heard, end = await replayed(reader, Replay("/replay/plain/**"))
    assert [type(one.message) for one in heard] == [Set, Publish] * 3
    assert [one.message.value for one in heard] == [0, 0, 1, 1, 2, 2]
    assert [one.message.revision for one in heard[::2]] == [1, 1, 2]
    assert [one.timestamp for one in heard] == [entry.timestamp for entry in past.entries]
    assert end == Ack("/replay/plain/**", past.entries[-1].seq)


async def test_replay_without_qos_has_no_end_mark(shared_router: RouterProcess, dial: Dial):
    """Published clients send QoS 0, and an ACK would kill one of them."""
    writer, reader = await dial(shared_router), await dial(shared_router)
    await write_some(writer, "/replay/unmarked")
    await reader.say(Replay("/replay/unmarked/**"), Replay("/replay/unmarked/0"))
    await reader.hear_many(Set | Publish, 6)
    await reader.hear_many(Set, 2)
    await reader.hears_nothing()


async def test_replay_honours_bounds_limits_and_types(shared_router: RouterProcess, dial: Dial):
    """Times are inclusive, the limit counts what matches, and the mask chooses the kinds."""
    writer, reader = await dial(shared_router), await dial(shared_router)
    await write_some(writer, "/replay/some")
    stamps = [entry.timestamp for entry in (await read_past(reader, "/replay/some/**")).entries]

    async def values(**wishes: object) -> list[object]:
        heard, _ = await replayed(reader, Replay("/replay/some/**", **wishes))
        return [(type(one.message), one.message.value) for one in heard]

    everything = [(Set, 0), (Publish, 0), (Set, 1), (Publish, 1), (Set, 2), (Publish, 2)]
    assert await values() == everything
    assert await values(limit=2) == everything[:2]
    assert await values(from_us=stamps[1], to_us=stamps[3]) == everything[1:4]
    events = mask_of_signals([SignalType.EVENT])
    assert await values(type_mask=events, limit=2) == [(Publish, 0), (Publish, 1)]
    assert await values(from_us=stamps[-1] + 1) == []


@pytest.mark.parametrize("pattern", ["", "no/slash", "/double//slash"])
async def test_a_bad_pattern_is_refused(shared_router: RouterProcess, dial: Dial, pattern: str):
    """ERROR 202 names it."""
    peer = await dial(shared_router)
    await peer.say(Replay(pattern), qos=1)
    error = await peer.hear(Error)
    assert (error.code, error.address) == (202, pattern)


async def test_a_long_replay_comes_whole_while_others_are_served(shared_router: RouterProcess, dial: Dial):
    """Twenty thousand entries to one reader, each once; meanwhile others write and are acknowledged."""
    writer, reader = await dial(shared_router), await dial(shared_router)
    await writer.say_bytes(packed_all(make_event("/replay/long", n) for n in range(MANY)))
    assert (await writer.set("/replay/fence", 1)).revision == 1
    replaying = asyncio.create_task(replayed(reader, Replay("/replay/long")))
    for revision in range(2, 20):
        assert (await writer.set("/replay/fence", revision)).revision == revision
    heard, _ = await replaying
    assert [one.message.value for one in heard] == list(range(MANY))


async def test_a_subscription_can_begin_with_the_past(shared_router: RouterProcess, dial: Dial):
    """The last entries of each address with their times, then the SNAPSHOT, then what is new."""
    writer, reader = await dial(shared_router), await dial(shared_router)
    for number in range(5):
        await writer.set("/history/param", number)
        await writer.say(make_event("/history/event", number), qos=2)
        await writer.hear(Ack)
    await reader.say(Subscribe(1, "/history/**", options=SubscribeOptions(history=2)))
    past = [await reader.hear_any() for _ in range(4)]
    assert [(one.message.address, one.message.value) for one in past] == [
        ("/history/param", 3),
        ("/history/event", 3),
        ("/history/param", 4),
        ("/history/event", 4),
    ]
    assert all(one.timestamp for one in past)
    (snapshot,) = [one.message for one in await reader.fence()]
    assert [(param.address, param.value) for param in snapshot.params] == [("/history/param", 4)]
    await writer.set("/history/param", 5)
    live = await reader.hear_any()
    assert (live.message.value, live.message.revision, live.timestamp) == (5, 6, None)


async def test_what_is_written_while_the_past_is_sent_follows_it(shared_router: RouterProcess, dial: Dial):
    """A subscription with history under load: every number once and in order, past and present."""
    writer, reader = await dial(shared_router), await dial(shared_router)
    await writer.say_bytes(packed_all(make_event("/seam", n) for n in range(200)))
    await writer.hears_nothing()
    await reader.say(Subscribe(1, "/seam", options=SubscribeOptions(history=100)))
    await writer.say_bytes(packed_all(make_event("/seam", n) for n in range(200, 1_000)))
    numbers = [(await reader.hear(Publish)).value]
    while numbers[-1] != 999:
        numbers.append((await reader.hear(Publish)).value)
    assert numbers == list(range(numbers[0], 1_000))
    assert numbers[0] >= 100
