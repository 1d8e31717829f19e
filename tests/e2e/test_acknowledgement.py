"""Who is told what: ACKs by QoS, echoes before ACKs, and bundles that happen wholly or not at all."""

import pytest

from clasp_journal.entry import SignalType
from router.wire.messages import (
    Ack,
    Announce,
    Bundle,
    Error,
    Publish,
    Query,
    Result,
    Set,
    SignalDef,
    Subscribe,
)
from tests.e2e.conftest import Dial
from tests.e2e.peer import make_event, make_set
from tests.e2e.router_process import RouterProcess

LATER_US = 1_000_000
NUMBERS = (0, -(2**63), 2**63 - 1, 1.0, -0.0, float("inf"))
VALUES = (None, True, *NUMBERS, "ü\0", b"\xff\x00", [1, [2.5]], {"z": 1, "a": []})


async def test_a_set_is_acknowledged_iff_its_qos_asks_for_it(shared_router: RouterProcess, dial: Dial):
    """QoS 0 and the reserved 3 get nothing, 1 and 2 the new revision; all of them count."""
    peer = await dial(shared_router)
    for qos in (0, 3):
        await peer.say(make_set("/ack/level", qos), qos=qos)
        await peer.hears_nothing()
    assert await peer.set("/ack/level", "one", qos=1) == Ack("/ack/level", 3)
    assert await peer.set("/ack/level", "two", qos=2) == Ack("/ack/level", 4)


async def test_only_a_publish_with_qos_2_is_acknowledged(shared_router: RouterProcess, dial: Dial):
    """An event that is to be on disk gets an ACK without a revision, whoever else wants it."""
    peer = await dial(shared_router)
    for qos in (0, 1):
        await peer.say(make_event("/ack/event", qos), qos=qos)
        await peer.hears_nothing()
    await peer.say(make_event("/ack/event", 2), qos=2)
    assert await peer.hear(Ack) == Ack("/ack/event")


async def test_acks_come_in_the_order_of_the_requests(shared_router: RouterProcess, dial: Dial):
    """Levels mixed, sent in one go."""
    peer = await dial(shared_router)
    asked = [(n % 7, 1 + (n % 5 == 0)) for n in range(200)]
    for number, qos in asked:
        await peer.say(make_set(f"/ack/order/{number}", number), qos=qos)
    acks = await peer.hear_many(Ack, len(asked))
    assert [ack.address for ack in acks] == [f"/ack/order/{number}" for number, _ in asked]
    await peer.hears_nothing()


async def test_a_subscribed_writer_hears_its_own_set_first_and_its_own_event_never(
    shared_router: RouterProcess, dial: Dial
):
    """The echo, then the ACK; of a PUBLISH only others hear. Overlapping subscriptions make no copies."""
    writer, other = await dial(shared_router), await dial(shared_router)
    for peer in (writer, other):
        await peer.say(Subscribe(1, "/echo/**"), Subscribe(2, "/echo/*"))
        await peer.hears_nothing()
    await writer.say(make_set("/echo/a", 1, lock=True), make_event("/echo/a", 2), qos=1)
    echo = await writer.hear(Set)
    assert (echo.value, echo.revision, echo.lock) == (1, 1, True)
    assert await writer.hear(Ack) == Ack("/echo/a", 1)
    await writer.hears_nothing()
    assert [heard.message.value for heard in await other.fence()] == [1, 2]


async def test_values_arrive_as_they_were_sent(shared_router: RouterProcess, dial: Dial):
    """Types and bits are carried, not converted, in echoes and in SNAPSHOTs."""
    peer = await dial(shared_router)
    await peer.say(Subscribe(1, "/bits/**"))
    for number, value in enumerate(VALUES):
        request = make_set(f"/bits/{number}", value)
        await peer.say(request)
        assert (await peer.hear(Set)).encoded == request.encoded
        assert (await peer.get(f"/bits/{number}")).encoded == request.encoded


