"""The disk may be full or broken at any call: no promise is broken, and afterwards all goes on.

`trouble.py` works under the shim while calls fail; here the file is then opened without the shim and compared
with what had been acknowledged.
"""

import errno
import json
import random
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from clasp_journal.sqlite.journal import SqliteJournal
from tests.crash.model import History, Model, check
from tests.crash.shim import ENDLESS, Call, Shim, run_child
from tests.crash.trouble import Case, Outcome

TYPED = {"JournalUnavailable", "JournalCorrupt"}
KINDS = [
    (Call.WRITE, errno.ENOSPC),
    (Call.WRITE, errno.EIO),
    (Call.SYNC, errno.EIO),
    (Call.SYNC, errno.ENOSPC),
]
IDS = [f"{call.name.lower()}-{errno.errorcode[error]}" for call, error in KINDS]
CREATION = range(1, 31)
"""The calls with which a file begins; the sample takes more of them."""


def cases_of(folder: Path, call: Call, error: int, numbers: list[int]) -> list[Case]:
    """One case per number, each with its own file; a fault lasts one call, a few, or until it is ended."""
    rng = random.Random(f"{call} {error}")
    cases = []
    for first in numbers:
        home = folder / f"n{first}"
        home.mkdir(parents=True)
        count, abandoned = rng.choice((1, 3, ENDLESS)), rng.random() < 0.3
        cases.append(Case(str(home / "show.db"), call, error, first, count, abandoned))
    return cases


async def endure(shim: Shim, folder: Path, cases: list[Case]) -> None:
    """Let a child go through the cases, and judge each."""
    argument = json.dumps([asdict(case) for case in cases])
    printed = run_child("tests.crash.trouble", argument, environment=shim.environment(folder))
    outcomes = [Outcome(**json.loads(line)) for line in printed.splitlines()]
    model = Model()
    for case, outcome in zip(cases, outcomes, strict=True):
        try:
            await judge(case, outcome, model)
        except Exception as error:
            error.add_note(f"in {case}\nafter {outcome.errors}")
            raise


async def judge(case: Case, outcome: Outcome, model: Model) -> None:
    """What holds after every fault."""
    assert outcome.failed_calls, "the fault never hit: this SQLite does not go through the shim"
    assert case.count < ENDLESS or outcome.errors, "a disk that fails for good went unnoticed"
    for error in outcome.errors:
        assert error["type"] in TYPED, error
        assert error["operation"], error
        assert (error["path"] or "").startswith(case.path), error
    assert outcome.same_object, "the object did not work again after the fault"
    history = History()
    for line in outcome.told:
        history.take(line)
    async with SqliteJournal(case.path) as journal:
        await journal.open()
        assert journal.epoch == history.epoch or not history.epoch
        latest = await check(
            journal, history, floor=history.acked, model=model, rng=random.Random(case.first)
        )
        assert latest == history.acked, "an append that had failed is there all the same"
        assert latest > 0 or case.abandoned
    names = {path.name for path in Path(case.path).parent.iterdir()}
    assert not [name for name in names if not name.startswith("show.db")], names


@pytest.mark.parametrize(("call", "error"), KINDS, ids=IDS)
async def test_a_failing_disk_costs_nothing_acknowledged(
    shim: Shim, tmp_path: Path, call: Call, error: int
) -> None:
    """At some calls of a life: a typed error or none, no promise that is not kept, and then it goes on."""
    rng = random.Random(f"sample {call} {error}")
    numbers = sorted({*rng.sample(CREATION, 6), *rng.sample(range(31, 201), 4)})
    await endure(shim, tmp_path, cases_of(tmp_path, call, error, numbers))


@pytest.mark.soak
@pytest.mark.parametrize(("call", "error"), KINDS, ids=IDS)
async def test_a_failing_disk_at_any_call_costs_nothing_acknowledged(
    shim: Shim, tmp_path: Path, call: Call, error: int
) -> None:
    """The same at each of the first 500 calls."""
    await endure(shim, tmp_path, cases_of(tmp_path, call, error, list(range(1, 501))))


async def test_a_batch_that_was_refused_does_not_come_back(shim: Shim, tmp_path: Path) -> None:
    """A sync fails, the batch is refused, the process dies: the pages that it left behind are no entries."""
    cases = cases_of(tmp_path, Call.SYNC, errno.EIO, list(range(18, 30)))
    await endure(shim, tmp_path, [replace(case, count=ENDLESS, abandoned=True) for case in cases])


async def test_a_failing_truncation_costs_nothing_acknowledged(shim: Shim, tmp_path: Path) -> None:
    """The same where a file cannot be made shorter or longer."""
    await endure(shim, tmp_path, cases_of(tmp_path, Call.TRUNCATE, errno.EIO, [1, 2]))
