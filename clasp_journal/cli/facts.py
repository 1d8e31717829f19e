"""What a verb has done, told once: a record for programs, a list of facts for a person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.output.cells import Column
from clasp_journal.cli.verb import Ask

if TYPE_CHECKING:
    from clasp_journal.sqlite import SqliteJournal

FACT_COLUMNS = (Column("fact", "FACT", style="bold"), Column("value", "VALUE"))


def tell_facts(ask: Ask, facts: Mapping[str, Any]) -> None:
    """One record; on a terminal, a line for each of its keys."""
    columns = FACT_COLUMNS if ask.is_table else [Column(key) for key in facts]
    with ask.printer(columns) as printer:
        for record in [{"fact": key, "value": facts[key]} for key in facts] if ask.is_table else [facts]:
            printer.write(record)


@asynccontextmanager
async def read_file(ask: Ask, doing: str) -> AsyncIterator[SqliteJournal]:
    """The journal in a file, to be read, for what no router offers."""
    if ask.target.path is None:
        raise Ending(Exit.USAGE, f"{doing} reads the file, also beside a live router: name it with --db FILE")
    async with ask.target.journal() as journal:
        from clasp_journal.sqlite import SqliteJournal

        assert isinstance(journal, SqliteJournal)
        yield journal
