"""The SQLite journal: appending, space, queries, restoring, streaming; beside plain SQL and a naive layout.

Law: whoever is compared writes and asks the same, in turns, in the same run. Queries are measured on a full
journal of a million entries (ten with --large); restoring and streaming are measured once.
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sized
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from bench.journals.filling import BATCH_ENTRIES, FILLING_ENTRIES, append_all, many_params, snapshot
from bench.journals.mirror import mirroring
from bench.journals.rivals import NaiveLayout, PlainTable
from bench.journals.scene import PATTERNS, a_show, instant_us
from bench.measure import Options, Row, Work, interleaved
from clasp_journal.entry import JournalEntry
from clasp_journal.journal import Journal
from clasp_journal.opening import open_journal

Finding = Callable[[], Sized]
"""A query that is ready to be run."""

LATEST = 100
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many entries each part of the scenario takes."""

    appended: int = 50_000
    """Per round."""
    naively_appended: int = 5_000
    """Per round; one transaction each takes its time."""
    queried: int = 1_000_000
    params: int = 100_000
    tail: int = 1_000_000
    mirrored: int = 1_000_000


SIZES = Sizes()
LARGE = Sizes(queried=10_000_000)
TINY = Sizes(appended=2_000, naively_appended=50, queried=4_000, params=200, tail=400, mirrored=3_000)


