"""Whatever is done to a journal and its mirror, and wherever a crash cuts them, they come together again.

The model is a list. A crash keeps of each file what a killed process, or a power cut, may leave: any part of
its end may be missing.
"""

import asyncio
import random
import tempfile
from collections.abc import Coroutine
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import JournalCorrupt
from clasp_journal.mirror import parity, rebuild, verify_chain
from clasp_journal.mirror.chain import Fault
from clasp_journal.sqlite.journal import SqliteJournal
from tests.journal.mirror.stage import Files, entries_from

T = TypeVar("T")
STEPS = 20
SEGMENT_BYTES = 6_000
FAULTS = {
    "change": Fault.CHANGED,
    "drop": Fault.MISSING,
    "repeat": Fault.REPEATED,
    "swap": Fault.MISSING,
}
"""What is said of a line after what was done to it."""


class MirrorMachine(RuleBasedStateMachine):
    """Random steps on both, and on the model. Each run has an event loop and a folder of its own."""

    @initialize(rotating=st.booleans())
    def open(self, rotating: bool) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.folders = (Path(self.folder.name) / str(number) for number in count())
        self.runner = asyncio.Runner()
        self.options = {"segment_bytes": SEGMENT_BYTES} if rotating else {}
        self.files = Files(next(self.folders))
        self.files.folder.mkdir()
        self.model: list[JournalEntry] = []
        self.gone = 0
        self.ends: list[tuple[int, int]] = []
        """How long the newest file was after an append, and how many entries there were."""
        self.journal = self.run(self.files.journal(**self.options).open())

    def run(self, step: Coroutine[object, object, T]) -> T:
        """Do one step to its end."""
        return self.runner.run(step)

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.run(self.journal.close())
            self.runner.close()
            self.folder.cleanup()

    @rule(size=st.integers(0, 12), synced=st.booleans())
    def append(self, size: int, synced: bool) -> None:
        batch = entries_from(len(self.model) + 1, size)
        self.model += batch
        assert self.run(self.journal.append(batch, synced=synced)) == len(self.model)
        self.ends.append((self.files.mirror.stat().st_size, len(self.model)))

    @rule(part=st.integers(0, 10))
    def compact(self, part: int) -> None:
        before_seq = self.gone + 1 + (len(self.model) - self.gone) * part // 10
        self.run(self.journal.compact(before_seq))
        self.gone = before_seq - 1

    @rule()
    def reopen(self) -> None:
        self.run(self.journal.close())
        self.journal = self.run(self.files.journal(**self.options).open())
        self.must_agree()

    @rule(cut=st.integers(0, 10_000), wal_cut=st.integers(0, 10_000), in_both=st.booleans())
    def crash(self, cut: int, wal_cut: int, in_both: bool) -> None:
        """The end of the newest file is lost, and perhaps that of the write-ahead log."""
        copy = self.files.copied(next(self.folders))
        content = copy.mirror.read_bytes()
        kept_bytes = cut * len(content) // 10_000
        copy.mirror.write_bytes(content[:kept_bytes])
        wal = copy.folder / "show.db-wal"
        if in_both and wal.exists():
            wal.write_bytes(wal.read_bytes()[: max(32, wal_cut * wal.stat().st_size // 10_000)])
        probe = copy.copied(next(self.folders))
        in_journal = self.run(latest_of(probe.alone()))
        in_mirror = max((seq for size, seq in self.ends if size <= kept_bytes), default=0)
        self.run(self.journal.close())
        self.files = copy
        self.journal = self.run(self.files.journal(**self.options).open())
        latest = self.run(self.journal.latest_seq())
        assert latest >= max(in_journal, in_mirror)
        assert latest == len(self.model) or in_both
        del self.model[latest:]
        self.gone = self.run(self.journal.oldest_seq()) - 1
        self.must_agree()

    @precondition(lambda self: len(self.model) > self.gone)
    @rule(seed=st.integers(0, 2**32), kind=st.sampled_from(list(FAULTS)))
    def damage(self, seed: int, kind: str) -> None:
        """A line of a copy is changed, dropped, repeated or swapped: it is found, and nothing is rebuilt."""
        copy = self.files.copied(next(self.folders))
        rng, lines = random.Random(seed), copy.lines()
        if len(lines) < 3:
            return
        at = rng.randrange(1, len(lines) - 1)
        are_entries = all(line.startswith(b'{"seq":') for line in lines[at : at + 2])
        if kind == "change":
            place, changed = rng.randrange(len(lines[at]) - 1), bytearray(lines[at])
            changed[place] ^= 1 << rng.randrange(8)
            are_entries = are_entries and b"," in lines[at][:place]
            lines[at] = bytes(changed)
        elif kind == "drop":
            del lines[at]
        elif kind == "repeat":
            lines.insert(at, lines[at])
        else:
            lines[at : at + 2] = lines[at + 1], lines[at]
        copy.mirror.write_bytes(b"".join(lines))
        broken = verify_chain(copy.mirror).broken
        assert broken is not None
        assert broken.line == at + 1 + (kind == "repeat"), (kind, broken)
        # A number that was changed, or a line that is no entry, can only be told by what it seems to be.
        assert broken.fault == FAULTS[kind] or not are_entries, (kind, broken)
        with pytest.raises(JournalCorrupt):
            self.run(self.rebuilt(copy))

    @rule(cut=st.integers(0, 10_000))
    def lose_the_database(self, cut: int) -> None:
        """It ends at any byte, or is empty: set aside where it is damaged, it comes back from the mirror."""
        copy = self.files.copied(next(self.folders))
        content = copy.db.read_bytes()
        copy.db.write_bytes(content[: cut * len(content) // 10_000])
        (copy.folder / "show.db-wal").unlink(missing_ok=True)
        assert self.run(self.restored(copy)) == self.model[self.gone :]

    async def restored(self, files: Files) -> list[JournalEntry]:
        """What a journal that lost something has after it was rebuilt, but for what was removed."""
        async with SqliteJournal(files.db, on_corrupt="set_aside") as journal:
            done = await rebuild(journal, files.mirror)
            assert done.parity.is_consistent
            return await journal.since(self.gone)

    @rule()
    def rebuild_from_the_mirror_alone(self) -> None:
        assert self.run(self.rebuilt(self.files)) == self.model[self.gone :]

    async def rebuilt(self, files: Files) -> list[JournalEntry]:
        """What comes back from a mirror into an empty journal."""
        async with SqliteJournal(next(self.folders).with_suffix(".db")) as fresh:
            try:
                done = await rebuild(fresh, files.mirror)
            except JournalCorrupt:
                assert await fresh.latest_seq() == 0
                raise
            assert done.parity.is_consistent
            assert await fresh.latest_seq() == len(self.model)
            return await fresh.since(0)

    def must_agree(self) -> None:
        """Both have the model, and the chain holds."""
        assert self.run(all_of(self.journal)) == self.model[self.gone :]
        found = self.run(parity(self.journal, self.files.mirror))
        assert found.is_consistent, found
        chain = verify_chain(self.files.mirror)
        assert chain.is_intact, chain.broken
        assert chain.torn is None
        self.ends = [(self.files.mirror.stat().st_size, len(self.model))]


async def latest_of(journal: SqliteJournal) -> int:
    """The last entry of a journal that is not open."""
    async with journal:
        return await journal.latest_seq()


async def all_of(journal: SqliteJournal) -> list[JournalEntry]:
    """Its entries."""
    return await journal.since(0)


@pytest.mark.property
def test_a_mirror_and_its_journal_stay_one() -> None:
    """Some random steps at a time."""
    profile = settings.default
    assert profile is not None
    # A run has many steps, and each opens files: they are what is counted.
    run_state_machine_as_test(
        MirrorMachine,
        settings=settings(
            max_examples=max(10, profile.max_examples // STEPS),
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
