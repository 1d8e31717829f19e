"""Somebody sets the clock of the machine, while a router runs and between its runs.

A file says by how much the wall clock of the router and of its journal's process is wrong.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clasp_journal.entry import EntryKind, JournalEntry, absolute_ttl, sliding_ttl
from router.wire.messages import (
    Ack,
    Bundle,
    Entries,
    Replay,
    ReplayExtension,
    Set,
    Subscribe,
    SubscribeOptions,
    Sync,
)
from tests.crash.shim import ClockFrom, Shim
from tests.e2e.past import READER, entries_until, read_past
from tests.e2e.peer import Peer, make_set
from tests.e2e.router_process import RouterProcess

HOUR_S = 3_600
SECOND_US = 1_000_000
MOVES = 20


@pytest.fixture
def clock(tmp_path: Path) -> ClockFrom:
    """The clock of the machine."""
    return ClockFrom(tmp_path / "clock")


@pytest.fixture
def router(shim: Shim, clock: ClockFrom, tmp_path: Path, monkeypatch) -> Iterator[RouterProcess]:
    """A router that believes this clock; its sessions may be idle for no longer than the clock is set by."""
    home = tmp_path / "journal"
    home.mkdir()
    for name, text in shim.environment(home, clock=clock.path).items():
        monkeypatch.setenv(name, text)
    flags = ("--snapshot-every", "100ms", "--session-timeout", "600s")
    router = RouterProcess(tmp_path, "--journal", f"sqlite:{home / 'show.db'}", *flags)
    yield router
    while Peer.connected:
        Peer.connected.pop().hang_up()
    router.end()


async def router_time(peer: Peer) -> int:
    """What time the router thinks it is."""
    await peer.say(Sync(0))
    return (await peer.hear(Sync)).t2


async def check_searching(peer: Peer, entries: list[JournalEntry]) -> None:
    """Between any two times that entries have, those are found that are between them, and no others."""
    times = sorted({entry.timestamp for entry in entries})
    for from_us in times[:: max(1, len(times) // 6)]:
        for to_us in times[:: max(1, len(times) // 6)]:
            extension = ReplayExtension(READER, as_entries=True, journal_kinds=True)
            await peer.say(Replay("/**", from_us=from_us, to_us=to_us, extension=extension))
            found: list[JournalEntry] = []
            while not (part := await peer.hear(Entries)).caught_up:
                found += part.entries
            found += part.entries
            assert found == [entry for entry in entries if from_us <= entry.timestamp <= to_us]


@pytest.mark.parametrize("step_s", [-24 * HOUR_S, -HOUR_S, HOUR_S])
async def test_a_clock_that_is_set_while_the_router_runs(
    router: RouterProcess, clock: ClockFrom, step_s: int
):
    """Time does not go back; what is due comes about; nobody is thrown out; the state outlives a kill."""
    await router.start()
    peer, reader = await Peer.connect(router.port, "writer"), await Peer.connect(router.port, "reader")
    await peer.set("/mortal", 1, ttl=absolute_ttl(1))
    await peer.set("/used", 1, ttl=sliding_ttl(2 * 24 * HOUR_S))
    await reader.say(Subscribe(1, "/paced", options=SubscribeOptions(max_rate=20)))
    await reader.hears_nothing()
    before_us = await router_time(peer)
    await peer.say(Bundle([make_set("/later", 1)], timestamp=before_us + SECOND_US // 2), qos=1)
    clock.set(step_s)
    assert await peer.hear(Ack) == Ack(revision=1)
    for number in range(MOVES):
        assert (await peer.set("/paced", number)).revision == number + 1
    while (await reader.hear(Set)).value != MOVES - 1:
        pass
    await peer.say(
        Replay("/**", extension=ReplayExtension(2, as_entries=True, follow=True, journal_kinds=True))
    )
    (expired,) = await entries_until(peer, lambda entry: entry.kind == EntryKind.EXPIRE, 1)
    assert expired.address == "/mortal"
    auditor = await Peer.connect(router.port, "auditor")
    entries = (await read_past(auditor, journal_kinds=True)).entries
    times = [entry.timestamp for entry in entries]
    assert times == sorted(times)
    assert await router_time(reader) >= max(times)
    assert await router_time(reader) >= before_us + max(0, step_s) * SECOND_US
    await check_searching(auditor, entries)
    await router.kill_all()
    await router.start()
    again = await Peer.connect(router.port, "again")
    assert again.params == (auditor.params | again.params)
    assert again.params.keys() == {"/used", "/later", "/paced"}


async def test_what_is_due_by_a_clock_that_is_set_forward_is_so_at_once(
    router: RouterProcess, clock: ClockFrom
):
    """As after a night in which the machine slept: the next request sees it, and who waits hears of it."""
    await router.start()
    peer, reader = await Peer.connect(router.port), await Peer.connect(router.port)
    await reader.say(Subscribe(1, "/later"))
    await reader.hears_nothing()
    await peer.set("/mortal", 1, ttl=absolute_ttl(HOUR_S))
    await peer.set("/idle", 1, ttl=sliding_ttl(HOUR_S))
    due_us = await router_time(peer) + HOUR_S * SECOND_US
    await peer.say(Bundle([make_set("/later", 1)], timestamp=due_us))
    clock.set(HOUR_S // 2)
    assert await peer.get("/idle") is not None
    clock.set(HOUR_S * 5 // 4)
    assert await peer.get("/mortal") is None
    assert (await reader.hear(Set)).value == 1
    await peer.say(Bundle([make_set("/later", 2)], timestamp=due_us + HOUR_S * SECOND_US))
    assert await peer.get("/idle") is not None
    clock.set(3 * HOUR_S)
    assert (await reader.hear(Set)).value == 2
    assert await peer.get("/idle") is None


async def test_a_clock_that_is_set_between_runs(router: RouterProcess, clock: ClockFrom):
    """Times go back in the journal, and stay true; searching by time is exact, and so is the state."""
    for life, wrong_by_s in enumerate((0, -2 * HOUR_S, HOUR_S, -HOUR_S)):
        clock.set(wrong_by_s)
        await router.start()
        peer = await Peer.connect(router.port, f"life {life}")
        at_us = await router_time(peer)
        for number in range(5):
            assert (await peer.set("/count", 5 * life + number)).revision == 5 * life + number + 1
        await peer.set(f"/of/{life}", life, ttl=absolute_ttl(HOUR_S * 2))
        entries = (await read_past(peer, journal_kinds=True)).entries
        assert all(at_us <= entry.timestamp <= at_us + HOUR_S * SECOND_US // 2 for entry in entries[-6:])
        await check_searching(peer, entries)
        await (router.kill_all() if life % 2 else router.stop())
    await router.start()
    params = (await Peer.connect(router.port, "after")).params
    assert params["/count"].value == 19
    # By the clock of the third life, that of the second was three hours ago.
    assert params.keys() == {"/count", "/of/0", "/of/2", "/of/3"}
