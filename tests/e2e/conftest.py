"""Routers and peers for the black-box tests; what a test has started ends with it."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.peer import Peer
from tests.e2e.router_process import RouterProcess

Dial = Callable[..., Awaitable[Peer]]


@pytest.fixture
def make_router(tmp_path: Path) -> Iterator[Callable[..., RouterProcess]]:
    """Routers in the folder of the test, not started."""
    routers = []

    def make(*flags: str, folder: str = ".") -> RouterProcess:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        routers.append(RouterProcess(place, *flags))
        return routers[-1]

    yield make
    for router in routers:
        router.end()


@pytest.fixture
async def router(make_router: Callable[..., RouterProcess]) -> RouterProcess:
    """A router on a journal of its own, which a test may end and start."""
    return await make_router().start()


@pytest.fixture(scope="module")
def shared_router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RouterProcess]:
    """A router for tests that leave it as it is; each uses addresses of its own."""
    router = RouterProcess(tmp_path_factory.mktemp("router")).begin()
    yield router
    router.end()


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """No connection outlives its test."""
    yield
    while Peer.connected:
        Peer.connected.pop().hang_up()


@pytest.fixture
def dial() -> Dial:
    """Opens a session with a router."""

    async def connect(router: RouterProcess, name: str = "peer", *, buffer_bytes: int | None = None) -> Peer:
        return await Peer.connect(router.port, name, buffer_bytes=buffer_bytes)

    return connect
