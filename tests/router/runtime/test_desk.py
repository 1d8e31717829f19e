"""The desk: who is heard, what one tick does, and what becomes of slow readers."""

import asyncio
import gc

import pytest

from router.core.limits import Limits
from router.core.session import Session
from router.runtime.door import Request
from router.wire.messages import Ack, Error, Get, Hello, Ping, Publish, Set, SignalType, Snapshot, Welcome
from tests.router.runtime.desk_scene import Scene, a_set, an_event, heard, settle

PATIENCE_S = 30.0
SLOW = Limits(outbox_bytes=64 * 1024)


@pytest.fixture
async def scene():
    """A desk without a journal."""
    scene = Scene()
    await scene.desk.start()
    yield scene
    await scene.desk.stop()


async def test_nobody_is_heard_before_the_state_is_complete():
    """HELLO waits, and is answered when the desk has started."""
    scene = Scene()
    peer = scene.door.connect()
    peer.send(Hello("early"))
    assert peer.received == []
    assert scene.desk.answer_http(Request("GET", "/readyz")).status == 503
    await scene.desk.start()
    assert isinstance(await peer.next(), Welcome)
    assert scene.desk.answer_http(Request("GET", "/readyz")).status == 200
    await scene.desk.stop()


async def test_whoever_does_not_say_hello_in_time_is_told_and_closed():
    """The time is a limit, and it counts from when the desk can hear."""
    scene = Scene(limits=Limits(hello_timeout_s=0.01))
    await scene.desk.start()
    peer = scene.door.connect()
    error = await peer.next()
    assert isinstance(error, Error)
    with pytest.raises(ConnectionResetError, match="no HELLO"):
        await peer.next()
    await scene.desk.stop()


async def test_who_has_left_is_forgotten():
    """Nothing holds a session that is over, not even what watches over those that may not have said HELLO."""
    scene = Scene(limits=Limits(hello_timeout_s=0.01))
    await scene.desk.start()
    before = sessions()
    for _ in range(20):
        (await scene.join("/**")).close()
    async with asyncio.timeout(PATIENCE_S):
        while sessions() > before:  # noqa: ASYNC110 nobody tells when an object is gone
            await asyncio.sleep(0)
    await scene.desk.stop()


def sessions():
    """How many are in memory, of whatever desk or test."""
    gc.collect()
    return sum(isinstance(found, Session) for found in gc.get_objects())


async def test_no_more_may_be_silent_than_the_limit_says():
    """One connection too many that says nothing is dropped; those who speak do not count."""
    scene = Scene(limits=Limits(handshakes=2))
    await scene.desk.start()
    await scene.join()
    silent = [scene.door.connect() for _ in range(3)]
    with pytest.raises(ConnectionResetError):
        await silent[2].next()
    assert [peer.closed is None for peer in silent] == [True, True, False]
    await scene.desk.stop()


async def test_the_own_set_comes_before_its_ack(scene):
    """A session sees the effect of its request, then that it was done."""
    peer = await scene.join("/a/**")
    peer.send(a_set("/a/b", 1), qos=1)
    await peer.until(lambda message: isinstance(message, Ack))
    kinds = [type(message) for message in peer.received[-2:]]
    assert kinds == [Set, Ack]


async def test_a_fault_of_ours_costs_one_message(scene, monkeypatch, caplog):
    """It is logged with its trace and answered with ERROR 500; the session and the others go on."""
    peer, other = await scene.join(), await scene.join("/**")
    monkeypatch.setattr(scene.desk.core, "_receive_fully", _fail)
    peer.send(a_set("/new", 1))
    error = await peer.until(lambda message: isinstance(message, Error))
    assert error.code == 500
    assert "could not be handled" in caplog.text
    monkeypatch.undo()
    peer.send(a_set("/new", 2))
    await settle(peer)
    assert heard(other, Set) == [2]


def _fail(*_: object) -> None:
    raise ZeroDivisionError


async def test_a_reader_that_stops_gets_the_newest_value_of_every_param_and_costs_nobody():
    """The others see all of it in order meanwhile."""
    scene = Scene(limits=SLOW)
    await scene.desk.start()
    writer, slow, good = await scene.join(), await scene.join("/**"), await scene.join("/**")
    slow.stop_reading()
    for number in range(20_000):
        writer.send(a_set(f"/p/{number % 50}", number))
        if number % 500 == 0:
            await settle(writer)
    await settle(writer)
    await settle(good)
    assert heard(good, Set) == list(range(20_000))
    slow.resume()
    await settle(slow)
    last = {message.address: message.value for message in slow.received if isinstance(message, Set)}
    assert last == {f"/p/{number % 50}": number for number in range(19_950, 20_000)}
    assert len(heard(slow, Set)) < 20_000
    await scene.desk.stop()


