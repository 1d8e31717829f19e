"""Limits that a client can run into: each refusal has its code, and only who asked too much hears it."""

import pytest

from router.core.limits import Limits
from router.wire.messages import (
    Ack,
    Bundle,
    Error,
    Hello,
    Replay,
    ReplayExtension,
    Set,
    Subscribe,
    Unsubscribe,
    Welcome,
)
from tests.e2e.conftest import Dial
from tests.e2e.peer import Peer, enveloped, make_event, make_set, packed_all
from tests.e2e.router_process import RouterProcess

LIMITS = Limits()


async def test_one_session_too_many_is_told_and_closed(make_router, dial: Dial):
    """ERROR 503 and close 1013; as soon as one leaves, another may come."""
    router = await make_router("--max-sessions", "2", "--journal", "none").start()
    first, second = await dial(router), await dial(router)
    third = await Peer.dial(router.port)
    await third.say(Hello("third"))
    assert (await third.hear(Error)).code == 503
    assert (await third.ends()).code == 1013
    third.hang_up()
    assert (await first.set("/a", 1)).revision == 1
    second.hang_up()
    await until_welcome(router)


async def until_welcome(router: RouterProcess) -> None:
    """Come back until there is room."""
    while True:
        peer = await Peer.dial(router.port)
        await peer.say(Hello("again"))
        answer = (await peer.hear_any()).message
        peer.hang_up()
        if isinstance(answer, Welcome):
            return
        assert answer.code == 503


async def test_who_sends_too_fast_is_refused_message_by_message(make_router, dial: Dial):
    """ERROR 429 for what is too much; what was accepted counts, others are free, the session stays."""
    router = await make_router("--max-rate", "50/s", "--journal", "none").start()
    hasty, calm = await dial(router), await dial(router)
    await hasty.say_bytes(packed_all((make_set("/hasty", n) for n in range(500)), qos=1))
    answers = [(await hasty.hear_any()).message for _ in range(500)]
    refused = [answer for answer in answers if isinstance(answer, Error)]
    accepted = [answer for answer in answers if isinstance(answer, Ack)]
    assert {answer.code for answer in refused} == {429}
    assert [ack.revision for ack in accepted] == list(range(1, len(accepted) + 1))
    assert (await calm.set("/calm", 1)).revision == 1
    assert (await calm.get("/hasty")).revision == len(accepted)


async def test_a_thousand_subscriptions_are_enough(shared_router: RouterProcess, dial: Dial):
    """One more is refused with 429; an id used again takes no room, and one given up makes some."""
    peer = await dial(shared_router)
    await peer.say(*(Subscribe(n, f"/none/{n}") for n in range(LIMITS.subscriptions)))
    await peer.say(Subscribe(5, "/none/again"))
    await peer.hears_nothing()
    await peer.say(Subscribe(LIMITS.subscriptions, "/one/more"))
    assert (await peer.hear(Error)).code == 429
    await peer.say(Unsubscribe(5), Subscribe(LIMITS.subscriptions, "/one/more"))
    await peer.hears_nothing()
    await peer.say(make_set("/one/more", 1))
    assert (await peer.hear(Set)).revision == 1


async def test_replays_of_one_session_wait_for_each_other_up_to_a_number(
    shared_router: RouterProcess, dial: Dial
):
    """One runs and eight wait; of more in one go each is refused with 429, and the others are answered."""
    peer = await dial(shared_router)
    await peer.set("/replayed", 1)
    requests = [Replay("/replayed", extension=ReplayExtension(n, as_entries=True)) for n in range(20)]
    await peer.say(*requests)
    answers = [(await peer.hear_any()).message for _ in requests]
    refused = [answer for answer in answers if isinstance(answer, Error)]
    assert {answer.code for answer in refused} <= {429}
    told = [answer.id for answer in answers if not isinstance(answer, Error)]
    assert told == sorted(told)
    assert len(told) >= 1 + LIMITS.replays_queued


@pytest.mark.parametrize("excess", [0, 1])
async def test_the_largest_set_is_accepted_and_one_byte_more_is_not(
    shared_router: RouterProcess, dial: Dial, excess: int
):
    """What is accepted fits into every answer that may have to carry it; the rest is ERROR 402."""
    writer, reader = await dial(shared_router), await dial(shared_router)
    address = f"/large/{excess}"
    await reader.say(Subscribe(1, address))
    value_bytes = LIMITS.set_bytes - len(address) - 2 + excess
    await writer.say(make_set(address, "x" * value_bytes), qos=1)
    if excess:
        assert (await writer.hear(Error)).code == 402
        await reader.hears_nothing()
        return
    assert (await writer.hear(Ack)).revision == 1
    assert len((await reader.hear(Set)).value) == value_bytes
    assert len((await dial(shared_router)).params[address].value) == value_bytes
    await reader.say(Replay(address), qos=1)
    assert len((await reader.hear(Set)).value) == value_bytes
    await reader.hear(Ack)


async def test_a_message_beyond_any_frame_ends_the_connection(shared_router: RouterProcess, dial: Dial):
    """Close 1009, before its bytes are taken in; nobody else is touched."""
    sinner, bystander = await dial(shared_router), await dial(shared_router)
    await sinner.say_bytes(enveloped(b"x" * 65_535) + huge_head())
    assert (await sinner.ends()).code == 1009
    await bystander.hears_nothing()


def huge_head() -> bytes:
    """The head of a message of a gigabyte."""
    return bytes((0x82, 0x80 | 127)) + (1 << 30).to_bytes(8) + bytes(4)


async def test_a_bundle_with_too_many_parts_is_refused_whole(shared_router: RouterProcess, dial: Dial):
    """A thousand parts are fine, one more is ERROR 402."""
    peer = await dial(shared_router)
    parts = [make_event("/b", None)] * LIMITS.bundle_parts
    await peer.say(Bundle(parts), qos=1)
    await peer.hear(Ack)
    await peer.say(Bundle([*parts, make_set("/bundle/too/large", 1)]), qos=1)
    assert (await peer.hear(Error)).code == 402
    assert await peer.get("/bundle/too/large") is None