async def test_a_bundle_is_applied_in_order_and_acknowledged_once(shared_router: RouterProcess, dial: Dial):
    """Readers get the parts one by one, the sender one ACK with the revision of the last SET."""
    writer, reader = await dial(shared_router), await dial(shared_router)
    await reader.say(Subscribe(1, "/bundle/order/**"))
    await reader.hears_nothing()
    inner = Bundle([make_set("/bundle/order/a", 2), make_event("/bundle/order/e", 3)])
    await writer.say(Bundle([make_set("/bundle/order/a", 1), inner, make_set("/bundle/order/b", 4)]), qos=1)
    assert await writer.hear(Ack) == Ack(revision=1)
    heard = [heard.message for heard in await reader.fence()]
    assert [message.value for message in heard] == [1, 2, 3, 4]
    assert [type(message) for message in heard] == [Set, Set, Publish, Set]
    assert [heard[0].revision, heard[1].revision] == [1, 2]


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_a_bundle_with_one_refused_part_does_nothing(
    shared_router: RouterProcess, dial: Dial, qos: int
):
    """One ERROR with the code and address of that part; no part is applied, none is heard of."""
    writer, reader = await dial(shared_router), await dial(shared_router)
    base = f"/bundle/refused/{qos}"
    await writer.set(f"{base}/taken", "old")
    await reader.say(Subscribe(1, f"{base}/new"))
    await reader.hears_nothing()
    await writer.say(Bundle([make_set(f"{base}/new", 1), make_set(f"{base}/taken", 2, revision=7)]), qos=qos)
    error = await writer.hear(Error)
    assert (error.code, error.address) == (400, f"{base}/taken")
    await writer.hears_nothing()
    await reader.hears_nothing()
    assert await writer.get(f"{base}/new") is None
    assert (await writer.get(f"{base}/taken")).value == "old"


async def test_a_scheduled_bundle_waits_for_its_time(shared_router: RouterProcess, dial: Dial):
    """Nothing is to be seen of it before; then its parts and its ACK come, not before the stated time."""
    writer, reader = await dial(shared_router), await dial(shared_router)
    await reader.say(Subscribe(1, "/bundle/later"))
    await reader.hears_nothing()
    due = reader.welcome.time + LATER_US
    await writer.say(Bundle([make_set("/bundle/later", 1), make_set("/bundle/later", 2)], due), qos=1)
    assert [(await reader.hear(Set)).value for _ in range(2)] == [1, 2]
    assert await writer.hear(Ack) == Ack(revision=2)
    assert (await reader.get("/bundle/later")).timestamp >= due


async def test_a_scheduled_bundle_runs_although_its_sender_has_left(shared_router: RouterProcess, dial: Dial):
    """What was accepted is done; the ACK goes to nobody."""
    writer, reader = await dial(shared_router), await dial(shared_router)
    await reader.say(Subscribe(1, "/bundle/alone"))
    await reader.hears_nothing()
    due = reader.welcome.time + LATER_US
    await writer.say(Bundle([make_set("/bundle/alone", "done")], due), qos=1)
    await writer.hears_nothing()
    writer.hang_up()
    assert (await reader.hear(Set)).value == "done"


async def test_announcements_are_acknowledged_and_can_be_asked_for(shared_router: RouterProcess, dial: Dial):
    """ANNOUNCE answers like SET, by QoS; QUERY always answers, even with nothing."""
    peer = await dial(shared_router)
    lamp = SignalDef("/announced/lamp", SignalType.PARAM, "f64")
    await peer.say(Announce("/announced", [lamp]))
    await peer.hears_nothing()
    await peer.say(Announce("/announced", [lamp]), qos=1)
    assert await peer.hear(Ack) == Ack("/announced")
    await peer.say(Query("/announced/*"), Query("/nothing/**"))
    assert (await peer.hear(Result)).signals == [lamp]
    assert (await peer.hear(Result)).signals == []
