"""Messages that are acknowledged once they are kept: our journal, brokers with persistence, and bare SQLite.

At QoS 1 our ACK survives `kill -9` of everything, at QoS 2 the loss of power. The others acknowledge before
their fsync, mosquitto before anything is written. There are no readers. Everybody may use the server's core
and the journal's; bare SQLite writes ready rows into the same table on the journal's core, 1,000 at a time.
"""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from bench.arena import Arena
from bench.contest import Case, contest
from bench.journals.rivals import PlainTable
from bench.journals.scene import a_show
from bench.load.form import Load
from bench.measure import Options, Row
from clasp_journal.opening import open_journal

SCENARIO = "persisted"
BARE = "bare SQLite executemany"
BATCH_ENTRIES = 1_000
WINDOW = 10_000
FORMS = {
    "SET QoS 1": "clasp set",
    "SET QoS 2": "clasp set, fsync",
    "PUBLISH QoS 2": "clasp publish, fsync",
}


def run(options: Options) -> list[Row]:
    """Each form beside everybody, in short rounds; then SET QoS 1 for half a minute."""
    seconds, sustained_s, entries = (0.05, 0.1, 2_000) if options.tiny else (0.7, 30.0, 100_000)
    load = Load("", readers=0, window=WINDOW, seconds=seconds)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Arena(options) as arena:
        bare = BareTable(Path(folder), entries)
        routers, peers = arena.routers("sqlite"), arena.keeping_peers()
        rows: list[Row] = []
        for name, speech in FORMS.items():
            case = Case(name, replace(load, speech=speech), "acknowledged")
            # What the others have is the like of the first form only.
            rows += contest(arena, SCENARIO, case, [*routers, *peers], {BARE: bare.rows_per_s})
            peers = []
        arena.options = replace(options, rounds=1)
        long_load = replace(load, speech="clasp set", seconds=sustained_s)
        case = Case("SET QoS 1, sustained", long_load, "acknowledged")
        rows += contest(arena, SCENARIO, case, routers, {BARE: bare.rows_per_s})
        bare.close()
    return rows


class BareTable:
    """The journal's table without a journal."""

    def __init__(self, folder: Path, entries: int) -> None:
        asyncio.run(_write_template(folder / "template.db", entries))
        self._table = PlainTable(folder / "plain.db", folder / "template.db")
        self._entries = entries

    def rows_per_s(self) -> float:
        """How fast all rows are written."""
        begin = perf_counter()
        self._table.append(BATCH_ENTRIES)
        return self._entries / (perf_counter() - begin)

    def close(self) -> None:
        """Release the file."""
        self._table.close()


async def _write_template(path: Path, entries: int) -> None:
    async with await open_journal(f"sqlite:{path}") as journal:
        await journal.append(list(a_show(entries)))
