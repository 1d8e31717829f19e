"""The verbs that show entries: query, tail, since, around, history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import click

from clasp_journal.analysis.following import follow
from clasp_journal.analysis.inquiry import Inquiry, backwards, newest, newest_pages, pages
from clasp_journal.analysis.thinnings import without_blanks
from clasp_journal.cli.asking import (
    ADDRESS,
    NARROWING,
    PATTERNS,
    SELECTION,
    WITHIN,
    complete_times,
    expected_count,
    inquiry_of,
    instant_of,
    literal,
    tell_missing,
)
from clasp_journal.cli.grammar.spans import format_span, parse_span
from clasp_journal.cli.output.printer import Printer
from clasp_journal.cli.output.records import ENTRY_COLUMNS, HISTORY_COLUMNS, entry_record
from clasp_journal.cli.stderr import Progress
from clasp_journal.cli.verb import OUTPUT, Ask, Option, verb
from clasp_journal.entry import JournalEntry
from clasp_journal.journal import Journal, Span

_DIGITS_MAX = 18


def limit_option(default: str) -> Option:
    """The option that says how many entries are wanted."""
    shown = f"how many, or all; default {default}"
    return click.option("-n", "--limit", callback=_count, default=default, metavar="N", help=shown)


def _count(ctx: click.Context, param: click.Parameter, value: str) -> int | None:
    """A number of entries; None for all."""
    if value == "all":
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= _DIGITS_MAX):
        raise click.BadParameter(f"{value!r} is no number of entries; examples: 20, all", ctx, param)
    return int(value)


@verb(
    "query",
    *SELECTION,
    limit_option("100"),
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
        expected = await expected_count(journal, inquiry) if limit is None else limit
        with (
            Progress("reading", expected, beside_results=True) as progress,
            ask.printer(ENTRY_COLUMNS) as printer,
        ):
            async for page in _asked_pages(journal, inquiry, limit, reverse=reverse):
                await show(ask, printer, page)
                progress.advance(len(page))
        await tell_missing(journal, inquiry, satisfied=printer.count == limit)
    ask.finish(printer.count, "nothing matched")


@verb("tail", PATTERNS, *NARROWING, limit_option("10"), *OUTPUT)
async def tail(ask: Ask, limit: int | None, **asked: Any) -> None:
    """The newest entries, and then each one as it is written, until Ctrl-C.

    A router has to be there when it begins, else it ends with 3; one that goes later is waited for, and what
    it recorded meanwhile comes first.

    \b
    clasp-journal tail
    clasp-journal tail '/lights/**' --changed
    clasp-journal tail --url ws://127.0.0.1:7330 -n 0 -o jsonl | jq .value
    """
    async with ask.target.journal(lasting=True) as journal:
        inquiry = await inquiry_of(ask, journal, asked)
        latest = await journal.latest_seq()
        past = replace(inquiry, span=Span(0, latest))
        with ask.printer(ENTRY_COLUMNS) as printer:
            async for page in _asked_pages(journal, past, limit):
                await show(ask, printer, page)
            async for entry in follow(journal, inquiry, latest):
                await show(ask, printer, [entry])


@verb(
    "around",
    click.argument("time", shell_complete=complete_times),
    PATTERNS,
    click.option("--span", default="30s", metavar="SPAN", help="how far to both sides; default 30s"),
    *NARROWING,
    *OUTPUT,
)
async def around(ask: Ask, time: str, span: str, **asked: Any) -> None:
    """What happened around a time.

    \b
    clasp-journal around 21:03
    clasp-journal around 'yesterday 21:03:17' '/lights/**' --span 5s
    clasp-journal around mark:doors-open --span 2m --changed
    """
    async with ask.target.journal() as journal:
        middle_us, span_us = await instant_of(ask, journal, time), parse_span(span)
        inquiry = await inquiry_of(ask, journal, asked)
        inquiry = replace(inquiry, from_us=middle_us - span_us, to_us=middle_us + span_us)
        is_before = True
        with ask.printer(ENTRY_COLUMNS) as printer:
            async for page in pages(journal, await without_blanks(journal, inquiry)):
                earlier = [entry for entry in page if is_before and entry.timestamp < middle_us]
                await show(ask, printer, earlier)
                if is_before and len(earlier) < len(page):
                    is_before = False
                    printer.rule(f"{ask.shown(middle_us)} ± {format_span(span_us)}")
                await show(ask, printer, page[len(earlier) :])
        await tell_missing(journal, inquiry)
    ask.finish(printer.count, "nothing matched")


@verb("history", ADDRESS, *WITHIN, limit_option("100"), *OUTPUT)
async def history(ask: Ask, address: str, limit: int | None, **asked: Any) -> None:
    """The course of one address; on a terminal with a curve of its numbers.

    \b
    clasp-journal history /lights/room1/brightness
    clasp-journal history /lights/room1/brightness -S 'yesterday 20:00' -n all -o csv
    """
    async with ask.target.journal() as journal:
        inquiry = await inquiry_of(ask, journal, asked)
        inquiry = replace(inquiry, patterns=(literal(address),))
        points: list[tuple[int, float]] = []
        with ask.printer(HISTORY_COLUMNS) as printer:
            async for page in _asked_pages(journal, inquiry, limit):
                await show(ask, printer, page)
                if ask.is_table:
                    points += numbers(page)
            if len(points) > 1:
                from clasp_journal.cli.output.sparkline import caption

                printer.rule(caption(points))
        await tell_missing(journal, inquiry, satisfied=printer.count == limit)
    ask.finish(printer.count, "nothing matched")


async def show(ask: Ask, printer: Printer, entries: list[JournalEntry]) -> None:
    """Write entries, and hand them over."""
    for entry in entries:
        printer.write(entry_record(entry, ask.shown))
    printer.flush()


def numbers(entries: list[JournalEntry]) -> list[tuple[int, float]]:
    """The times and values of those entries whose value is a number."""
    values = ((entry.timestamp, entry.value) for entry in entries if entry.encoded is not None)
    return [
        (at_us, float(value))
        for at_us, value in values
        if isinstance(value, int | float) and value == value  # NaN is not on any curve
    ]


async def _asked_pages(
    journal: Journal, inquiry: Inquiry, limit: int | None, *, reverse: bool = False
) -> AsyncIterator[list[JournalEntry]]:
    inquiry = await without_blanks(journal, inquiry)
    if limit is not None and reverse:
        yield (await newest(journal, inquiry, limit))[::-1]
        return
    if limit is not None:
        async for page in newest_pages(journal, inquiry, limit):
            yield page
        return
    async for page in backwards(journal, inquiry) if reverse else pages(journal, inquiry):
        yield page
