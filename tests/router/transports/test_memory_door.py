"""The door without sockets: it promises the desk what a socket does, and tells tests everything."""

import pytest

from router.core.limits import Limits
from router.transports.memory import MemoryDoor
from router.wire.codec import encode
from router.wire.frame import encode_frame
from router.wire.messages import Get, Ping, Pong
from router.wire.packing import pack
from tests.router.transports.recording import RecordingHost

PONG = pack(encode_frame(encode(Pong())))


@pytest.fixture
async def host():
    """A desk that takes notes."""
    return RecordingHost(Limits(message_bytes=1000))


@pytest.fixture
async def peer(host):
    """Somebody connected to it."""
    return MemoryDoor(host, high_bytes=100).connect()


@pytest.fixture
async def link(host, peer):
    """What the desk has of him."""
    return host.links[0]


async def test_messages_and_frames_reach_the_desk_as_frames(peer, link):
    """A message is encoded with its QoS, bytes go as they are."""
    peer.send(Get("/a"), qos=1)
    peer.send(b"anything")
    assert link.frames == [encode_frame(encode(Get("/a")), 1), b"anything"]
    assert "stamp" in link.calls


async def test_what_the_desk_writes_is_there_at_once_and_can_be_awaited(peer, link):
    """Joined messages come apart, and each call of `next` has its own."""
    link.pipe.write(PONG + pack(encode_frame(encode(Ping()))))
    assert peer.received == [Pong(), Ping()]
    assert [await peer.next(), await peer.next()] == [Pong(), Ping()]


async def test_waiting_for_a_message_passes_over_others(peer, link):
    """Until the end of the connection, which is an answer, too."""
    link.pipe.write(PONG + pack(encode_frame(encode(Ping()))))
    assert await peer.until(lambda message: isinstance(message, Ping)) == Ping()
    link.pipe.close(1013, "enough")
    with pytest.raises(ConnectionResetError, match="1013: enough"):
        await peer.next()
    with pytest.raises(ConnectionResetError):
        peer.send(Ping())
    assert peer.closed == (1013, "enough")


async def test_a_desk_that_pauses_hears_nothing_until_it_resumes(host, peer, link):
    """In order, and one by one if it pauses again."""
    host.on_frame = link.on_frame = lambda link, _: link.pipe.pause_reading()
    for frame in (b"one", b"two", b"three"):
        peer.send(frame)
    assert link.frames == [b"one"]
    for count in (2, 3):
        link.pipe.resume_reading()
        await host.until(lambda count=count: len(link.frames) == count)
    assert link.frames == [b"one", b"two", b"three"]


async def test_a_peer_that_stops_reading_blocks_its_link(peer, link):
    """And frees it when it takes what has piled up."""
    peer.stop_reading()
    written = 0
    while "block" not in link.calls:
        link.pipe.write(PONG)
        written += 1
    assert peer.received == []
    assert "unblock" not in link.calls
    peer.resume()
    assert peer.received == [Pong()] * written
    assert link.calls == ["block", "unblock"]


async def test_what_was_written_before_a_close_can_still_be_read(host, peer, link):
    """What comes after it is nobody's."""
    peer.stop_reading()
    link.pipe.write(PONG)
    link.pipe.close(1001, "bye")
    link.pipe.write(PONG)
    peer.resume()
    assert peer.received == [Pong()]
    await host.until(lambda: link.is_lost)


async def test_an_abort_drops_what_waits(host, peer, link):
    """As a reset socket would."""
    peer.stop_reading()
    link.pipe.write(PONG)
    link.pipe.abort()
    peer.resume()
    assert (peer.received, peer.closed) == ([], (1006, ""))
    await host.until(lambda: link.is_lost)


async def test_what_was_sent_before_leaving_is_still_delivered(host, peer, link):
    """Even to a desk that does not read at the moment."""
    link.pipe.pause_reading()
    peer.send(b"last words")
    peer.close(1000, "done")
    assert peer.closed == (1000, "done")
    link.pipe.write(PONG)
    link.pipe.resume_reading()
    await host.until(lambda: link.is_lost)
    assert link.frames == [b"last words"]
    assert peer.received == []


async def test_a_link_is_lost_once_and_never_from_inside_a_call(host, peer, link):
    """Both sides may close as often as they like."""
    link.pipe.close(1000, "")
    assert not link.is_lost
    peer.close()
    link.pipe.abort()
    await host.until(lambda: link.is_lost)
    assert peer.closed == (1000, "")


async def test_a_message_above_the_limit_closes(host, peer, link):
    """With the code that a socket's door has for it."""
    peer.send(bytes(1001))
    assert peer.closed == (1009, "message longer than 1000 bytes")
    assert not link.frames
    await host.until(lambda: link.is_lost)
