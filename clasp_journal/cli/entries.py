"""Reading entries: `query`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import click

from clasp_journal.analysis.inquiry import Inquiry, backwards, newest, pages
from clasp_journal.cli.asking import SELECTION, inquiry_of
from clasp_journal.cli.records import ENTRY_COLUMNS, entry_record
from clasp_journal.cli.verbs import OUTPUT, Ask, Option, verb
from clasp_journal.entry import JournalEntry
from clasp_journal.journal import Journal

DEFAULT_COUNT = 100


def limit_option(default: int) -> Option:
    """The option that says how many entries are wanted."""
    shown = f"how many, or all; default {default}"
    return click.option("-n", "--limit", callback=_count, default=str(default), metavar="N", help=shown)


def _count(ctx: click.Context, param: click.Parameter, value: str) -> int | None:
    """A number of entries; None for all."""
    if value == "all":
        return None
    if not (value.isascii() and value.isdecimal()):
        raise click.BadParameter(f"{value!r} is no number of entries; examples: 20, all", ctx, param)
    return int(value)


@verb(
    "query",
    *SELECTION,
    limit_option(DEFAULT_COUNT),
    click.option("-r", "--reverse", is_flag=True, help="newest first"),
    *OUTPUT,
)
async def query(ask: Ask, limit: int | None, reverse: bool, **asked: Any) -> None:
    """The newest entries that match, oldest first.

    \b
    clasp-journal query
    clasp-journal query '/lights/**' -S 21:00 -U 21:05 --where 'value > 0.9'
    clasp-journal query -n all --changed -x '/meters/**' -o csv > evening.csv
    clasp-journal query --format '%t %a %v %w' --author desk
    """
    async with ask.target.journal() as journal:
        inquiry = await inquiry_of(ask, journal, asked)
        with ask.printer(ENTRY_COLUMNS) as printer:
            async for page in _asked_pages(journal, inquiry, limit, reverse=reverse):
                for entry in page:
                    printer.write(entry_record(entry, ask.shown))
                printer.flush()
    ask.finish(printer.count)


async def _asked_pages(
    journal: Journal, inquiry: Inquiry, limit: int | None, *, reverse: bool
) -> AsyncIterator[list[JournalEntry]]:
    if limit is not None:
        found = await newest(journal, inquiry, limit)
        yield found[::-1] if reverse else found
        return
    async for page in backwards(journal, inquiry) if reverse else pages(journal, inquiry):
        yield page
