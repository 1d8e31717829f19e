"""Peers that misbehave or disappear: each meets the fate in the door's table, and nobody else notices."""

import asyncio
import struct
import time

import pytest
from websockets.asyncio.client import connect

from router.transports import connection, websocket
from router.transports.websocket import WebSocketDoor
from router.wire.packing import pack
from tests.router.transports.peer_bytes import FIN, binary, close, control, fragmented, raw_frame
from tests.router.transports.recording import UPGRADE

SOON_S = 0.05


def closes(data):
    """The code of the close frame that ends these bytes."""
    at = data.rindex(b"\x88")
    assert data[at + 1] == len(data) - at - 2
    return struct.unpack("!H", data[at + 2 : at + 4])[0]


async def filled(host):
    """The link of a peer that does not read, and how much was written until it would have to."""
    link, written_bytes = await host.first_link(), 0
    while "block" not in link.calls:
        link.pipe.write(pack(bytes(60_000)))
        written_bytes += 60_000
        assert written_bytes < 64_000_000
    return link, written_bytes


async def take(peer, size_bytes):
    """Read so much, or up to the end; what was read."""
    taken = bytearray()
    while len(taken) < size_bytes and (piece := await peer.reader.read(size_bytes - len(taken))):
        taken += piece
    return bytes(taken)


@pytest.mark.parametrize("said", [b"", b"GET /cl", UPGRADE[:-1]], ids=["nothing", "a little", "nearly all"])
async def test_who_does_not_finish_the_head_is_dropped(serve, dial, said):
    """Without a word: it may not even speak HTTP."""
    host, port = await serve(hello_timeout_s=SOON_S)
    peer = await dial(port)
    peer.send(said)
    assert await peer.rest() == b""
    assert not host.links


async def test_no_connection_is_overlooked_however_many_there_are(serve, dial, monkeypatch):
    """They are looked at in slices, and all in turn."""
    monkeypatch.setattr(websocket, "SWEEP_SLICE", 2)
    _, port = await serve(hello_timeout_s=SOON_S)
    peers = [await dial(port) for _ in range(7)]
    assert [await peer.rest() for peer in peers] == [b""] * 7


async def test_a_head_that_drips_in_has_no_more_time_than_any_other(serve, dial):
    """Each byte proves patience, not honesty."""
    _, port = await serve(hello_timeout_s=4 * SOON_S)
    peer = await dial(port)

    async def drip():
        while True:
            peer.send(b"G")
            await asyncio.sleep(SOON_S)  # paced: a slow sender is what this is about

    dripping = asyncio.create_task(drip())
    assert await peer.rest() == b""
    dripping.cancel()


async def test_silent_sockets_keep_nobody_out(serve, dial):
    """Two hundred say nothing, the next one is served."""
    host, port = await serve()
    for _ in range(200):
        await dial(port)
    async with connect(f"ws://127.0.0.1:{port}") as client:
        await client.send(b"through")
        await host.until(lambda: bool(host.links) and host.links[0].frames == [b"through"])


async def test_surplus_half_open_connections_are_dropped_at_once(serve, dial):
    """And there is room again when one of the others has gone."""
    host, port = await serve(handshakes=3)
    waiting = [await dial(port) for _ in range(3)]
    surplus = await dial(port)
    assert await surplus.rest() == b""
    waiting[0].send(UPGRADE)
    await host.first_link()
    waiting[1].hang_up()
    for peer in (await dial(port, upgraded=True), await dial(port, upgraded=True)):
        peer.send(close(1000))
        assert closes(await peer.rest()) == 1000


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        pytest.param(binary(bytes(201)), 1009, id="oversized"),
        pytest.param(b"".join(fragmented(bytes(201), [100, 150])), 1009, id="oversized in fragments"),
        pytest.param(raw_frame(FIN | 0x40 | 0x2, b"x"), 1002, id="compressed"),
        pytest.param(raw_frame(FIN | 0x2, b"x", is_masked=False), 1002, id="unmasked"),
        pytest.param(control(0x9, bytes(126)), 1002, id="long ping"),
        pytest.param(close(1000, b"\xff"), 1007, id="close reason that is no text"),
    ],
)
async def test_who_breaks_the_protocol_is_told_so(serve, dial, frames, code):
    """With the code, even while more of the same is on its way; what came before it counts."""
    host, port = await serve(message_bytes=200)
    peer = await dial(port, upgraded=True)
    peer.send(binary(b"before") + frames + bytes(100_000))
    assert closes(await peer.rest()) == code
    link = await host.first_link()
    await host.until(lambda: link.is_lost)
    assert link.frames == [b"before"]


async def test_a_silent_peer_is_asked_and_then_closed(serve, dial):
    """A ping, as long again, and 1011 as other servers say it."""
    host, port = await serve(ping_after_s=SOON_S)
    peer = await dial(port, upgraded=True)
    link = await host.first_link()
    assert (
        await peer.rest() == b"\x89\x00" + b"\x88\x18" + struct.pack("!H", 1011) + b"keepalive ping timeout"
    )
    await host.until(lambda: link.is_lost)