class Stage:
    """A folder and an event loop, both for one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runner = asyncio.Runner()
        self._opened: list[Journal] = []
        self.wait = self._runner.run

    def open(self, name: str) -> Journal:
        """The SQLite journal of that name, new or as it was left."""
        journal = self.wait(open_journal(f"sqlite:{self.folder / name}"))
        self._opened.append(journal)
        return journal

    def filled(self, name: str, entries: int) -> Journal:
        """A journal with so many entries of the show."""
        journal = self.open(name)
        self.wait(append_all(journal, a_show(entries), FILLING_ENTRIES))
        return journal

    def close(self) -> None:
        """Close what an error may have left open, and stop the loop."""
        for journal in self._opened:
            self.wait(journal.close())
        self._runner.close()


def run(options: Options) -> list[Row]:
    """Every part, one after the other, in files that are gone afterwards."""
    sizes = TINY if options.tiny else LARGE if options.large else SIZES
    with tempfile.TemporaryDirectory(prefix="journal-bench-") as folder:
        stage = Stage(Path(folder))
        try:
            mirror_rows = mirroring(stage, sizes.appended, sizes.mirrored, options.rounds)
            if options.mirror:
                return mirror_rows
            return [
                *appending(stage, sizes, options.rounds),
                *querying(stage, sizes, options.rounds),
                *streaming(stage),
                *restoring(stage, sizes),
                *mirror_rows,
            ]
        finally:
            stage.close()


def appending(stage: Stage, sizes: Sizes, rounds: int) -> list[Row]:
    """Rows per second in batches of a thousand; each rival writes into a file of its own."""
    entries = list(a_show(sizes.appended))
    few = entries[: sizes.naively_appended]
    stage.wait(stage.filled("template.db", sizes.appended).close())
    plain = PlainTable(stage.folder / "plain.db", stage.folder / "template.db")
    naive = NaiveLayout(stage.folder / "naive.db")
    journal = stage.open("appended.db")
    names = ("append, batches of 1,000", "plain executemany, ready tuples", "naive layout, autocommit")
    works: tuple[Work, ...] = (
        lambda: stage.wait(append_all(journal, entries)),
        lambda: plain.append(BATCH_ENTRIES),
        lambda: naive.append(few),
    )
    medians = interleaved(dict(zip(names, works, strict=True)), rounds)
    stage.wait(journal.close())
    plain.close()
    naive.close()
    written = (len(entries), len(entries), len(few))
    rates = [count / medians[name] * 1e9 for name, count in zip(names, written, strict=True)]
    notes = ("", "journal / this", "journal / this")
    return [
        Row("journal", name, rate, "rows/s", rates[0] / rate, note)
        for name, rate, note in zip(names, rates, notes, strict=True)
    ]


def _bytes_of_a_number(stage: Stage, count: int) -> Row:
    """What an entry takes when nothing but floats is written: a colour is larger, as values go."""
    journal = stage.open("numbers.db")
    stage.wait(append_all(journal, a_show(count, only_levels=True), FILLING_ENTRIES))
    stage.wait(journal.close())
    size_bytes = (stage.folder / "numbers.db").stat().st_size
    note = f"{count:,} rows, with index"
    return Row("journal", "bytes per row, all of them floats", size_bytes / count, "bytes", note=note)


def querying(stage: Stage, sizes: Sizes, rounds: int) -> list[Row]:
    """Every pattern: the latest hundred, and all of one percent of the time; beside LIKE."""
    count = sizes.queried
    stage.wait(stage.filled("queried.db", count).close())
    size_bytes = (stage.folder / "queried.db").stat().st_size
    naive = NaiveLayout(stage.folder / "liked.db")
    naive.fill(a_show(count))
    journal = stage.open("queried.db")
    span = instant_us(count * 60 // 100), instant_us(count * 61 // 100 - 1)
    rows = [
        Row("journal", "bytes per row", size_bytes / count, "bytes", note=f"{count:,} rows, with index"),
        _bytes_of_a_number(stage, count),
    ]
    for name, pattern in PATTERNS.items():
        latest = partial(naive.newest, pattern, LATEST)
        rows.append(
            compare_queries(f"latest {LATEST}: {name}", asking(stage, journal, pattern), latest, rounds)
        )
        between = partial(naive.between, pattern, *span)
        rows.append(
            compare_queries(f"1 % of time: {name}", asking(stage, journal, pattern, span), between, rounds)
        )
    stage.wait(journal.close())
    naive.close()
    return rows


def compare_queries(name: str, ours: Finding, theirs: Finding, rounds: int) -> Row:
    """One query in both layouts, after checking that both find as many entries."""
    found, also_found = len(ours()), len(theirs())
    if found != also_found:
        raise RuntimeError(f"{name}: {found} entries here, {also_found} there")
    medians = interleaved({"ours": ours, "theirs": theirs}, rounds)
    note = f"{found:,} found; LIKE takes {medians['theirs'] / 1e6:,.3g} ms"
    return Row("journal", name, medians["ours"] / 1e6, "ms", medians["theirs"] / medians["ours"], note)


def asking(stage: Stage, journal: Journal, pattern: str, span: tuple[int, int] | None = None) -> Finding:
    """A query, ready to be run: of a time range, or else of the latest."""

    async def found() -> list[JournalEntry]:
        if span:
            entries = await journal.query(pattern, *span)
        else:
            entries = await journal.query(pattern, limit=LATEST, newest=True)
        for entry in entries:
            _ = entry.value  # The naive layout decodes its JSON, too.
        return entries

    return lambda: stage.wait(found())


def streaming(stage: Stage) -> list[Row]:
    """How much a process grows while it streams the queried journal from end to end."""
    command = [sys.executable, "-m", "bench.journals.streaming", str(stage.folder / "queried.db")]
    started = perf_counter()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    elapsed_s = perf_counter() - started
    count, grown_bytes = map(int, done.stdout.split())
    return [
        Row("journal", "memory growth while streaming", grown_bytes / 1e6, "MB", note=f"{count:,} rows"),
        Row("journal", "streaming", count / elapsed_s, "rows/s", note="with the start of the process"),
    ]


def restoring(stage: Stage, sizes: Sizes) -> list[Row]:
    """From opening the file to the state in memory, with and without a tail behind the snapshot."""
    journal = stage.open("restored.db")
    stage.wait(append_all(journal, many_params(sizes.params)))
    stage.wait(snapshot(journal))
    stage.wait(journal.close())
    rows = [restored(stage, f"restore {sizes.params:,} params")]
    journal = stage.filled("restored.db", sizes.tail)
    stage.wait(journal.close())
    return [*rows, restored(stage, f"the same and a tail of {sizes.tail:,}")]


def restored(stage: Stage, name: str) -> Row:
    """The time of one restore."""
    started = perf_counter()
    journal = stage.open("restored.db")
    state = stage.wait(journal.state())
    elapsed_s = perf_counter() - started
    stage.wait(journal.close())
    return Row("journal", name, elapsed_s, "s", note=f"{len(state.live):,} live params")
