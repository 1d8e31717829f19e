"""Doors on real ports of this machine, under every event loop that the router runs on."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop

from router.core.limits import Limits
from router.transports.guard import Guard
from router.transports.tls import Certificates
from router.transports.websocket import WebSocketDoor
from tests.router.transports.recording import RawPeer, RecordingHost, Serve


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Transports differ in what they allow, so every promise is checked on both."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Open doors with limits of the test's choosing; they are closed afterwards."""
    doors = []

    async def open_door(
        *,
        door: WebSocketDoor | None = None,
        host: RecordingHost | None = None,
        guard: Guard | None = None,
        certificates: Certificates | None = None,
        listen: str = "127.0.0.1",
        **limits: float,
    ) -> tuple[RecordingHost, int]:
        door = door or WebSocketDoor(0.2, guard=guard, certificates=certificates)
        host = host or RecordingHost(Limits(**limits))
        doors.append(door)
        return host, await door.open(host, listen, 0)

    yield open_door
    for door in doors:
        await door.close()


@pytest.fixture
async def dial() -> AsyncIterator[Callable[[int], RawPeer]]:
    """Raw peers, connected or upgraded, hung up afterwards."""
    peers = []

    async def dial_port(port: int, *, upgraded: bool = False) -> RawPeer:
        peer = await (RawPeer.upgraded(port) if upgraded else RawPeer.dial(port))
        peers.append(peer)
        return peer

    yield dial_port
    for peer in peers:
        peer.hang_up()
