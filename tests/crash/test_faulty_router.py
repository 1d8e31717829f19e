"""The disk of a router fails, or hangs, while it is in use: policy decides, and it recovers by itself.

One router lives through fault after fault, at the n-th write or sync counted anew each time, and is killed in
between. Whatever was acknowledged is there in the end, once, and nothing that was refused is.
"""

import asyncio
import errno
import random
import time
from contextlib import suppress
from pathlib import Path

import pytest

from clasp_journal.entry import EntryKind
from router.wire.messages import Ack, Error
from tests.crash.shim import HANG, Call, FaultsFrom, Shim
from tests.e2e.past import read_past
from tests.e2e.peer import Closed, Peer, make_set
from tests.e2e.router_process import LOOK_S, RouterProcess

ADDRESS, ASIDE = "/count", "/aside"
KINDS = [(Call.WRITE, errno.ENOSPC), (Call.WRITE, errno.EIO), (Call.SYNC, errno.EIO)]
BURST = 5
BURSTS_MAX = 2_000
POLICIES = ("stop", "serve")


class Show:
    """A router whose disk can be made to fail, one writer, and what the writer was told."""

    def __init__(self, folder: Path, shim: Shim, monkeypatch: pytest.MonkeyPatch, policy: str) -> None:
        home = folder / "journal"
        home.mkdir()
        self._faults = FaultsFrom(folder / "faults")
        for name, text in shim.environment(home, faults=self._faults.path).items():
            monkeypatch.setenv(name, text)
        journal = f"sqlite:{home / 'show.db'}"
        self.router = RouterProcess(folder, "--journal", journal, "--on-journal-error", policy)
        self._policy = policy
        self._peer: Peer | None = None
        self._sent = self._owed = self.acknowledged = 0
        self._told, self._refused = asyncio.Event(), asyncio.Event()
        self.blind_s: list[float] = []
        """From each fault until /readyz was seen to be false."""

    async def start(self) -> None:
        """Start the router, or start it again, and be a writer."""
        await self.router.start()
        self._peer = await Peer.connect(self.router.port, "writer")
        self._hearing = asyncio.create_task(self._hear_all(self._peer))

    async def endure(self, call: Call, error: int, first: int) -> None:
        """Write until the disk fails, see what the policy says, let it be well, and write again."""
        await self._meet(call, error, first, b"the journal cannot write: ")
        assert await self.router.probe("/healthz") == (200, b"ok\n")
        assert await self._is_applied_aside() == (self._policy == "serve")
        assert (await self.router.probe("/readyz"))[0] == 503, "a write was refused"
        await self._recover()

    async def outlast(self, call: Call) -> None:
        """The same with a disk that hangs, where nothing is refused, and what was sent gets its ACKs."""
        await self._meet(call, HANG, 1, b"the journal has not answered for ")
        sent, acknowledged = self._owed, self.acknowledged
        await self._recover()
        assert self.acknowledged == acknowledged + sent + BURST

    async def _meet(self, call: Call, error: int, first: int, reason: bytes) -> None:
        """Write until /readyz is false for this reason."""
        self._faults.arm(call, error, first)
        for _ in range(BURSTS_MAX):
            if not await self._burst(reason):
                self.blind_s.append(time.time() - self._faults.met_at_s())
                return
        pytest.fail("the fault never hit")

    async def _recover(self) -> None:
        self._faults.end()
        await self.router.until_ready()
        assert await self._burst()

    async def _burst(self, reason: bytes | None = None) -> bool:
        """Some SETs, one of which alone would be committed; False when the router is not ready, for this
        reason, before all are answered. A disk may be slow without being told to."""
        for _ in range(BURST):
            await self._set(ADDRESS)
        while self._owed:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._told.wait()
            if self._owed and reason and reason in (await self.router.probe("/readyz"))[1]:
                return False
        return True

    async def _is_applied_aside(self) -> bool:
        """Whether a SET aside is applied, for which there is an ERROR in any case."""
        self._refused.clear()
        await self._set(ASIDE)
        await self._refused.wait()
        fresh = await Peer.connect(self.router.port, "reader")
        param = fresh.params.get(ASIDE)
        fresh.hang_up()
        return param is not None and param.value == self._sent

    async def _set(self, address: str) -> None:
        assert self._peer is not None
        self._sent += 1
        self._owed += 1
        self._told.clear()
        await self._peer.say(make_set(address, self._sent), qos=2)

    async def _hear_all(self, peer: Peer) -> None:
        with suppress(Closed):
            while True:
                heard = (await peer.hear_any()).message
                if isinstance(heard, Error):
                    assert heard.code == 500, heard
                    if heard.address in (ASIDE, None):
                        self._refused.set()
                else:
                    assert isinstance(heard, Ack), heard
                    self.acknowledged += heard.address == ADDRESS
                self._owed -= 1
                if not self._owed:
                    self._told.set()

    async def check(self) -> None:
        """Kill everything, start again, and compare the journal with what was acknowledged."""
        assert self._peer is not None
        await self.router.kill_all()
        await self._hearing
        self._peer.hang_up()
        await self.start()
        reader = await Peer.connect(self.router.port, "auditor")
        past = await read_past(reader, journal_kinds=True)
        reader.hang_up()
        values = [entry.value for entry in past.entries if entry.address == ADDRESS]
        assert len(values) == self.acknowledged
        assert values == sorted(set(values))
        assert self._peer.params[ADDRESS].value == values[-1], "the last one was acknowledged"
        gaps = [entry for entry in past.entries if entry.kind == EntryKind.GAP]
        assert bool(gaps) == (self._policy == "serve")

    def end(self) -> None:
        """Let go of everything."""
        while Peer.connected:
            Peer.connected.pop().hang_up()
        self.router.end()


