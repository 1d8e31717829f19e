"""A reader that does not read while its rights shrink: what waits is held against those that it has then."""

import asyncio

import pytest

from router.auth.gate import TokenGate
from router.core.ground import Settings
from router.core.limits import Limits
from router.runtime.desk import Desk, DeskSettings
from router.runtime.door import Peer
from router.transports.memory import MemoryDoor, MemoryPeer
from router.wire.codec import encode
from router.wire.frame import encode_frame
from router.wire.messages import Hello, Set, Snapshot, Subscribe
from tests.router.runtime.desk_scene import a_set, settle

PATIENCE_S = 30.0
LIMITS = Limits(outbox_bytes=64 * 1024)
ROUND = 2_000
"""SETs that are more than such an outbox keeps one by one."""


@pytest.fixture
async def desk(keys):
    """A desk with tokens and without a journal."""
    desk = Desk(DeskSettings(LIMITS, Settings(has_journal=False, gate=TokenGate(keys.path, LIMITS))))
    await desk.start()
    yield desk
    await desk.stop()


async def enter(desk: Desk, token: str, *patterns: str) -> MemoryPeer:
    """A session that is greeted and has subscribed."""
    peer = MemoryDoor(desk).connect()
    peer.send(Hello(token=token))
    await peer.until(lambda message: isinstance(message, Snapshot))
    for number, pattern in enumerate(patterns):
        peer.send(Subscribe(number, pattern))
    await settle(peer)
    return peer


def review(desk: Desk) -> None:
    """What was done to the tokens takes effect."""
    desk.gate.look()
    assert desk.gate.settle(desk.clock())
    desk.heed_rights()


async def write(peer: MemoryPeer, *addresses: str, value: object) -> None:
    """More SETs than a slow reader's outbox takes, all of one value."""
    for number in range(ROUND):
        peer.send(a_set(addresses[number % len(addresses)], value))
        if number % 500 == 0:
            await settle(peer)
    await settle(peer)


@pytest.mark.parametrize("is_full_before", [True, False])
async def test_a_param_that_waits_is_not_told_to_who_may_not_read_it_any_more(desk, keys, is_full_before):
    """Its value would be one that it has got since, whether the newest values wait alone already or not."""
    owner = keys.make("owner", "admin:/**")
    reader = keys.make("reader", "read:/**")
    review(desk)
    writer, slow = await enter(desk, owner), await enter(desk, reader, "/open/**", "/shut/**")
    slow.stop_reading()
    await write(writer, "/open/x", value="before")
    writer.send(a_set("/shut/x", "before"))
    if is_full_before:
        await write(writer, "/open/x", value="before")
    keys.rescope("reader", "read:/open/**")
    review(desk)
    writer.send(a_set("/shut/x", "secret"))
    await write(writer, "/open/x", value="after")
    slow.resume()
    await settle(slow)
    told = [(message.address, message.value) for message in slow.received if isinstance(message, Set)]
    assert ("/shut/x", "secret") not in told
    assert told[-1] == ("/open/x", "after")


class Endless:
    """A pipe to somebody who takes for ever to take what was sent."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.aborted = asyncio.Event()

    def write(self, packed: bytes) -> None:
        """It is on its way."""

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Nothing is read."""

    def close(self, code: int, reason: str) -> None:
        """The close comes after all that is on its way."""
        self.calls.append(f"close {code}")

    def abort(self) -> None:
        """That is heard at once."""
        self.calls.append("abort")
        self.aborted.set()

    def traffic(self) -> tuple[int, int]:
        """Nobody counts."""
        return 0, 0


async def test_who_may_not_be_here_any_more_is_dropped_however_slow_it_is(desk, keys, monkeypatch):
    """What was sent before it may take, but not for as long as it likes."""
    monkeypatch.setattr("router.runtime.desk.GRACE_S", 0.01)
    token = keys.make("slow", "read:/**")
    review(desk)
    pipe = Endless()
    link = desk.connect(pipe, Peer("192.0.2.1:7", is_loopback=False))
    link.stamp()
    link.receive(iter((encode_frame(encode(Hello(token=token))),)))
    keys.revoke("slow")
    review(desk)
    async with asyncio.timeout(PATIENCE_S):
        await pipe.aborted.wait()
    assert pipe.calls == ["close 1008", "abort"]
    link.lost()
