"""The journal extension: ENTRIES with their numbers, following, and what a tool may ask of a live router."""

from clasp_journal.entry import EntryKind
from router.wire.messages import Ack, Entries, Replay, ReplayExtension, Set, Subscribe, Unsubscribe
from tests.e2e.conftest import Dial
from tests.e2e.past import ask_journal, ask_journal_anything, entries_until, read_past
from tests.e2e.peer import make_event, make_set, packed_all
from tests.e2e.router_process import RouterProcess

MANY = 5_000
WRITERS = 4


def follow(request_id: int, pattern: str = "/**", **wishes: object) -> Replay:
    """A REPLAY that goes on."""
    return Replay(pattern, extension=ReplayExtension(request_id, as_entries=True, follow=True, **wishes))


async def test_entries_are_complete_and_numbered_without_gap(router: RouterProcess, dial: Dial):
    """Number, time, author, name, kind, value and revision of everything, and what a PUBLISH carries."""
    writer = await dial(router, "writer")
    await writer.set("/a", 1)
    await writer.say(make_event("/e", None), qos=2)
    await writer.hear(Ack)
    await writer.set("/a", 2.5)
    past = await read_past(writer)
    assert [entry.seq for entry in past.entries] == [1, 2, 3]
    assert [entry.kind for entry in past.entries] == [EntryKind.SET, EntryKind.PUBLISH, EntryKind.SET]
    assert [(entry.address, entry.value, entry.revision) for entry in past.entries] == [
        ("/a", 1, 1),
        ("/e", None, None),
        ("/a", 2.5, 2),
    ]
    assert {(entry.author, entry.name) for entry in past.entries} == {(writer.session, "writer")}
    assert not past.incomplete
    times = [entry.timestamp for entry in past.entries]
    assert times == sorted(times)
    assert (await writer.get("/a")).timestamp == times[-1]


async def test_a_follower_goes_on_where_it_was_across_a_restart(router: RouterProcess, dial: Dial):
    """With the last number and the epoch: nothing is missing and nothing comes twice, killed or not."""
    follower, writer = await dial(router), await dial(router)
    await follower.say(follow(1))
    first = await follower.hear(Entries)
    assert (first.entries, first.caught_up) == ([], True)
    seen, epoch = [], first.epoch
    for end in (router.kill_all, router.stop, router.kill):
        await writer.say_bytes(packed_all((make_event("/n", n) for n in range(100)), qos=2))
        await writer.hear_many(Ack, 100)
        seen += await entries_until(follower, bool, 100)
        await writer.say_bytes(packed_all((make_event("/unread", n) for n in range(50)), qos=2))
        await writer.hear_many(Ack, 50)
        await end()
        await router.start()
        follower, writer = await dial(router), await dial(router)
        await follower.say(follow(1, after_seq=seen[-1].seq, epoch=epoch))
        seen += await entries_until(follower, bool, 50)
    assert [entry.seq for entry in seen] == list(range(1, 451))
    assert [entry.value for entry in seen] == [*range(100), *range(50)] * 3


async def test_a_follower_of_another_life_is_told_that_there_is_a_gap(router: RouterProcess, dial: Dial):
    """An epoch that is not this one: flagged incomplete, and the present one named."""
    peer = await dial(router)
    await peer.set("/a", 1)
    past = await read_past(peer, after_seq=1, epoch="another life")
    assert past.incomplete
    assert past.epoch == (await read_past(peer)).epoch


async def test_following_ends_when_it_is_unsubscribed(router: RouterProcess, dial: Dial):
    """UNSUBSCRIBE with the id of the REPLAY: no more ENTRIES, and the session goes on."""
    follower, writer = await dial(router), await dial(router)
    await follower.say(follow(5))
    await follower.hear(Entries)
    await writer.set("/a", 1)
    await entries_until(follower, bool, 1)
    await follower.say(Unsubscribe(5))
    await follower.hears_nothing()
    await writer.set("/a", 2)
    await ask_journal(follower, "stats")
    await follower.hears_nothing()


async def test_an_id_that_is_used_again_and_given_up_at_once_is_free(router: RouterProcess, dial: Dial):
    """However many requests with it come in one read, none of them goes on behind the others."""
    follower, writer = await dial(router), await dial(router)
    await follower.say(follow(5), follow(5), Unsubscribe(5), follow(6))
    assert (await follower.hear(Entries)).id == 6
    await writer.set("/a", 1)
    heard = await follower.hear(Entries)
    assert (heard.id, len(heard.entries)) == (6, 1)
    await follower.hears_nothing()


async def test_a_replay_that_is_replaced_takes_no_room_any_more(router: RouterProcess, dial: Dial):
    """Who has as many subscriptions as may be can put one in the place of a replay."""
    peer = await dial(router)
    await peer.say(*(Subscribe(number, f"/{number}") for number in range(999)), follow(999))
    await peer.hear(Entries)
    await peer.say(Subscribe(999, "/a"))
    await peer.say(Subscribe(1_000, "/b"))
    (refusal,) = [heard.message for heard in await peer.fence()]
    assert (refusal.code, refusal.address) == (429, "/b")


