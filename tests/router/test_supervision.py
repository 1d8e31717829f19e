"""What systemd hears from the daemon, on a socket like its own."""

import asyncio
import signal
import socket

import pytest

from tests.e2e.router_process import PATIENCE_S, RouterProcess


class Listener:
    """The end of the notify socket that belongs to the supervisor."""

    def __init__(self, name):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(name)
        self._socket.settimeout(PATIENCE_S)

    async def heard(self):
        """The next message, as the fields that it sets."""
        said = await asyncio.to_thread(self._socket.recv, 4096)
        return dict(line.split("=", 1) for line in said.decode().splitlines())

    def close(self):
        """Listen no more."""
        self._socket.close()


@pytest.fixture(params=["a path", "an abstract name"])
def supervisor(request, tmp_path, monkeypatch):
    """Somebody listens as systemd does: in the file system, or in the name space of the kernel."""
    is_abstract = request.param == "an abstract name"
    path = f"clasp-{tmp_path.name}-{id(tmp_path)}" if is_abstract else str(tmp_path / "notify")
    listener = Listener("\0" + path if is_abstract else path)
    monkeypatch.setenv("NOTIFY_SOCKET", "@" + path if is_abstract else path)
    yield listener
    listener.close()


@pytest.fixture
def router(tmp_path):
    """A daemon that inherits what the test has put into the environment."""
    process = RouterProcess(tmp_path)
    yield process
    process.end()


async def test_a_supervisor_hears_when_the_router_is_ready_and_when_it_ends(supervisor, router):
    """READY comes when clients are let in, STOPPING before the last entries are written."""
    await router.start()
    ready = await supervisor.heard()
    assert ready["READY"] == "1"
    assert ready["STATUS"] == f"listening on 127.0.0.1:{router.port}"
    router.send(signal.SIGTERM)
    assert (await supervisor.heard())["STOPPING"] == "1"
    assert await router.ended() == 0


async def test_a_watchdog_gets_signs_of_life_until_the_end(supervisor, router, monkeypatch):
    """They go on by themselves, with nobody connected."""
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    await router.start()
    await supervisor.heard()
    assert [await supervisor.heard() for _ in range(5)] == [{"WATCHDOG": "1"}] * 5


async def test_a_watchdog_for_another_process_is_not_answered(supervisor, router, monkeypatch):
    """The variable may be inherited from a parent that it was meant for."""
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    await router.start()
    await supervisor.heard()
    router.send(signal.SIGTERM)
    assert "STOPPING" in await supervisor.heard()
    assert await router.ended() == 0


async def test_a_supervisor_that_went_harms_nothing(supervisor, router, monkeypatch):
    """Whoever closes its ears does not take the show down."""
    monkeypatch.setenv("WATCHDOG_USEC", "2000")
    supervisor.close()
    await router.start()
    assert (await router.probe("/readyz"))[0] == 200
