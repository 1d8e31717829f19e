"""Back-pressure both ways: a desk that wants no more, and a peer that takes no more."""

import asyncio
import os
import socket
from collections import Counter

from router.core.limits import Limits
from router.wire.packing import pack
from tests.router.transports.peer_bytes import binary, close
from tests.router.transports.recording import UPGRADE, RecordingHost


async def turns(count=20):
    """Let the loop turn, so that whatever could happen has happened."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_desk_that_is_not_ready_hears_nothing_until_it_is(serve, dial):
    """Even what came together with the handshake waits, and in order."""
    host, port = await serve(host=RecordingHost(Limits(), on_connect=lambda link: link.pipe.pause_reading()))
    peer = await dial(port)
    peer.send(UPGRADE + binary(b"one"))
    link = await host.first_link()
    await peer.read_until(b"\r\n\r\n")
    peer.send(binary(b"two"))
    await turns()
    assert not link.frames
    link.pipe.resume_reading()
    await host.until(lambda: link.frames == [b"one", b"two"])


async def test_a_pause_in_the_middle_of_a_read_holds_the_rest_of_it(serve, dial):
    """One at a time if the desk wants it so."""
    host, port = await serve(
        host=RecordingHost(Limits(), on_frame=lambda link, _: link.pipe.pause_reading()),
    )
    peer = await dial(port, upgraded=True)
    messages = [bytes([at]) for at in range(5)]
    peer.send(b"".join(map(binary, messages)))
    link = await host.first_link()
    for count in range(1, 6):
        await host.until(lambda count=count: len(link.frames) >= count)
        await turns()
        assert link.frames == messages[:count]
        link.pipe.resume_reading()


async def test_a_pause_and_a_resume_in_one_breath_change_nothing(serve, dial):
    """However often, nothing is lost, doubled or out of order."""

    def waver(link, _):
        link.pipe.pause_reading()
        link.pipe.resume_reading()
        link.pipe.resume_reading()
        if len(link.frames) % 2:
            link.pipe.pause_reading()
            link.pipe.resume_reading()

    host, port = await serve(host=RecordingHost(Limits(), on_frame=waver))
    peer = await dial(port, upgraded=True)
    messages = [bytes([at]) for at in range(100)]
    peer.send(b"".join(map(binary, messages)))
    link = await host.first_link()
    await host.until(lambda: link.frames == messages)


async def test_a_peer_with_much_to_say_does_not_say_it_in_one_breath(serve, dial):
    """After a read of some hundred kilobytes it is the turn of the others."""
    heard_bytes = Counter()
    turn = 0

    def hear(link, frame):
        heard_bytes[turn] += len(frame)

    _, port = await serve(host=RecordingHost(Limits(), on_frame=hear))
    peer = await dial(port, upgraded=True)
    total_bytes = 200 * 60_000
    talking = asyncio.create_task(asyncio.to_thread(_talk, peer, binary(bytes(60_000)) * 200))
    while heard_bytes.total() < total_bytes:
        await asyncio.sleep(0)
        turn += 1
    await talking
    assert max(heard_bytes.values()) < 600_000


def _talk(peer, data):
    """Say it all, from a thread of its own: as fast as it is heard."""
    with socket.socket(fileno=os.dup(peer.writer.get_extra_info("socket").fileno())) as own:
        own.setblocking(True)
        own.sendall(data)


async def test_a_paused_peer_is_made_to_wait(serve, dial):
    """Its kernel says so: a writer that goes on blocks."""
    host, port = await serve(host=RecordingHost(Limits(), on_connect=lambda link: link.pipe.pause_reading()))
    peer = await dial(port, upgraded=True)
    link = await host.first_link()
    message = binary(bytes(60_000))
    sent = 0
    while not peer.writer.transport.get_write_buffer_size():
        peer.send(message)
        sent += 1
        await asyncio.sleep(0)
        assert sent < 2000
    assert not link.frames
    link.pipe.resume_reading()
    await host.until(lambda: len(link.frames) == sent)


async def test_a_paused_peer_can_be_closed_and_answer(serve, dial):
    """Its messages are not heard any more, its close is."""
    host, port = await serve(host=RecordingHost(Limits(), on_connect=lambda link: link.pipe.pause_reading()))
    peer = await dial(port, upgraded=True)
    link = await host.first_link()
    peer.send(binary(b"unheard"))
    link.pipe.close(1013, "")
    assert await peer.read(4) == b"\x88\x02\x03\xf5"
    peer.send(close(1013))
    assert await peer.rest() == b""
    await host.until(lambda: link.is_lost)
    assert not link.frames


async def test_a_peer_that_is_not_read_need_not_prove_that_it_lives(serve, dial):
    """A stalled journal must not cost a connection."""
    host, port = await serve(
        host=RecordingHost(Limits(ping_after_s=0.04), on_connect=lambda link: link.pipe.pause_reading()),
    )
    await dial(port, upgraded=True)
    link = await host.first_link()
    await asyncio.sleep(0.2)  # paced: longer than silence is forgiven otherwise
    assert not link.is_lost


async def test_a_peer_that_is_not_read_and_takes_nothing_is_dropped(serve, dial):
    """The two together look like nobody."""
    host, port = await serve(
        host=RecordingHost(Limits(ping_after_s=0.1), on_connect=lambda link: link.pipe.pause_reading()),
    )
    peer = await dial(port, upgraded=True)
    peer.writer.transport.pause_reading()
    link = await host.first_link()
    while "block" not in link.calls:
        link.pipe.write(pack(bytes(60_000)))
    await host.until(lambda: link.is_lost)


async def test_a_slow_reader_blocks_its_link_and_frees_it_again(serve, dial):
    """Blocked when the buffer is full, unblocked when it has gone, and nothing is missing."""
    host, port = await serve()
    peer = await dial(port, upgraded=True)
    peer.writer.transport.pause_reading()
    link = await host.first_link()
    written = b""
    while "block" not in link.calls:
        packed = pack(len(written).to_bytes(8, "big") * 5000)
        link.pipe.write(packed)
        written += packed
    peer.writer.transport.resume_reading()
    assert await peer.read(len(written)) == written
    await host.until(lambda: "unblock" in link.calls)


async def test_a_blocked_peer_is_owed_one_pong_at_most(serve, dial):
    """It gets the last one when it reads again."""
    host, port = await serve()
    peer = await dial(port, upgraded=True)
    peer.writer.transport.pause_reading()
    link = await host.first_link()
    written_bytes = 0
    while "block" not in link.calls:
        packed = pack(bytes(60_000))
        link.pipe.write(packed)
        written_bytes += len(packed)
    for at in range(3):
        peer.send_frame(0x89, bytes([at]))
        peer.send(binary(b"heard"))
        await host.until(lambda at=at: len(link.frames) > at)
    peer.writer.transport.resume_reading()
    await peer.read(written_bytes)
    assert await peer.read(3) == b"\x8a\x01\x02"
