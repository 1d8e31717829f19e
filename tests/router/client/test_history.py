"""Entries come once and in order, page by page and live, over overflows, gaps and reconnects."""

import asyncio

import pytest

from clasp_journal.entry import JournalEntry, ParamSnapshot, SignalType
from clasp_journal.value import encode
from router.client import ConnectionLost, JournalRefused, Position, Refused, connect
from router.client.history import FEED_ENTRIES, PAGE_ENTRIES
from router.wire.masks import FEATURES_OF_ROUTERS
from router.wire.messages import (
    Entries,
    Error,
    Hello,
    JournalDo,
    JournalDone,
    Ping,
    Pong,
    Replay,
    Set,
    Snapshot,
    Subscribe,
    Unsubscribe,
    Welcome,
)
from tests.router.client.peer import Line, scripted_router, until


def numbered(first: int, last: int) -> list[JournalEntry]:
    """Entries with these numbers."""
    return [
        JournalEntry.from_set("/a", seq, author="w", timestamp=seq * 10, revision=seq)._replace(seq=seq)
        for seq in range(first, last + 1)
    ]


async def hear_replay(line: Line) -> Replay:
    """Take one REPLAY and the fence behind it."""
    request = await line.hear(Replay)
    await line.pass_fence()
    assert request.extension is not None
    assert request.extension.as_entries
    return request


async def answer(line: Line, request: Replay, entries: list[JournalEntry], **marks) -> None:
    """Send entries for a request, in as many ENTRIES as it takes; the last says what `marks` say."""
    number, epoch = request.extension.id, marks.pop("epoch", "e1")
    head = marks.pop("head", entries[-1].seq if entries else 0)
    while len(entries) > 500:
        await line.say(Entries(number, epoch, head, entries[:500]))
        entries = entries[500:]
    await line.say(Entries(number, epoch, head, entries, **marks))


async def test_the_past_is_pulled_page_by_page():
    """A page is asked for when the one before was used; the last is not full."""
    asked = []

    async def script(line: Line) -> None:
        await line.begin()
        for first, last in ((1, PAGE_ENTRIES), (PAGE_ENTRIES + 1, PAGE_ENTRIES + 5)):
            request = await hear_replay(line)
            asked.append((request.limit, request.extension.after_seq, request.extension.epoch))
            await answer(line, request, numbered(first, last), caught_up=True)
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        history = client.replay("/a", from_us=5, types=(SignalType.PARAM,), author="w")
        seqs = [entry.seq async for entry in history]
    assert seqs == list(range(1, PAGE_ENTRIES + 6))
    assert asked == [(PAGE_ENTRIES, None, None), (PAGE_ENTRIES, PAGE_ENTRIES, "e1")]
    assert history.position == Position(PAGE_ENTRIES + 5, "e1")
    assert not history.incomplete


async def test_a_limit_spans_pages_and_the_newest_are_one():
    """No more is asked for than is wanted."""

    async def script(line: Line) -> None:
        await line.begin()
        request = await hear_replay(line)
        await answer(line, request, numbered(1, PAGE_ENTRIES), caught_up=True)
        request = await hear_replay(line)
        assert request.limit == 2
        await answer(line, request, numbered(PAGE_ENTRIES + 1, PAGE_ENTRIES + 2), caught_up=True)
        request = await hear_replay(line)
        assert (request.limit, request.extension.newest) == (FEED_ENTRIES * 2, True)
        await answer(line, request, numbered(1, FEED_ENTRIES * 2), caught_up=True)
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        assert len([entry async for entry in client.replay(limit=PAGE_ENTRIES + 2)]) == PAGE_ENTRIES + 2
        newest = client.replay(limit=FEED_ENTRIES * 2, newest=True)
        assert [entry.seq async for entry in newest] == list(range(1, FEED_ENTRIES * 2 + 1))
        with pytest.raises(ValueError, match="limit"):
            client.replay(newest=True)


async def test_the_client_can_be_used_inside_the_loop():
    """A program that takes its time over an entry does not stop the connection."""

    async def script(line: Line) -> None:
        await line.begin()
        request = await hear_replay(line)
        await answer(line, request, numbered(1, 3), caught_up=True)
        for _ in range(3):
            await line.hear(Ping)
            await line.say(Pong())
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        async for _ in client.replay():
            await client._exchange.requests.fenced()


