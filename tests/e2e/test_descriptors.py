"""A router that may open no more files and sockets: who is there stays, and who comes waits."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from clasp_journal.entry import EntryKind
from router.wire.messages import Error
from tests.e2e.conftest import Dial
from tests.e2e.past import read_past
from tests.e2e.peer import Peer, make_set
from tests.e2e.router_process import RouterProcess

LOOPS = ("uvloop", "asyncio")
ROOM = 3


@pytest.fixture(params=LOOPS)
async def crowded(request: pytest.FixtureRequest, make_router, tmp_path: Path, monkeypatch) -> RouterProcess:
    """A router that is about to run out of descriptors, on each of the loops that it may have."""
    if request.param == "asyncio":
        (tmp_path / "uvloop.py").write_text("raise ImportError('not here')\n")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return await make_router().start()


async def fill(router: RouterProcess) -> tuple[list[asyncio.Task[Peer]], asyncio.Task[Peer]]:
    """Connect until nobody is let in any more; those who came before that, and one who waits.

    The last before it may have got the last descriptor, and just not been greeted yet.
    """
    router.allow_descriptors(more=ROOM)
    came = []
    out = asyncio.create_task(router.until_logged("no connection can be accepted"))
    while not out.done():
        came.append(asyncio.create_task(Peer.connect(router.port, "early")))
        await asyncio.wait((came[-1], out), return_when=asyncio.FIRST_COMPLETED)
    await out
    return came, asyncio.create_task(Peer.connect(router.port, "newcomer"))


async def test_without_descriptors_who_comes_waits_and_who_is_there_goes_on(
    crowded: RouterProcess, dial: Dial
):
    """One line in the log, the journal keeps all; with the first free descriptor the next one is in."""
    writer = await dial(crowded, "writer")
    await writer.set("/before", 1)
    came, waiting = await fill(crowded)
    for revision in range(1, 101):
        assert (await writer.set("/meanwhile", revision, qos=1 + revision % 2)).revision == revision
    assert crowded.log.count("no connection can be accepted: Too many open files") == 1
    for early in came:
        (await early).hang_up()
    newcomer = await waiting
    assert newcomer.params.keys() == {"/before", "/meanwhile"}
    await crowded.until_logged("connections are accepted again")
    past = await read_past(newcomer)
    assert [entry.value for entry in past.entries] == [1, *range(1, 101)]
    assert "asyncio" not in crowded.log
    assert await crowded.stop() == 0


@pytest.mark.parametrize("policy", ["stop", "serve"])
async def test_a_journal_that_dies_then_comes_back_when_it_can(make_router, dial: Dial, policy: str):
    """Its process cannot be started again for want of descriptors: the policy holds, and nothing is lost."""
    router = await make_router("--on-journal-error", policy).start()
    is_applied = policy == "serve"
    writer = await dial(router, "writer")
    await writer.set("/kept", "before")
    monitor_reads, monitor_asks = await asyncio.open_connection("127.0.0.1", router.port)
    came, waiting = await fill(router)
    os.kill(router.journal_pid(), signal.SIGKILL)
    await router.until_logged("the journal's process cannot begin again")
    monitor_asks.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await monitor_reads.readline()).split()[1] == b"503"
    monitor_asks.close()
    await writer.say(make_set("/kept", "meanwhile"), qos=1)
    assert (await writer.hear(Error)).code == 500
    assert (await writer.get("/kept")).value == ("meanwhile" if is_applied else "before")
    router.allow_descriptors(more=None)
    for late in await asyncio.gather(*came, waiting):
        late.hang_up()
    await router.until_ready()
    assert (await writer.set("/kept", "after")).revision == (3 if is_applied else 2)
    past = await read_past(writer, journal_kinds=True)
    assert [entry.value for entry in past.entries if entry.kind == EntryKind.SET] == ["before", "after"]
    assert [entry.kind for entry in past.entries].count(EntryKind.GAP) == past.incomplete == is_applied
    await router.kill_all()
    await router.start()
    param = (await dial(router)).params["/kept"]
    assert (param.value, param.revision) == ("after", 3 if is_applied else 2)
