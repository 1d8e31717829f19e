"""Who comes to a router and leaves it, in every way that there is."""

import asyncio
import contextlib
import socket
import ssl
import struct

from router.wire.messages import Replay, ReplayExtension, Subscribe, SubscribeOptions
from tests.e2e.peer import CLOSE, Peer, enveloped, make_set
from tests.router.transports.recording import UPGRADE, RawPeer

RESET = struct.pack("ii", 1, 0)
"""As SO_LINGER: what waits is thrown away, and the other side learns of it."""
STALLED_BUFFER_BYTES = 16 * 1024
MUCH = "much" * 1_000
PAGES = ("/healthz", "/readyz", "/metrics", "/sessions", "/no-such-page")


async def say_goodbye(port: int) -> None:
    """A session that has read, written and asked for the past, and closes as it should."""
    peer = await Peer.connect(port)
    await peer.say(Subscribe(1, "/**", options=SubscribeOptions(history=2)))
    await peer.say(make_set("/a", 1), Replay("/**", limit=2), qos=1)
    await peer.fence()
    await peer.say_bytes(enveloped(struct.pack("!H", 1000), CLOSE))
    assert (await peer.ends()).code == 1000
    peer.hang_up()


async def vanish_while_following(port: int) -> None:
    """A session that is told what comes, and whose socket is reset in the midst of its next message."""
    peer = await Peer.connect(port)
    await peer.say(Replay("/**", extension=ReplayExtension(1, as_entries=True, follow=True)))
    await peer.fence()
    await peer.say_bytes(enveloped(bytes(100))[:50])
    reset(peer)


async def vanish_while_much_waits(port: int) -> None:
    """A reader that has stopped to read, so that the router holds for it what it does not take."""
    stalled = await Peer.connect(port, buffer_bytes=STALLED_BUFFER_BYTES)
    await stalled.say(Subscribe(1, "/much/**"))
    writer = await Peer.connect(port)
    for number in range(300):
        await writer.say(make_set(f"/much/{number}", MUCH))
    await writer.fence()
    reset(stalled)
    writer.hang_up()


async def be_sent_away(port: int) -> None:
    """Who does not begin with HELLO, who breaks the rules of WebSocket, and who says nothing at all."""
    for said in (enveloped(b"no message"), b"\xff\xff\xff\xff"):
        peer = await Peer.dial(port)
        await peer.say_bytes(said)
        await peer.say(Subscribe(1, "/**"))
        await peer.ends()
        peer.hang_up()
    reset(await Peer.dial(port))


async def be_refused(port: int) -> None:
    """No HTTP, a Host that is not ours, half a head, and nothing."""
    await ask(port, b"\x16\x03\x01 something else\r\n\r\n")
    await ask(port, UPGRADE.replace(b"localhost", b"elsewhere.example"))
    for said in (UPGRADE[:-2], b""):
        peer = await RawPeer.dial(port)
        peer.send(said)
        peer.writer.transport.abort()


async def look_at_pages(port: int) -> None:
    """Plain requests, one of them by somebody who does not wait for the answer."""
    for page in PAGES:
        await ask(port, f"GET {page} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    peer = await RawPeer.dial(port)
    peer.send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    peer.writer.transport.abort()


PLAIN = (
    say_goodbye,
    vanish_while_following,
    vanish_while_much_waits,
    be_sent_away,
    be_refused,
    look_at_pages,
)


async def greet_in_private(port: int, trusting: ssl.SSLContext) -> None:
    """Sessions by TLS: one that closes, one that vanishes."""
    for is_polite in (True, False):
        peer = RawPeer(*await asyncio.open_connection("localhost", port, ssl=trusting))
        peer.send(UPGRADE)
        await peer.read_until(b"\r\n\r\n")
        if is_polite:
            peer.hang_up()
        else:
            peer.writer.transport.abort()


async def fail_to_shake_hands(port: int, trusting: ssl.SSLContext) -> None:
    """No TLS, half a greeting, nothing, and somebody who does not trust us."""
    await ask(port, UPGRADE)
    for said in (b"\x16\x03\x01\x02\x00\x01\x00", b""):
        peer = await RawPeer.dial(port)
        peer.send(said)
        peer.hang_up()
    with contextlib.suppress(ssl.SSLError):
        await asyncio.open_connection("localhost", port, ssl=ssl.create_default_context())


SECURED = (greet_in_private, fail_to_shake_hands)


async def ask(port: int, said: bytes) -> None:
    """Say something, and read until the other side ends it."""
    peer = await RawPeer.dial(port)
    peer.send(said)
    await peer.rest()
    peer.hang_up()


def reset(peer: Peer) -> None:
    """Vanish as a program does that was killed with something unread."""
    peer._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.hang_up()
