"""The door with peers that behave: handshakes of every client, messages both ways, a clean end."""

import asyncio
import socket

import pytest
from clasp import Clasp
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from router.core.limits import Limits
from router.transports.websocket import WebSocketDoor
from router.wire.codec import encode
from router.wire.frame import encode_frame
from router.wire.messages import Welcome
from router.wire.packing import pack
from tests.router.transports.peer_bytes import FIN, binary, fragmented
from tests.router.transports.recording import UPGRADE, RecordingHost


def url(port):
    """Any path would do."""
    return f"ws://127.0.0.1:{port}/clasp?with=query"


@pytest.mark.parametrize("offered", [["clasp"], ["mqtt", "clasp"]])
async def test_the_subprotocol_is_echoed_to_who_offers_it(serve, offered):
    """The JavaScript client hangs up without the echo."""
    _, port = await serve()
    async with connect(url(port), subprotocols=offered) as client:
        assert client.subprotocol == "clasp"


@pytest.mark.parametrize("offered", [None, ["mqtt"]])
async def test_nobody_has_to_offer_the_subprotocol(serve, offered):
    """And nobody is told a subprotocol that he did not offer."""
    host, port = await serve()
    async with connect(url(port), subprotocols=offered) as client:
        assert client.subprotocol is None
        await client.send(b"hello")
        await host.until(lambda: host.links[0].frames == [b"hello"])


async def test_compression_is_declined_and_life_goes_on(serve):
    """Both published clients offer it."""
    host, port = await serve()
    async with connect(url(port), compression="deflate") as client:
        assert "Sec-WebSocket-Extensions" not in client.response.headers
        await client.send(bytes(1000))
        await host.until(lambda: host.links[0].frames == [bytes(1000)])


async def test_the_published_python_client_connects(serve):
    """It offers `clasp` and compression, says HELLO, and is content with a WELCOME."""

    def welcome(link, frame):
        if not link.frames[1:]:
            link.pipe.write(pack(encode_frame(encode(Welcome(0, "session", "router")))))

    host, port = await serve(host=RecordingHost(Limits(), on_frame=welcome))
    client = Clasp(url(port), name="published", reconnect=False)
    await client.connect()
    assert client.session_id == "session"
    await client.set("/a", 1)
    await host.until(lambda: len(host.links[0].frames) == 2)
    await client.close()
    await host.until(lambda: host.links[0].is_lost)


@pytest.mark.parametrize("size_bytes", [0, 1, 125, 126, 65_535, 65_536, 65_600])
async def test_messages_of_every_size_go_both_ways(serve, size_bytes):
    """Up to the limit, whole and in order."""
    host, port = await serve(
        host=RecordingHost(Limits(), on_frame=lambda link, got: link.pipe.write(pack(got)))
    )
    async with connect(url(port)) as client:
        for at in range(3):
            await client.send(bytes([at]) * size_bytes)
        for at in range(3):
            assert await client.recv() == bytes([at]) * size_bytes
    await host.until(lambda: host.links[0].is_lost)
    assert "stamp" in host.links[0].calls


async def test_fragments_are_one_message_and_text_is_none(serve):
    """A sender that streams its message is understood, a sender of text is not harmed."""
    host, port = await serve()
    async with connect(url(port)) as client:
        await client.send("text is for others")
        await client.send([b"in ", b"three ", b"pieces"])
        await host.until(lambda: host.links[0].frames == [b"in three pieces"])


async def test_a_message_in_the_segment_of_the_head_is_not_lost(serve, dial):
    """Half a frame behind the head waits for its other half."""
    host, port = await serve()
    peer = await dial(port)
    first, second = binary(b"early"), binary(b"half and half")
    peer.send(UPGRADE + first + second[:9])
    link = await host.first_link()
    await host.until(lambda: link.frames == [b"early"])
    peer.send(second[9:])
    await host.until(lambda: link.frames == [b"early", b"half and half"])


async def test_a_head_may_come_in_pieces(serve, dial):
    """The blank line is found wherever it was cut."""
    host, port = await serve()
    peer = await dial(port)
    for at in range(len(UPGRADE)):
        peer.send(UPGRADE[at : at + 1])
        await peer.writer.drain()
    peer.send(binary(b"done"))
    link = await host.first_link()
    await host.until(lambda: link.frames == [b"done"])


async def test_pings_are_answered_between_messages(serve):
    """The published clients ping every 20 s and leave without an answer."""
    _, port = await serve()
    async with connect(url(port)) as client:
        await asyncio.wait_for(await client.ping(b"are you there"), 10)
        await asyncio.wait_for(await client.ping(b""), 10)


async def test_of_many_pings_in_one_read_the_last_is_answered(serve, dial):
    """A flood of pings is not worth a flood of pongs."""
    host, port = await serve()
    peer = await dial(port, upgraded=True)
    pings = b"".join(raw for at in range(500) for raw in fragmented(str(at).encode(), [], 0x9))
    peer.send(pings + binary(b"end"))
    link = await host.first_link()
    await host.until(lambda: link.frames == [b"end"])
    link.pipe.close(1000, "")
    said = await peer.rest()
    assert said.endswith(bytes((FIN | 0xA, 3)) + b"499" + b"\x88\x02\x03\xe8")
    assert said.count(bytes((FIN | 0xA,))) < 500


async def test_who_the_peer_is_reaches_the_desk(serve):
    """Its address for the log, whether it is on this machine, and where its page comes from."""
    host, port = await serve()
    async with connect(url(port), origin="http://localhost:5173") as client:
        link = await host.first_link()
        assert link.peer.address == "{}:{}".format(*client.local_address)
        assert link.peer.is_loopback
        assert link.peer.origin == "http://localhost:5173"


async def test_small_messages_are_not_held_back_by_the_kernel(serve):
    """Nagle's algorithm is off."""
    host, port = await serve()
    async with connect(url(port)):
        sock = (await host.first_link()).pipe._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_peer_that_closes_gets_its_close_back(serve):
    """Code and reason are echoed, and the link is lost once."""
    host, port = await serve()
    client = await connect(url(port))
    link = await host.first_link()
    await client.close(4001, "enough")
    assert (client.protocol.close_rcvd.code, client.protocol.close_rcvd.reason) == (4001, "enough")
    await host.until(lambda: link.is_lost)


async def test_our_close_comes_after_everything_that_was_written(serve):
    """And its reason is cut to what fits."""
    host, port = await serve()
    async with connect(url(port)) as client:
        link = await host.first_link()
        for at in range(100):
            link.pipe.write(pack(bytes([at]) * 5000))
        link.pipe.close(1013, "ä" * 100)
        for at in range(100):
            assert await client.recv() == bytes([at]) * 5000
        with pytest.raises(ConnectionClosedError) as closed:
            await client.recv()
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1013, "ä" * 61)
    await host.until(lambda: link.is_lost)


async def test_a_closing_door_says_goodbye_to_everybody(serve):
    """Clients see 1001 and the words; nobody can connect any more."""
    door = WebSocketDoor()
    host, port = await serve(door=door)
    clients = [await connect(url(port)) for _ in range(3)]
    await host.until(lambda: len(host.links) == 3)
    await door.close(reason="bye")
    assert all(link.is_lost for link in host.links)
    for client in clients:
        with pytest.raises(ConnectionClosedOK) as closed:
            await client.recv()
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "bye")
    with pytest.raises(ConnectionRefusedError):
        await connect(url(port))