async def test_samples_for_a_slow_reader_go_oldest_first():
    """What is left of the stream is its end."""
    scene = Scene(limits=SLOW)
    await scene.desk.start()
    writer, slow = await scene.join(), await scene.join("/**")
    slow.stop_reading()
    for number in range(10_000):
        writer.send(an_event("/s", number, SignalType.STREAM))
        if number % 500 == 0:
            await settle(writer)
    await settle(writer)
    slow.resume()
    await settle(slow)
    got = heard(slow, Publish)
    assert got == sorted(got)
    assert got[-1] == 9_999
    assert len(got) < 10_000
    await scene.desk.stop()


async def test_a_reader_that_does_not_take_its_events_is_closed_with_a_reason():
    """Events do not vanish silently: ERROR 503, then close 1013."""
    scene = Scene(limits=SLOW)
    await scene.desk.start()
    writer, slow = await scene.join(), await scene.join("/**")
    slow.stop_reading()
    for number in range(10_000):
        writer.send(an_event("/e", number))
        if number % 500 == 0:
            await settle(writer)
    await settle(writer)
    slow.resume()
    error = await slow.until(lambda message: isinstance(message, Error))
    assert error.code == 503
    with pytest.raises(ConnectionResetError, match="1013"):
        await slow.next()
    await scene.desk.stop()


async def test_whoever_does_not_take_answers_is_not_read():
    """It may ask again when it has taken what it asked for; every answer arrives."""
    scene = Scene(limits=SLOW)
    await scene.desk.start()
    peer = await scene.join()
    peer.send(a_set("/big", "x" * 50_000))
    await settle(peer)
    peer.stop_reading()
    for _ in range(200):
        peer.send(Get("/big"))
    assert peer.closed is None
    backlog = scene.desk.links[0].outbox.backlog
    assert backlog is None or backlog.answer_bytes < 3_000_000
    peer.resume()
    await settle(peer)
    answers = [m for m in peer.received if isinstance(m, Snapshot) and m.params]
    assert len(answers) == 200
    await scene.desk.stop()


async def test_whoever_does_not_take_what_it_has_set_itself_is_not_read():
    """Its own SETs come back to it as answers: all of them, whatever others set meanwhile."""
    scene = Scene(limits=SLOW)
    await scene.desk.start()
    peer, other = await scene.join("/**"), await scene.join()
    peer.stop_reading()
    for number in range(2_000):
        peer.send(a_set("/own", str(number) * 500))
        other.send(a_set("/own", "another"))
    await settle(other)
    backlog = scene.desk.links[0].outbox.backlog
    assert backlog is not None
    assert backlog.answer_bytes < 3_000_000
    peer.resume()
    await settle(peer)
    assert [value for value in heard(peer, Set) if value != "another"] == [str(n) * 500 for n in range(2_000)]
    revisions = [message.revision for message in peer.received if isinstance(message, Set)]
    assert revisions == sorted(revisions)
    assert peer.closed is None
    await scene.desk.stop()


async def test_a_late_joiner_gets_every_param_while_others_go_on(scene):
    """The snapshot is made in parts, between which others have their turn."""
    writer = await scene.join("/live")
    for number in range(5_000):
        writer.send(a_set(f"/p/{number}", number))
    await settle(writer)
    late = scene.door.connect()
    late.send(Hello("late"))
    writer.send(a_set("/live", 1))
    await settle(writer)
    assert heard(writer, Set) == [1]
    late.send(Ping())
    await settle(late)
    params = [p for m in late.received if isinstance(m, Snapshot) for p in m.params]
    assert {p.address for p in params} >= {f"/p/{number}" for number in range(5_000)}


async def test_whoever_is_closed_is_told_why_even_in_the_middle_of_an_answer():
    """An ERROR that waits behind a long answer goes out before the close."""
    scene = Scene(limits=Limits(errors_per_minute=1))
    await scene.desk.start()
    writer = await scene.join()
    for number in range(3_000):
        writer.send(a_set(f"/p/{number}", number))
    await settle(writer)
    peer = scene.door.connect()
    peer.send(Hello("careless"))
    peer.send(b"no frame")
    peer.send(b"no frame either")
    error = await peer.until(lambda message: isinstance(message, Error))
    assert error.code == 100
    with pytest.raises(ConnectionResetError, match="1008"):
        await peer.until(lambda message: False)
    await scene.desk.stop()
