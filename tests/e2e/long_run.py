"""A router under mixed load for a long time, that is killed now and then, and a book of what it did.

The time is cut into stretches. In each, writers write, a follower and a reader listen, somebody replays and
somebody does not read; in the midst of it the process of the journal may be killed, and in the end the
router, or both. Laws: after each stretch the journal is held against the ledger; when everybody has left, the
router has no more descriptors than in the beginning, and nothing waits for the journal.
"""

import asyncio
import contextlib
import os
import random
import re
import signal
import time
from enum import Enum

from clasp_journal.entry import JournalEntry
from router.wire.messages import Ack, Entries, Publish, Replay, ReplayExtension, Set, Snapshot, Subscribe
from tests.e2e.ledger import Ledger
from tests.e2e.past import Past, read_past
from tests.e2e.peer import Closed, Peer
from tests.e2e.router_process import PATIENCE_S, RouterProcess, look_until, resident_bytes
from tests.e2e.writer import Writer

WRITERS = 4
STALLED_BUFFER_BYTES = 16 * 1024
REPLAYED = 200
BACKLOG = re.compile(rb"^clasp_journal_backlog_bytes (\S+)$", re.MULTILINE)


class Ending(Enum):
    """How a stretch ends."""

    QUIET = "everybody leaves"
    KILL = "the router is killed"
    KILL_ALL = "the router and the process of its journal are killed"
    STOP = "the router is told to end"


class Memory:
    """What the memory of a process does, over the longest life that it had so far."""

    def __init__(self) -> None:
        self.longest = self._life = Life(0)

    def note(self, pid: int) -> None:
        """Look at it now. Another number is another life."""
        if pid != self._life.pid:
            self._life = Life(pid)
        self._life.note()
        self.longest = max(self.longest, self._life, key=lambda life: life.minutes)

    def __str__(self) -> str:
        life = self.longest
        return f"{life.slope_kb_per_minute:+.0f} KB/min in the last half of {life.minutes:.1f} min"


