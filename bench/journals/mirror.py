"""What a mirror costs: appending with it and without it, in turns; verifying, comparing and rebuilding."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple, Protocol, TypeVar

from bench.journals.scene import a_show
from bench.measure import Row, interleaved
from clasp_journal.entry import JournalEntry
from clasp_journal.mirror import parity, rebuild, verify_chain
from clasp_journal.sqlite import SqliteJournal

BATCH_ENTRIES = 1_000


T = TypeVar("T")


class Stage(Protocol):
    """A folder, and something that waits for coroutines."""

    folder: Path

    @property
    def wait(self) -> Wait:
        """Run a coroutine to its end."""


class Wait(Protocol):
    """What runs a coroutine to its end."""

    def __call__(self, work: Coroutine[object, object, T], /) -> T: ...


class Clocks(NamedTuple):
    """What the wall says, and how long this process was at work: on a busy machine that is less."""

    wall_s: float
    cpu_s: float

    @classmethod
    def read(cls) -> Clocks:
        """Read both clocks."""
        return cls(perf_counter(), process_time())

    def until_now(self) -> Clocks:
        """How much has passed on both since they were read."""
        return Clocks(perf_counter() - self.wall_s, process_time() - self.cpu_s)

    def at_work(self, count: int) -> str:
        """The rate per second at work, as a note."""
        return f"{count / self.cpu_s:,.0f}/s of the {self.cpu_s:.3g} s at work"


async def _append(journal: SqliteJournal, entries: list[JournalEntry], *, synced: bool) -> None:
    for first in range(0, len(entries), BATCH_ENTRIES):
        await journal.append(entries[first : first + BATCH_ENTRIES], synced=synced)


def mirroring(stage: Stage, appended: int, compared: int, rounds: int) -> list[Row]:
    """All rows; `compared` entries are verified, compared and rebuilt, each once."""
    return [*_appending(stage, appended, rounds), *_looking_back(stage, compared)]


def _appending(stage: Stage, count: int, rounds: int) -> list[Row]:
    """Microseconds per entry, in batches; what asks for the disk is measured beside what does not."""
    entries = list(a_show(count))
    alone = SqliteJournal(stage.folder / "alone.db")
    mirrored = SqliteJournal(stage.folder / "mirrored.db", mirror=stage.folder / "mirrored.jsonl")
    works = {
        (name, synced): lambda journal=journal, synced=synced: stage.wait(
            _append(journal, entries, synced=synced)
        )
        for synced in (False, True)
        for name, journal in (("alone", alone), ("mirrored", mirrored))
    }
    medians = interleaved({f"{name} {synced}": work for (name, synced), work in works.items()}, rounds)
    for journal in (alone, mirrored):
        stage.wait(journal.close())
    plain_us, lines_us, plain_synced_us, lines_synced_us = (
        medians[f"{name} {synced}"] / count / 1e3 for name, synced in works
    )
    fsync_us = max(0.0, (lines_synced_us - lines_us) - (plain_synced_us - plain_us))
    per_batch = f"{fsync_us * BATCH_ENTRIES / 1e3:.3g} ms per batch"
    share = f"{fsync_us / lines_synced_us:.0%} of an append at QoS 2; {per_batch}"
    return [
        Row("journal", "append alone", plain_us, "us/entry", 1.0, "batches of 1,000; committed (QoS 1)"),
        Row(
            "journal", "append with a mirror", lines_us, "us/entry", lines_us / plain_us, "no fsync in either"
        ),
        Row("journal", "append alone, synced", plain_synced_us, "us/entry", 1.0, "QoS 2"),
        Row(
            "journal",
            "append with a mirror, synced",
            lines_synced_us,
            "us/entry",
            lines_synced_us / plain_synced_us,
            "QoS 2",
        ),
        Row("journal", "the mirror's fsync", fsync_us, "us/entry", note=share),
    ]


def _looking_back(stage: Stage, count: int) -> list[Row]:
    db, mirror, fresh = (stage.folder / name for name in ("kept.db", "kept.jsonl", "rebuilt.db"))
    stage.wait(_fill(db, mirror, count))
    size_bytes = mirror.stat().st_size
    started = Clocks.read()
    chain = verify_chain(mirror)
    verifying = started.until_now()
    comparing, rebuilding = stage.wait(_compare_and_rebuild(db, mirror, fresh))
    if not chain.is_intact or chain.entries != count:
        raise RuntimeError(f"the mirror is broken: {chain}")
    rebuilt = f"into an empty file, without its parity; {rebuilding.at_work(count)}"
    return [
        Row("journal", "bytes per line of the mirror", size_bytes / count, "bytes"),
        Row(
            "journal",
            "verify the chain",
            count / verifying.wall_s,
            "entries/s",
            note=f"{count:,} in {verifying.wall_s:.3g} s; {verifying.at_work(count)}",
        ),
        Row(
            "journal",
            "parity",
            comparing.wall_s,
            "s",
            note=f"{count:,} entries; {comparing.at_work(count)}",
        ),
        Row("journal", "rebuild", count / rebuilding.wall_s, "entries/s", note=rebuilt),
    ]


async def _fill(db: Path, mirror: Path, count: int) -> None:
    async with SqliteJournal(db, mirror=mirror) as journal:
        for first in range(0, count, BATCH_ENTRIES):
            await journal.append(list(a_show(min(BATCH_ENTRIES, count - first), first)))


async def _compare_and_rebuild(db: Path, mirror: Path, fresh: Path) -> tuple[Clocks, Clocks]:
    """What the one and the other took."""
    async with SqliteJournal(db, read_only=True) as journal:
        started = Clocks.read()
        found = await parity(journal, mirror)
        comparing = started.until_now()
    async with SqliteJournal(fresh) as journal:
        started = Clocks.read()
        done = await rebuild(journal, mirror)
        both = started.until_now()
    if not (found.is_consistent and done.parity.is_consistent):
        raise RuntimeError("the sides differ")
    return comparing, Clocks(both.wall_s - comparing.wall_s, both.cpu_s - comparing.cpu_s)