async def test_the_newest_of_one_author_and_the_journals_own_kinds_can_be_asked_for(
    router: RouterProcess, dial: Dial
):
    """`newest` keeps the order; an author is a session or a name; own kinds come only when wanted."""
    one, two = await dial(router, "one"), await dial(router, "two")
    for number in range(10):
        await (one if number % 2 else two).set("/n", number)
    assert (await ask_journal(one, "mark", mark="doors open"))["seq"] == 11

    async def numbers(**wishes: object) -> list[object]:
        return [entry.value for entry in (await read_past(one, **wishes)).entries]

    assert await numbers() == list(range(10))
    assert await numbers(newest=True, limit=3) == [7, 8, 9]
    assert await numbers(author=one.session) == [1, 3, 5, 7, 9]
    assert await numbers(author="two", newest=True, limit=2) == [6, 8]
    assert await numbers(author="nobody") == []
    *_, mark = (await read_past(one, journal_kinds=True)).entries
    assert (mark.seq, mark.kind, mark.author) == (11, EntryKind.MARK, one.session)


async def test_a_tool_can_ask_for_the_state_then_and_now(router: RouterProcess, dial: Dial):
    """Params at a number of the journal, page by page; marks, snapshots and figures."""
    peer = await dial(router)
    for number in range(3):
        await peer.set("/a", number)
    await peer.say_bytes(packed_all(make_set(f"/many/{n:04}", n) for n in range(1_200)))
    await peer.hears_nothing()
    then = await ask_journal(peer, "state", at_seq=2)
    assert [(p["address"], p["revision"], p["writer"]) for p in then["params"]] == [("/a", 2, peer.session)]
    found, after = [], ""
    while after is not None:
        page = await ask_journal(peer, "state", pattern="/many/*", after=after)
        found += [param["address"] for param in page["params"]]
        after = page["next"]
    assert found == [f"/many/{n:04}" for n in range(1_200)]
    mark = await ask_journal(peer, "mark", mark="interval", message="tea")
    assert mark["seq"] == 1_204
    assert (await ask_journal(peer, "snapshot"))["seq"] == 1_204
    stats = await ask_journal(peer, "stats")
    assert (stats["entries"], stats["latest_seq"], stats["oldest_seq"]) == (1_204, 1_204, 1)


async def test_what_the_journal_cannot_do_is_answered_with_a_reason(router: RouterProcess, dial: Dial):
    """An unknown verb, a wrong argument: a status that is not 0, words, and the session goes on."""
    peer = await dial(router)
    for verb, arguments in (("dance", {}), ("stats", {"of": "what"}), ("mark", {}), ("compact", {})):
        answer = await ask_journal_anything(peer, verb, **arguments)
        assert answer.status, verb
        assert answer.result["reason"], verb
    assert (await ask_journal(peer, "stats"))["entries"] == 0


async def test_after_compaction_a_reader_is_told_and_the_state_is_whole(router: RouterProcess, dial: Dial):
    """What is gone is flagged; what led to it is still there, also after a restart."""
    peer = await dial(router)
    for number in range(10):
        await peer.set(f"/{number % 3}", number)
    assert (await ask_journal(peer, "compact", before_seq=8))["removed"] == 7
    past = await read_past(peer, after_seq=2, epoch=(await read_past(peer)).epoch)
    assert past.incomplete
    assert [entry.seq for entry in past.entries] == [8, 9, 10]
    before = (await dial(router)).params
    await router.kill_all()
    await router.start()
    assert (await dial(router)).params == before
    assert (await (await dial(router)).set("/0", "next")).revision == 5


async def test_a_session_receives_things_in_the_order_of_their_numbers(router: RouterProcess, dial: Dial):
    """Several writers at once: the live deliveries of one reader are the entries, one by one."""
    writers = [await dial(router, f"writer {n}") for n in range(WRITERS)]
    reader, follower = await dial(router), await dial(router)
    await reader.say(Subscribe(1, "/**"))
    await follower.say(follow(1))
    await follower.hear(Entries)
    for number, writer in enumerate(writers):
        score = []
        for n in range(MANY // WRITERS // 2):
            score += [make_set(f"/shared/{n % 5}", [number, n]), make_event(f"/own/{number}", n)]
        await writer.say_bytes(packed_all(score))
    live = [(await reader.hear_any()).message for _ in range(MANY)]
    entries = await entries_until(follower, bool, MANY)
    assert [entry.seq for entry in entries] == list(range(1, MANY + 1))
    assert [(entry.address, entry.encoded, entry.revision) for entry in entries] == [
        (message.address, message.encoded, message.revision if isinstance(message, Set) else None)
        for message in live
    ]