async def endure_all(show: Show, numbers: list[int], seed: str) -> None:
    """Fault after fault, of any kind; after every tenth, and at the end, a kill."""
    rng = random.Random(seed)
    await show.start()
    try:
        for done, first in enumerate(numbers, start=1):
            call, error = rng.choice(KINDS)
            await show.endure(call, error, first)
            if done % 10 == 0 or done == len(numbers):
                await show.check()
    finally:
        show.end()


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_router_recovers_from_a_failing_disk(shim: Shim, tmp_path: Path, monkeypatch, policy: str):
    """A few faults, each at another call."""
    numbers = random.Random(policy).sample(range(1, 200), 3)
    await endure_all(Show(tmp_path, shim, monkeypatch, policy), numbers, f"sample {policy}")


@pytest.mark.parametrize("call", [Call.WRITE, Call.SYNC], ids=str)
async def test_a_router_outlasts_a_disk_that_hangs(shim: Shim, tmp_path: Path, monkeypatch, call: Call):
    """A write or sync that does not return is no error; /readyz tells it, and every ACK comes in the end."""
    show = Show(tmp_path, shim, monkeypatch, "stop")
    await show.start()
    try:
        await show.outlast(call)
        await show.outlast(call)
        await show.check()
    finally:
        show.end()


@pytest.mark.soak
@pytest.mark.parametrize("policy", POLICIES)
async def test_a_router_recovers_from_a_disk_that_fails_anywhere(
    shim: Shim, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str], policy: str
):
    """At each of the first 500 calls, every other one under the one policy; how soon it is told is printed.

    What was measured includes the time until something was written, and that between two looks.
    """
    numbers = list(range(1 + POLICIES.index(policy), 501, 2))
    show = Show(tmp_path, shim, monkeypatch, policy)
    await endure_all(show, numbers, f"soak {policy}")
    with capsys.disabled():
        blind_ms = sorted(round(blind_s * 1_000) for blind_s in show.blind_s)
        middle_ms, longest_ms = blind_ms[len(blind_ms) // 2], blind_ms[-1]
        print(f"\n{policy}, {len(blind_ms)} faults: /readyz false after {middle_ms} ms, at most {longest_ms}")
