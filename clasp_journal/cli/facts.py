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
    """One record; in a table, a line for each of its keys, but for times that stand there for people, too."""
    columns = FACT_COLUMNS if ask.is_table else [Column(key) for key in facts]
    records = [{"fact": key, "value": facts[key]} for key in facts if not _is_for_programs(key, facts)]
    with ask.printer(columns) as printer:
        for record in records if ask.is_table else [facts]:
            printer.write(record)


def _is_for_programs(key: str, facts: Mapping[str, Any]) -> bool:
    return (key == "timestamp" and "time" in facts) or (key.endswith("_us") and key[:-3] in facts)


def entries(count: int) -> str:
    """So many entries, in words."""
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


@asynccontextmanager
async def read_file(ask: Ask, doing: str) -> AsyncIterator[SqliteJournal]:
    """The journal in a file, to be read, for what no router offers."""
    if ask.target.path is None:
        raise Ending(Exit.USAGE, f"{doing} reads the file, also beside a live router: name it with --db FILE")
    async with ask.target.journal() as journal:
        from clasp_journal.sqlite import SqliteJournal

        assert isinstance(journal, SqliteJournal)
        yield journal
