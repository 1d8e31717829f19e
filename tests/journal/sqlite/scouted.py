"""A program that restores the state of journals with a scout, as the journal's process does, and tells it.

python -m tests.journal.sqlite.scouted heard|dismissed PATH...
"""

import asyncio
import sys
from typing import Literal

from clasp_journal.errors import JournalError
from clasp_journal.restore import State, fold
from clasp_journal.sqlite import SqliteJournal, scout
from clasp_journal.sqlite.scout import Scout
from tests.journal.sqlite.making import facts

scout.WORTH_ENTRIES = 1


def told_of(state: State) -> tuple[object, ...]:
    """A state so that two texts of it can be compared."""
    live, *rest = facts(state)
    assert isinstance(live, dict)
    return sorted(live.items()), *rest, state.forgotten_seq


async def restored(path: str, helper: Scout, fate: str, on_corrupt: Literal["refuse", "set_aside"]) -> None:
    """Print whether the scout went ahead, and what came of it."""
    async with SqliteJournal(path, scout=helper, on_corrupt=on_corrupt) as journal:
        at_seq = await journal.latest_seq()
        base = await journal.load_snapshot()
        state = fold(base, ())
        went = helper.covers(at_seq)
        if fate == "dismissed":
            helper.dismiss()
        try:
            await journal.advance(state, base.at_seq if base else 0, at_seq)
            print((went, *told_of(state)))
        except JournalError as error:
            print((went, type(error).__name__, error.reason))
    helper.dismiss()


def main() -> None:
    """Run as a program, without threads when the scouts are forked."""
    fate, *paths = sys.argv[1:]
    for path in paths:
        asyncio.run(restored(path, Scout.fork(()), fate, "set_aside"))


if __name__ == "__main__":
    main()