async def test_a_pong_is_proof_of_life(serve, dial):
    """Who answers stays for as many rounds as there are, saying nothing else."""
    _, port = await serve(ping_after_s=5 * SOON_S)
    peer = await dial(port, upgraded=True)
    for _ in range(3):
        assert await peer.read(2) == b"\x89\x00"
        peer.send(control(0xA))


async def test_a_pause_of_the_router_is_not_the_silence_of_its_peers(serve, dial):
    """They may have stood still with it; who says something afterwards stays."""
    _, port = await serve(ping_after_s=10 * SOON_S)
    peer = await dial(port, upgraded=True)
    assert await peer.read(2) == b"\x89\x00"
    time.sleep(20 * SOON_S)  # paced: nothing turns meanwhile
    await asyncio.sleep(2 * SOON_S)  # paced: deadlines are looked at
    peer.send(control(0xA))
    assert await peer.read(2) == b"\x89\x00"


async def test_a_session_without_messages_is_closed_although_it_pongs(serve):
    """Keepalive is not traffic."""
    host, port = await serve(ping_after_s=4 * SOON_S, session_timeout_s=6 * SOON_S)
    async with connect(f"ws://127.0.0.1:{port}") as client:
        await client.wait_closed()
        assert (client.close_code, client.close_reason) == (1001, "session timeout")
    await host.until(lambda: host.links[0].is_lost)


async def test_a_peer_that_never_reads_is_blocked_and_dropped_in_the_end(serve, dial):
    """What it does not take is bounded; what it is told goes unheard; its place is free again."""
    host, port = await serve(ping_after_s=2 * SOON_S)
    peer = await dial(port, upgraded=True)
    peer.writer.transport.pause_reading()
    link, _ = await filled(host)
    await host.until(lambda: link.is_lost)
    assert "unblock" not in link.calls


async def test_a_peer_that_vanishes_is_lost(serve, dial):
    """A reset in the middle of a frame is the end of the connection, not of the door."""
    host, port = await serve()
    peer = await dial(port, upgraded=True)
    link = await host.first_link()
    peer.send(binary(bytes(100))[:50])
    peer.writer.transport.abort()
    await host.until(lambda: link.is_lost)
    link.pipe.write(pack(b"anybody there?"))
    link.pipe.pause_reading()
    link.pipe.resume_reading()
    link.pipe.close(1000, "")
    link.pipe.abort()
    assert (await dial(port, upgraded=True)).reader


async def test_a_close_without_an_answer_ends_all_the_same(serve, dial):
    """The peer hears our close, says other things instead, and is dropped."""
    host, port = await serve()
    peer = await dial(port, upgraded=True)
    link = await host.first_link()
    link.pipe.close(4000, "go")
    link.pipe.write(pack(b"never sent"))
    assert await peer.read(6) == b"\x88\x04\x0f\xa0go"
    peer.send(binary(b"not yet"))
    assert await peer.rest() == b""
    await host.until(lambda: link.is_lost)
    assert not link.frames


async def test_who_takes_the_last_bytes_slowly_gets_them_all(serve, dial):
    """The time for a close is for who takes nothing; whoever waits for much before it is told, too."""
    loop = asyncio.get_running_loop()
    host, port = await serve(door=WebSocketDoor(4 * SOON_S))
    peer = await dial(port, upgraded=True)
    link, written_bytes = await filled(host)
    link.pipe.close(4000, "go")
    began_s, received = loop.time(), b""
    while piece := await take(peer, written_bytes // 10):
        received += piece
        await asyncio.sleep(SOON_S)  # paced: a slow reader is what this is about
    assert loop.time() - began_s > 2 * 4 * SOON_S
    assert received.endswith(b"\x88\x04\x0f\xa0go")
    assert len(received) > written_bytes


async def test_who_takes_the_last_bytes_far_too_slowly_is_dropped(serve, dial, monkeypatch):
    """Its place is free again while there is still something for it to take."""
    monkeypatch.setattr(connection, "TAKING_DEADLINES", 3)
    host, port = await serve(door=WebSocketDoor(SOON_S))
    peer = await dial(port, upgraded=True)
    link, written_bytes = await filled(host)
    link.pipe.close(4000, "go")
    taken_bytes = 0
    while not link.is_lost:
        taken_bytes += len(await take(peer, written_bytes // 100))
        await asyncio.sleep(SOON_S / 2)  # paced: a slow reader is what this is about
    assert taken_bytes < written_bytes


async def test_an_abort_drops_what_waits(serve, dial):
    """Messages that came with the last one are not heard any more."""
    host, port = await serve()
    host.on_frame = lambda link, _: link.pipe.abort()
    peer = await dial(port, upgraded=True)
    peer.send(binary(b"last") + binary(b"too late"))
    assert await peer.rest() == b""
    link = await host.first_link()
    await host.until(lambda: link.is_lost)
    assert link.frames == [b"last"]


async def test_an_answer_that_nobody_takes_does_not_last(serve, dial):
    """A probe that does not hang up is dropped soon, and its place is free."""
    _, port = await serve(handshakes=1)
    peer = await dial(port)
    peer.send(b"GET /healthz HTTP/1.1\r\n\r\n")
    await peer.read_until(b"{}")
    assert await peer.rest() == b""
    while True:
        other = await dial(port)
        other.send(b"GET /healthz HTTP/1.1\r\n\r\n")
        if await other.rest():
            break
