"""A token is a canary: sent through every path there is, it is never heard of again, at any level of log."""

from __future__ import annotations

import asyncio

import pytest

from router import Address, Router, RouterConfig
from router.auth.gate import TokenGate
from router.runtime.door import Request
from router.transports.handshake import Plain
from router.wire import codec, legacy
from router.wire.frame import encode_frame
from router.wire.messages import Hello, Ping, Set
from tests.e2e.peer import Closed, Peer, make_set
from tests.e2e.router_process import PATIENCE_S
from tests.router.auth.keys import Keys

CANARY = "CANARYcanaryCANARYcanaryCANARYcanar"
"""As long as those that are made, but not with their beginning: the log would leave that out."""
SECRET = CANARY.encode()

HELLO = codec.encode(Hello("bird", token=CANARY))
LEGACY_HELLO = legacy.encode(Hello("bird", token=CANARY))

FRAMES = {
    "a HELLO": encode_frame(HELLO),
    "a HELLO in the old form": encode_frame(LEGACY_HELLO),
    "a HELLO that is cut": encode_frame(HELLO[:-5]),
    "a HELLO in the old form that is cut": encode_frame(LEGACY_HELLO[:-5]),
    "a HELLO in a frame that is too short": encode_frame(HELLO)[:-5],
    "a frame that is none": SECRET,
    "a payload that is none": encode_frame(SECRET),
    "a HELLO whose token is its type": encode_frame(LEGACY_HELLO.replace(b"\xa5HELLO", b"\xd9\x23" + SECRET)),
    "a HELLO whose token is a key": encode_frame(LEGACY_HELLO.replace(b"\xa5token", b"\xd9\x23" + SECRET)),
    "a HELLO whose token is bytes": encode_frame(
        LEGACY_HELLO.replace(b"\xd9\x23" + SECRET, b"\xc4\x23" + SECRET)
    ),
    "a HELLO whose token is in a list": encode_frame(
        LEGACY_HELLO.replace(b"\xd9\x23" + SECRET, b"\x91\xd9\x23" + SECRET)
    ),
    "a HELLO whose version is its token": encode_frame(
        LEGACY_HELLO.replace(b"\xa7version\x01", b"\xa7version\xd9\x23" + SECRET)
    ),
    "a type that is a token in bytes": encode_frame(LEGACY_HELLO.replace(b"\xa5HELLO", b"\xc4\x23" + SECRET)),
    "a HELLO whose token is no UTF-8": encode_frame(HELLO[:-1] + b"\xff"),
    "a HELLO whose token goes on": encode_frame(HELLO + SECRET),
    "a SET before HELLO": encode_frame(codec.encode(make_set("/a", CANARY))),
}

REQUESTS = {
    "the URL of a plain request": "GET /healthz?token={} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "the URL of a request for metrics": "GET /metrics?token={} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "the path": "GET /{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a header": "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n",
    "a header without a colon": "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization {}\r\n\r\n",
    "the method": "{} / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "the Host": "GET / HTTP/1.1\r\nHost: {}\r\n\r\n",
    "an upgrade": "GET /?token={0} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: {0}\r\nAuthorization: Bearer {0}\r\nCookie: t={0}\r\n\r\n",
    "an upgrade with a bad key": "GET /?token={0} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {0}\r\n\r\n",
    "the Origin": "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nOrigin: http://{0}\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
}


async def frames_heard(port, frames):
    """Everything that a peer hears who sends these frames and then says that it is there."""
    peer = await Peer.dial(port)
    heard = b""
    try:
        for frame in frames:
            await peer.say_frame(frame)
        await peer.say(Ping())
        while True:
            heard += await peer.hear_frame()
            if heard.endswith(b"\x42"):
                return heard
    except Closed as closed:
        return heard + closed.reason.encode()


async def bytes_heard(port, request):
    """Everything that comes after a request, until the router ends it or has nothing more to say."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    writer.write_eof()
    async with asyncio.timeout(PATIENCE_S):
        heard = await reader.read()
    writer.close()
    return heard


@pytest.mark.parametrize("is_valid", [True, False])
async def test_a_token_that_was_sent_is_never_heard_of_again(make_router, tmp_path, is_valid):
    """Not in answers, closes, logs at debug level, the journal, or any file of the router."""
    keys = Keys(tmp_path)
    keys.make("bird", "admin:/**", token=CANARY if is_valid else "another")
    router = await make_router("--auth", str(keys.path), "-v").start()
    opening = [FRAMES["a HELLO"]] if is_valid else []
    for name, frame in FRAMES.items():
        assert SECRET not in await frames_heard(router.port, [frame]), name
        is_value = name == "a SET before HELLO"
        if not is_value:
            assert SECRET not in await frames_heard(router.port, [*opening, frame, frame]), name
    for name, request in REQUESTS.items():
        assert SECRET not in await bytes_heard(router.port, request.format(CANARY)), name
    if is_valid:
        peer = await Peer.dial(router.port)
        await peer.say(Hello("bird", token=CANARY), make_set("/a", 1), Hello("bird", token=CANARY))
        await peer.fence()
        peer.hang_up()
    await router.stop()
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or SECRET not in path.read_bytes(), path


async def test_a_fault_of_ours_does_not_tell_the_token_either(tmp_path, monkeypatch, caplog):
    """The trace of the stack holds no value of a variable, and no message shows it when it is printed."""
    keys = Keys(tmp_path)
    caplog.set_level("DEBUG")
    config = RouterConfig(listen=Address("127.0.0.1", 0), journal="memory:", auth=str(keys.path))

    def fail(gate, token, host, now):
        raise RuntimeError(f"a fault in {gate} for {host} at {now}")

    monkeypatch.setattr(TokenGate, "admit", fail)
    async with Router(config) as router:
        for frame in (FRAMES["a HELLO"], FRAMES["a HELLO in the old form"]):
            peer = router.connect()
            peer.send(frame)
            await peer.next()
            assert all(SECRET not in answer for answer in peer.frames)
    assert "a fault in" in caplog.text
    assert CANARY not in caplog.text
    asked = Request("GET", f"/{CANARY}", CANARY)
    for message in (Hello(token=CANARY), [Hello(token=CANARY)], Set("/a", b"\x00"), asked, Plain(asked)):
        assert CANARY not in repr(message)
