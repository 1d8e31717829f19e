"""The child whose disk fails: it goes on asking, and tells what it got.

Laws: after an error it asks for the same numbers again; once the disk is well it uses the same object, and
opens the file anew only if that does not work. Anything but a `JournalError` ends it.

Run as `python -m tests.crash.trouble CASES`, preloaded with the shim; CASES is a JSON list of `Case`s. It
prints one JSON `Outcome` per case.
"""

import asyncio
import json
import os
import random
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from clasp_journal.errors import HistoryIncomplete, JournalError
from clasp_journal.sqlite.journal import SqliteJournal
from tests.crash.model import entry_at
from tests.crash.shim import Call, Faults

AFTER_FAULT = 8
"""Acts tried while, or after, the disk fails."""
ACTS_MAX = 2_000
SYNCED_SHARE = 0.5
BATCHES = (1, 1, 2, 5, 40)


@dataclass(frozen=True)
class Case:
    """Which calls fail in which file: `count` of them from the `first`-th on, counted from the creation."""

    path: str
    call: Call
    error: int
    first: int
    count: int
    abandoned: bool
    """Whether this process ends after the first error, without closing anything, the disk still failing."""


@dataclass
class Outcome:
    """What became of one case."""

    told: list[str] = field(default_factory=list)
    """The lines for a `History`."""
    errors: list[dict[str, str | None]] = field(default_factory=list)
    failed_calls: int = 0
    acts_after: int = 0
    same_object: bool = True
    """Whether the object that had failed worked again, without opening the file anew."""


class Trouble:
    """One case from the creation of the file to its orderly end."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._faults = Faults()
        self._rng = random.Random(f"{case.call} {case.first}")
        self._last = 0
        self._journal: SqliteJournal | None = None
        self.outcome = Outcome()

    async def run(self) -> Outcome:
        """Work until the fault has hit and some more, then let the disk be well and end in order."""
        case = self._case
        self._faults.arm(case.call, case.error, first=case.first, count=case.count)
        acts = 0
        while self.outcome.acts_after < AFTER_FAULT and acts < ACTS_MAX:
            if case.abandoned and self.outcome.errors:
                break
            await self._attempt(self._next_act())
            acts += 1
            self.outcome.acts_after += bool(self._faults.failed())
        self.outcome.failed_calls = self._faults.failed()
        self._faults.end()
        if not case.abandoned:
            await self._work_again()
            await self._close()
        return self.outcome

    def _next_act(self) -> Callable[[], Awaitable[None]]:
        if self._journal is None:
            return self._open
        acts = (self._append, self._snapshot, self._compact, self._close)
        return self._rng.choices(acts, (0.90, 0.05, 0.03, 0.02))[0]

    async def _attempt(self, act: Callable[[], Awaitable[None]]) -> bool:
        try:
            await act()
        except JournalError as error:
            facts = {"type": type(error).__name__, "path": error.path, "operation": error.operation}
            self.outcome.errors.append({**facts, "act": act.__name__, "text": str(error)})
            return False
        return True

    async def _work_again(self) -> None:
        if self._journal is None or not await self._attempt(self._append):
            self.outcome.same_object = self._journal is None
            if self._journal is not None:
                await self._attempt(self._close)
            await self._open()
            await self._append()
        await self._snapshot()

    def _report(self, did: str, **facts: Any) -> None:
        self.outcome.told.append(json.dumps({"did": did, **facts}))

    async def _open(self) -> None:
        journal = SqliteJournal(self._case.path)
        await journal.open()
        self._journal = journal
        self._report("opened", epoch=journal.epoch)
        latest = await journal.latest_seq()
        assert latest == self._last, f"{latest} entries after opening, not {self._last}"

    async def _append(self) -> None:
        assert self._journal is not None
        last = self._last + self._rng.choice(BATCHES)
        synced = self._rng.random() < SYNCED_SHARE
        batch = [entry_at(seq)._replace(seq=0) for seq in range(self._last + 1, last + 1)]
        returned = await self._journal.append(batch, synced=synced)
        assert returned == last, f"append returned {returned}, not {last}"
        self._last = last
        self._report("appending", last=last)
        self._report("appended", last=last, synced=synced)

    async def _snapshot(self) -> None:
        assert self._journal is not None
        state = await self._journal.state()
        assert await self._journal.snapshot(state.params()) == self._last

    async def _compact(self) -> None:
        assert self._journal is not None
        before = self._rng.randint(await self._journal.oldest_seq(), self._last + 1)
        self._report("compacting", before=before)
        try:
            await self._journal.compact(before)
        except HistoryIncomplete:
            # An earlier compaction was cut short, and this one asks for a state that lies within that one.
            return

    async def _close(self) -> None:
        assert self._journal is not None
        journal, self._journal = self._journal, None
        await journal.close()
        self._report("closed")


async def main() -> None:
    """Try every case of the command line, then end at once: what was abandoned stays as it is."""
    cases = []
    for case in json.loads(sys.argv[1]):
        trouble = Trouble(Case(**case))
        cases.append(trouble)
        try:
            outcome = await trouble.run()
        except Exception as error:
            error.add_note(f"in {case}, after {trouble.outcome}")
            traceback.print_exc()
            os._exit(1)
        print(json.dumps(asdict(outcome)), flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
