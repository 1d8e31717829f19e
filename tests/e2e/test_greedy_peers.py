"""Who asks for more of the past than it takes costs what one answer costs, not as much as it asks for."""

import asyncio

from clasp_journal import value as values
from clasp_journal.entry import SignalType
from router.core.limits import MIB
from router.wire.messages import Get, JournalDo, JournalDone, Publish, Set, Subscribe, SubscribeOptions
from tests.e2e.conftest import Dial
from tests.e2e.peer import make_set, packed, packed_all
from tests.e2e.router_process import RouterProcess

BUFFER_BYTES = 4_096
ADDRESSES = 40
SAMPLES = 100
SAMPLE = values.encode("x" * 1_500)
SUBSCRIPTIONS = 40
"""Each asks for 6 MB of history."""
ERRANDS = 20_000
OWN_SETS = 20_000
FILLING = "x" * 1_000
PARAMS = 5_000
QUESTIONS = 4_000
"""They fit into one read."""
GROWTH_MAX_BYTES = 40 * MIB


async def test_the_past_of_many_subscriptions_comes_one_after_the_other(router: RouterProcess, dial: Dial):
    """To a reader that does not read, too: the router keeps no more than one of them for it."""
    writer = await dial(router)
    for number in range(ADDRESSES):
        message = Publish(f"/a/{number}", SignalType.STREAM, encoded=SAMPLE)
        await writer.say_bytes(packed_all([message] * SAMPLES))
    await writer.set("/a/last", 1)
    reader = await dial(router, buffer_bytes=BUFFER_BYTES)
    before_bytes = router.resident_bytes()
    options = SubscribeOptions(history=SAMPLES)
    await reader.say(*(Subscribe(number, "/a/**", options=options) for number in range(SUBSCRIPTIONS)))
    await reader.hear_frame()
    # As many again, so that the router had the time for the others in between.
    for _ in range(SUBSCRIPTIONS):
        other = await dial(router)
        await other.say(Subscribe(1, "/a/last", options=options))
        await other.fence()
        other.hang_up()
    assert router.resident_bytes() - before_bytes < GROWTH_MAX_BYTES


async def test_small_questions_with_large_answers_are_answered_as_they_are_taken(
    router: RouterProcess, dial: Dial
):
    """Those to what comes in one read would be 260 MB, whether they stand behind a SNAPSHOT or not."""
    other = await dial(router)
    await other.say(*(make_set(f"/many/{number}", 1) for number in range(PARAMS)))
    await other.set("/large", "x" * 64_000)
    before_bytes = router.resident_bytes()
    for first in ((), (Subscribe(1, "/many/**"),)):
        greedy = await dial(router, buffer_bytes=BUFFER_BYTES)
        await greedy.say_bytes(packed_all((*first, *[Get("/large")] * QUESTIONS)))
        for _ in range(10):
            await other.fence()
        assert router.resident_bytes() - before_bytes < GROWTH_MAX_BYTES
        greedy.hang_up()


async def test_who_does_not_read_gets_all_that_it_has_set_itself_when_it_does(
    router: RouterProcess, dial: Dial
):
    """It is not read meanwhile, so that this is bounded, too."""
    peer = await dial(router, buffer_bytes=BUFFER_BYTES)
    await peer.say(Subscribe(1, "/own/**"))
    before_bytes = router.resident_bytes()
    sending = asyncio.create_task(
        peer.say_bytes(packed_all(make_set(f"/own/{n % 5}", f"{n} {FILLING}") for n in range(OWN_SETS)))
    )
    other = await dial(router)
    for _ in range(10):
        await other.fence()
    assert router.resident_bytes() - before_bytes < GROWTH_MAX_BYTES
    for number in range(OWN_SETS):
        assert (await peer.hear(Set)).value == f"{number} {FILLING}"
    await sending


async def test_errands_beyond_what_is_done_at_a_time_wait_unread(router: RouterProcess, dial: Dial):
    """Nobody else waits behind them, nothing is refused, and they cost no memory."""
    greedy, other = await dial(router), await dial(router)
    before_bytes = router.resident_bytes()
    errand = packed(JournalDo(1, "stats", values.encode({})))
    sending = asyncio.create_task(greedy.say_bytes(errand * ERRANDS))
    for number in range(100):
        assert (await other.set("/a", number)).revision == number + 1
        assert (await greedy.hear(JournalDone)).status == 0
    assert router.resident_bytes() - before_bytes < GROWTH_MAX_BYTES
    sending.cancel()