class Life:
    """What the memory of one process did since it was first looked at. In the first half of that time the
    caches fill: the slope is that of the second."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._began_s = time.monotonic()
        self._samples: list[tuple[float, int]] = []

    def note(self) -> None:
        """Look at it now."""
        age_s = time.monotonic() - self._began_s
        self._samples.append((age_s / 60, resident_bytes(self.pid) // 1024))

    @property
    def minutes(self) -> float:
        """How long it is by now."""
        return self._samples[-1][0] if self._samples else 0.0

    @property
    def slope_kb_per_minute(self) -> float:
        """That of the straight line which is nearest to all samples of the second half."""
        samples = [(minute, kb) for minute, kb in self._samples if minute >= self.minutes / 2]
        if len(samples) < 2:
            return 0.0
        at = sum(minute for minute, _ in samples) / len(samples)
        mean = sum(kb for _, kb in samples) / len(samples)
        spread = sum((minute - at) ** 2 for minute, _ in samples)
        return sum((minute - at) * (kb - mean) for minute, kb in samples) / spread


class LongRun:
    """One router, and all that is done to it."""

    def __init__(self, router: RouterProcess, seed: str) -> None:
        self.router = router
        self.ledger = Ledger()
        self.stretches = self.child_kills = self.lives = 0
        self.memory, self.memory_of_child = Memory(), Memory()
        self._seed = seed
        self._epoch: str | None = None
        self._descriptors = 0

    async def begin_life(self) -> None:
        """Start the router."""
        await self.router.start()
        self.lives += 1
        self._descriptors = self.router.open_descriptors()

    async def stretch(self, ending: Ending, promises: int, *, child_dies: bool = False) -> None:
        """Load, perhaps a kill, an end; then a look into the journal, and what is left of everybody."""
        seed = f"{self._seed}, stretch {self.stretches}"
        self.stretches += 1
        position = {"after_seq": self.ledger.last_seq, "epoch": self._epoch} if self._epoch else {}
        enough, told = asyncio.Event(), list[JournalEntry]()
        writing = [asyncio.create_task(self._write(n, seed, enough)) for n in range(WRITERS)]
        bystanders = [
            asyncio.create_task(self._until_cut_off(work))
            for work in (follow(position, told), watch(), replay(seed), stall())
        ]
        async with asyncio.timeout(PATIENCE_S):
            await self.ledger.until_promised(promises // 2)
            if child_dies:
                self._kill_child()
            await self.ledger.until_promised(promises)
        await self._end(ending, enough, writing)
        for one in bystanders:
            one.cancel()
        await asyncio.gather(*bystanders, return_exceptions=True)
        for one in bystanders:
            if not one.cancelled():
                one.result()
        while Peer.connected:
            Peer.connected.pop().hang_up()
        if ending is not Ending.QUIET:
            await self.begin_life()
        await self._audit(position, told)

    async def _write(self, number: int, seed: str, enough: asyncio.Event) -> None:
        peer = await Peer.connect(self.router.port, f"writer {number}")
        await Writer(peer, number, seed, self.ledger, until_well=self.router.until_ready).write(enough)

    async def _until_cut_off(self, work) -> None:
        """Be connected and do something, until the connection ends."""
        with contextlib.suppress(Closed, ConnectionError):
            await work(self.router.port)

    def _kill_child(self) -> None:
        self.child_kills += 1
        os.kill(self.router.journal_pid(), signal.SIGKILL)

    async def _end(self, ending: Ending, enough: asyncio.Event, writing: list[asyncio.Task[None]]) -> None:
        if ending is Ending.QUIET:
            enough.set()
        elif ending is Ending.STOP:
            assert await self.router.stop() == 0
        else:
            await self.router.until_ready()
            await (self.router.kill() if ending is Ending.KILL else self.router.kill_all())
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*writing)

    async def _audit(self, position: dict[str, object], told: list[JournalEntry]) -> None:
        await self.router.until_ready()
        auditor = await Peer.connect(self.router.port, "auditor")
        past: Past = await read_past(auditor, journal_kinds=True, **position)
        assert not past.incomplete
        assert self._epoch in (None, past.epoch)
        self._epoch = past.epoch
        self.ledger.check_new(past.entries)
        assert told == past.entries[: len(told)], "what a follower was told is no longer so"
        assert auditor.params == self.ledger.params
        auditor.hang_up()
        await asyncio.to_thread(look_until, lambda: self.router.open_descriptors() <= self._descriptors)
        assert await self.backlog_bytes() == 0
        self.memory.note(self.router.pid)
        self.memory_of_child.note(self.router.journal_pid())

    async def backlog_bytes(self) -> int:
        """What waits for the journal."""
        _, metrics = await self.router.probe("/metrics")
        return int(float(BACKLOG.search(metrics)[1]))

    async def report(self, minute: float) -> str:
        """A line for whoever watches."""
        return (
            f"minute {minute:4.1f}: RSS {self.router.resident_bytes() // 1024} KB, {self.memory}; "
            f"of the child {resident_bytes(self.router.journal_pid()) // 1024} KB, {self.memory_of_child}; "
            f"{self.router.open_descriptors()} descriptors; backlog {await self.backlog_bytes()} B; "
            f"{self.ledger.last_seq} entries in {self.lives} lives, {self.child_kills} kills of the child; "
            f"{self.ledger.lost} lost"
        )


def follow(position: dict[str, object], told: list[JournalEntry]):
    """One who notes every entry that it is told."""

    async def work(port: int) -> None:
        peer = await Peer.connect(port, "follower")
        extension = ReplayExtension(1, as_entries=True, follow=True, journal_kinds=True, **position)
        await peer.say(Replay("/**", extension=extension))
        while True:
            told.extend((await peer.hear(Entries)).entries)

    return work


def watch():
    """A subscriber: of each param, revisions only rise."""

    async def work(port: int) -> None:
        peer = await Peer.connect(port, "watcher")
        await peer.say(Subscribe(1, "/load/**"))
        seen: dict[str, int] = {}
        while True:
            message = (await peer.hear_any()).message
            if isinstance(message, Set):
                assert message.revision > seen.get(message.address, 0), "a revision came late"
                seen[message.address] = message.revision
            else:
                assert isinstance(message, Snapshot | Publish), message

    return work


def replay(seed: str):
    """One who reads the past again and again: each time so many messages, then the end mark."""

    async def work(port: int) -> None:
        rng = random.Random(f"{seed}, replay")
        peer = await Peer.connect(port, "historian")
        while True:
            await peer.say(Replay(f"/load/own/{rng.randrange(WRITERS)}/*", limit=REPLAYED), qos=1)
            count = 0
            while isinstance(message := (await peer.hear_any()).message, Set | Publish):
                count += 1
            assert isinstance(message, Ack), message
            assert count <= REPLAYED

    return work


def stall():
    """One who subscribes to everything and reads nothing."""

    async def work(port: int) -> None:
        peer = await Peer.connect(port, "stalled", buffer_bytes=STALLED_BUFFER_BYTES)
        await peer.say(Subscribe(1, "/**"))
        await asyncio.Event().wait()

    return work