async def test_a_follower_goes_on_live_behind_the_past():
    """The follow request starts behind the last entry of the past."""

    async def script(line: Line) -> None:
        await line.begin()
        await answer(line, await hear_replay(line), numbered(1, 2), caught_up=True)
        request = await hear_replay(line)
        extension = request.extension
        assert (extension.follow, extension.after_seq, extension.epoch) == (True, 2, "e1")
        await answer(line, request, [], caught_up=True)
        await answer(line, request, numbered(3, 4))
        assert (await line.hear(Unsubscribe)).id == extension.id
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        history = client.replay(follow=True)
        assert [(await anext(history)).seq for _ in range(4)] == [1, 2, 3, 4]
        assert history.caught_up.is_set()
        await history.close()
        with pytest.raises(StopAsyncIteration):
            await anext(history)
        with pytest.raises(ValueError, match="no end"):
            client.replay(follow=True, to_us=5)


async def test_following_from_now_on_asks_where_now_is():
    """Without `since` the newest number is where it starts."""

    async def script(line: Line) -> None:
        await line.begin()
        request = await hear_replay(line)
        assert (request.limit, request.extension.newest) == (1, True)
        await answer(line, request, numbered(40, 40), head=50, caught_up=True)
        request = await hear_replay(line)
        assert (request.extension.after_seq, request.extension.follow) == (50, True)
        await answer(line, request, numbered(51, 51))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        assert (await anext(client.follow("/a"))).seq == 51


async def test_a_follower_continues_where_it_was_after_a_reconnect():
    """Nothing is missing and nothing comes twice."""

    async def first(line: Line) -> None:
        await line.begin()
        request = await hear_replay(line)
        assert request.extension.after_seq == 6
        await answer(line, request, numbered(7, 8), caught_up=True)
        request = await hear_replay(line)
        await answer(line, request, numbered(9, 10))
        await line.close(1012)

    async def second(line: Line) -> None:
        await line.begin()
        request = await hear_replay(line)
        assert (request.extension.after_seq, request.extension.epoch) == (10, "e1")
        await answer(line, request, numbered(11, 12), caught_up=True)
        request = await hear_replay(line)
        await answer(line, request, numbered(13, 13))
        await line.stay()

    async with scripted_router(first, second) as url, connect(url) as client:
        follower = client.follow(since=Position(6, "e1"))
        assert [(await anext(follower)).seq for _ in range(7)] == list(range(7, 14))
        assert not follower.incomplete


async def test_a_feed_that_comes_too_fast_is_pulled_as_the_past():
    """When too much waits the router is told to stop, and the rest is asked for in pages."""
    overflowed = asyncio.Event()
    total = FEED_ENTRIES + 1_500

    async def script(line: Line) -> None:
        await line.begin()
        await answer(line, await hear_replay(line), [], head=0, caught_up=True)
        request = await hear_replay(line)
        await answer(line, request, numbered(1, total))
        assert (await line.hear(Unsubscribe)).id == request.extension.id
        overflowed.set()
        request = await hear_replay(line)
        assert FEED_ENTRIES <= request.extension.after_seq < total
        await answer(line, request, numbered(request.extension.after_seq + 1, total), caught_up=True)
        await hear_replay(line)
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        follower = client.follow()
        seqs = [(await anext(follower)).seq]
        await overflowed.wait()
        seqs += [(await anext(follower)).seq for _ in range(total - 1)]
    assert seqs == list(range(1, total + 1))


async def test_a_gap_is_told_and_filled_with_the_state():
    """Entries are gone, the epoch is another: the follower says so and has the params as they are."""
    param = ParamSnapshot("/a", encode(5), 5, "w", 9)
    told = []

    async def first(line: Line) -> None:
        await line.begin()
        await answer(line, await hear_replay(line), [], caught_up=True, head=7)
        await hear_replay(line)
        await line.close(1012)

    async def second(line: Line) -> None:
        await line.begin(param)
        request = await hear_replay(line)
        assert (request.extension.after_seq, request.extension.epoch) == (7, "e1")
        await answer(line, request, [], epoch="e2", head=3, caught_up=True, incomplete=True)
        asked = await line.hear(Subscribe)
        await line.hear(Ping)
        await line.say(Snapshot([param]), Pong())
        assert (await line.hear(Unsubscribe)).id == asked.id
        request = await hear_replay(line)
        assert (request.extension.after_seq, request.extension.epoch) == (3, "e2")
        await answer(line, request, numbered(4, 4), epoch="e2")
        await line.stay()

    async with scripted_router(first, second) as url, connect(url) as client:
        follower = client.follow(since=Position(7, "e1"), on_incomplete=told.append)
        assert (await anext(follower)).seq == 4
    assert follower.incomplete
    assert follower.position == Position(4, "e2")
    assert [state["/a"].revision for state in told] == [5]
    assert follower.snapshot == told[0]


