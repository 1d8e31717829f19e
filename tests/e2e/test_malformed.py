"""Bad input, row by row: what is wrong is said, and whoever is not to blame notices nothing."""

import json
from pathlib import Path

import pytest

from router.wire.messages import Ack, Error, Hello, Pong, Replay, Set, Snapshot, Subscribe, Welcome
from tests.e2e.conftest import Dial
from tests.e2e.peer import Closed, Peer, make_set
from tests.e2e.router_process import RouterProcess

ROWS = json.loads((Path(__file__).parents[1] / "vectors" / "bad_frames.json").read_text())
BAD_ROWS = [
    (row["name"], bytes.fromhex(row["hex"]), row["expected"]["error_code"])
    for row in ROWS
    if row["expected"]["error_code"] not in (None, 501)
]
GOOD_FIRST = "semantic_second_hello"


def frame_of(name: str) -> bytes:
    """The bytes of one row."""
    return next(bytes.fromhex(row["hex"]) for row in ROWS if row["name"] == name)


async def test_every_bad_frame_is_answered_with_its_code_and_the_session_goes_on(
    shared_router: RouterProcess, dial: Dial
):
    """One session sends all rows; after each it is answered, and still served. A bystander hears of none."""
    sinner, bystander = await dial(shared_router, "sinner"), await dial(shared_router, "bystander")
    await bystander.say(Subscribe(1, "/**"))
    for name, frame, code in BAD_ROWS:
        await sinner.say_frame(frame)
        answers = [heard.message for heard in await sinner.fence()]
        assert [type(answer) for answer in answers] == [Error], name
        assert answers[0].code == code, name
        assert answers[0].message, name
    await bystander.hears_nothing()
    assert (await sinner.set("/malformed/after", 1)).revision == 1
    assert (await bystander.hear(Set)).value == 1


async def test_whoever_does_not_begin_with_hello_is_told_and_closed(shared_router: RouterProcess, dial: Dial):
    """Every row as the first frame: an ERROR, no WELCOME, and the socket is closed. Others stay."""
    bystander = await dial(shared_router)
    for row in ROWS:
        if row["name"] == GOOD_FIRST:
            continue
        peer = await Peer.dial(shared_router.port)
        await peer.say_frame(bytes.fromhex(row["hex"]))
        error = await peer.hear(Error)
        assert error.code in (100, 101), row["name"]
        with pytest.raises(Closed) as closed:
            await peer.hear_any()
        assert closed.value.code == 1008, row["name"]
        peer.hang_up()
    await bystander.hears_nothing()


async def test_what_is_only_odd_has_a_fate_of_its_own(shared_router: RouterProcess, dial: Dial):
    """A PING is answered, a SET obeyed, what only routers say ignored, a second HELLO refused."""
    peer = await dial(shared_router)
    await peer.say_frame(frame_of("semantic_first_message_not_hello_ping"))
    await peer.hear(Pong)
    await peer.say_frame(frame_of("semantic_first_message_not_hello_set"))
    assert await peer.hear(Ack) == Ack("/a", 1)
    await peer.say_frame(frame_of("semantic_client_sends_snapshot"))
    await peer.hears_nothing()
    await peer.say_frame(frame_of(GOOD_FIRST))
    assert (await peer.hear(Error)).code == 101
    assert (await peer.set("/malformed/same/session", 1)).revision == 1
    assert (await peer.get("/malformed/same/session")).writer == peer.session


async def test_a_hello_of_whatever_shape_opens_a_session(shared_router: RouterProcess):
    """The row that is a second HELLO elsewhere is a good first one."""
    peer = await Peer.dial(shared_router.port)
    await peer.say_frame(frame_of(GOOD_FIRST))
    await peer.hear(Welcome)
    await peer.hear(Snapshot)
    peer.hang_up()


async def test_who_never_stops_sending_nonsense_is_closed(shared_router: RouterProcess, dial: Dial):
    """More than a thousand bad messages within a minute end the connection with 1008, and no other."""
    sinner, bystander = await dial(shared_router), await dial(shared_router)
    for _ in range(1_001):
        await sinner.say_frame(b"nonsense")
    errors = await sinner.hear_many(Error, 1_001)
    assert {error.code for error in errors} == {100}
    assert (await sinner.ends()).code == 1008
    await bystander.hears_nothing()


async def test_without_a_journal_a_replay_is_not_available(make_router, dial: Dial):
    """ERROR 501, and the session goes on; WELCOME does not offer the extension."""
    router = await make_router("--journal", "none").start()
    peer = await dial(router)
    assert not peer.welcome.features & 0x02
    await peer.say_frame(frame_of("semantic_replay_without_journal"))
    assert (await peer.hear(Error)).code == 501
    await peer.say(Replay("/**"), qos=1)
    assert (await peer.hear(Error)).code == 501
    await peer.say(make_set("/kept/nowhere", 1), qos=2)
    assert (await peer.hear(Ack)).revision == 1
    assert "journal none" in router.output


async def test_a_hello_of_another_version_is_welcome(shared_router: RouterProcess):
    """Any version may come in; the router speaks its own."""
    peer = await Peer.dial(shared_router.port)
    await peer.say(Hello("from the future", version=9))
    assert (await peer.hear(Welcome)).version == 1
    peer.hang_up()