async def test_a_replay_says_that_it_is_incomplete():
    """Its beginning was compacted; the rest comes."""

    async def script(line: Line) -> None:
        await line.begin()
        await answer(line, await hear_replay(line), numbered(5, 6), caught_up=True, incomplete=True)
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        history = client.replay()
        assert [entry.seq async for entry in history] == [5, 6]
        assert history.incomplete


@pytest.mark.parametrize("is_late", [False, True])
async def test_a_refused_replay_raises(is_late):
    """At once, or when the query has failed."""

    async def script(line: Line) -> None:
        await line.begin()
        request = await line.hear(Replay)
        if is_late:
            await line.pass_fence()
        await line.say(Error(500, "the disk is gone", request.pattern))
        if not is_late:
            await line.pass_fence()
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        with pytest.raises(Refused, match="500 /a: the disk is gone"):
            await anext(client.replay("/a"))


async def test_a_replay_fails_with_a_link_that_stays_lost():
    """There is nobody left to continue with."""

    async def script(line: Line) -> None:
        await line.begin()
        await hear_replay(line)
        await line.close(1011)

    async with scripted_router(script) as url, connect(url, reconnect=False) as client:
        with pytest.raises(ConnectionLost):
            await anext(client.replay())


async def test_a_router_without_the_extension_is_not_asked():
    """WELCOME says whether it has one."""

    async def script(line: Line) -> None:
        await line.hear(Hello)
        await line.say(Welcome(1, "s", "plain", features=int(FEATURES_OF_ROUTERS)), Snapshot())
        await line.pass_fence()
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        with pytest.raises(Refused, match="501"):
            client.replay()
        with pytest.raises(Refused, match="501"):
            await client.journal_do("stats")


async def test_the_journal_is_asked_to_do_things():
    """A result, a refusal by status, a refusal by ERROR, and an end with the connection."""

    async def script(line: Line) -> None:
        await line.begin()
        request = await line.hear(JournalDo)
        assert (request.verb, request.arguments) == ("mark", {"mark": "doors"})
        await line.pass_fence()
        await line.say(JournalDone(request.id, 0, encode({"seq": 5})))
        request = await line.hear(JournalDo)
        await line.pass_fence()
        await line.say(JournalDone(request.id, 2, encode({"reason": "no such argument"})))
        await line.hear(JournalDo)
        await line.say(Error(301, "not from here"))
        await line.pass_fence()
        await line.hear(JournalDo)
        await line.pass_fence()
        await line.close(1011)

    async with scripted_router(script) as url, connect(url, reconnect=False) as client:
        assert await client.journal_do("mark", {"mark": "doors"}) == {"seq": 5}
        with pytest.raises(JournalRefused, match="no such argument") as refused:
            await client.journal_do("compact")
        assert refused.value.status == 2
        with pytest.raises(Refused, match="301"):
            await client.journal_do("compact")
        with pytest.raises(ConnectionLost):
            await client.journal_do("stats")


async def test_entries_of_a_closed_feed_are_dropped():
    """What was on its way when nobody wanted it any more harms nothing."""

    async def script(line: Line) -> None:
        await line.begin()
        await answer(line, await hear_replay(line), [], caught_up=True)
        request = await hear_replay(line)
        await answer(line, request, numbered(1, 1))
        await line.hear(Unsubscribe)
        await answer(line, request, numbered(2, 2))
        await line.say(Set("/end", encode(True), 1))
        await line.stay()

    async with scripted_router(script) as url, connect(url) as client:
        follower = client.follow()
        assert (await anext(follower)).seq == 1
        await follower.close()
        await until(lambda: "/end" in client.params)
