"""The verbs that count, and the list of marks: who, top, stats, marks."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

import click

from clasp_journal.analysis.activity import By
from clasp_journal.analysis.activity import top as busiest
from clasp_journal.analysis.activity import who as authors
from clasp_journal.analysis.facts import stats as facts_of
from clasp_journal.analysis.forecast import forecast as growth_of
from clasp_journal.analysis.forecast import full_at_us
from clasp_journal.analysis.inquiry import Inquiry
from clasp_journal.analysis.marks import marks as named_instants
from clasp_journal.cli.asking import SELECTION, inquiry_of, tell_missing
from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.facts import tell_facts
from clasp_journal.cli.output.cells import Column
from clasp_journal.cli.output.records import SPAN_COLUMNS, WHO_COLUMNS, span_record
from clasp_journal.cli.stderr import Progress
from clasp_journal.cli.verb import OUTPUT, Ask, verb
from clasp_journal.journal import Journal

TOP_COLUMNS = (
    Column("address", "ADDRESS", style="bold"),
    Column("count", "COUNT", "number"),
    Column("bytes", "BYTES", "number"),
    Column("rate", "PEAK/S", "number"),
    *SPAN_COLUMNS,
)
MARK_COLUMNS = (
    Column("seq", "SEQ", "id", "dim"),
    Column("timestamp", "TIME", "time", "cyan"),
    Column("time"),
    Column("mark", "MARK", style="bold"),
    Column("message", "MESSAGE"),
    Column("author", "AUTHOR", style="blue"),
)


@verb("who", *SELECTION, *OUTPUT)
async def who(ask: Ask, **asked: Any) -> None:
    """The authors of messages, whoever wrote most first.

    \b
    clasp-journal who -S 21:00 -U 21:05
    clasp-journal who '/lights/**' -S yesterday
    """
    async with ask.target.journal() as journal:
        inquiry = await inquiry_of(ask, journal, asked)
        with Progress("counting", await _entries(journal, inquiry)) as progress:
            found = await authors(journal, inquiry, progress.advance)
        with ask.printer(WHO_COLUMNS) as printer:
            for one in found:
                counts = {"entries": one.entries, "sets": one.sets, "publishes": one.publishes}
                names = {"author": one.author, "names": list(one.names)}
                addresses = {"addresses": one.addresses}
                printer.write(names | counts | addresses | span_record(one.first_us, one.last_us, ask.shown))
        await tell_missing(journal, inquiry)
    ask.finish(len(found), "nothing matched")


@verb(
    "top",
    *SELECTION,
    click.option("--by", type=click.Choice([each.value for each in By]), default=By.COUNT.value),
    click.option("-n", "--limit", type=click.IntRange(min=1), default=10, help="how many; default 10"),
    *OUTPUT,
)
async def top(ask: Ask, by: str, limit: int, **asked: Any) -> None:
    """The busiest addresses: by messages, by bytes, or by messages in their busiest second.

    \b
    clasp-journal top
    clasp-journal top '/lights/**' --by bytes -S '1 hour ago'
    clasp-journal top --by rate -n 3 -o csv
    """
    async with ask.target.journal() as journal:
        inquiry = await inquiry_of(ask, journal, asked)
        with Progress("counting", await _entries(journal, inquiry)) as progress:
            found = (await busiest(journal, inquiry, By(by), progress.advance))[:limit]
        with ask.printer(TOP_COLUMNS) as printer:
            for one in found:
                counts = {"count": one.entries, "bytes": one.size_bytes, "rate": one.peak_per_s}
                printer.write(
                    {"address": one.address} | counts | span_record(one.first_us, one.last_us, ask.shown)
                )
        await tell_missing(journal, inquiry)
    ask.finish(len(found), "nothing matched")


@verb(
    "stats",
    click.option("--forecast", is_flag=True, help="also when the disk is full, at the rate of the last day"),
    *OUTPUT,
)
async def stats(ask: Ask, forecast: bool) -> None:
    """The extent of the journal: numbers, times, epoch, size.

    \b
    clasp-journal stats
    clasp-journal stats --forecast --db show.db
    clasp-journal stats --url ws://127.0.0.1:7330 -o json
    """
    path = ask.target.path
    if forecast and path is None:
        raise Ending(Exit.USAGE, "--forecast looks at the disk of the file: name it with --db FILE")
    async with ask.target.journal() as journal:
        record: dict[str, Any] = {"journal": path or ask.target.url, **(await facts_of(journal))._asdict()}
        for edge in ("oldest", "latest"):
            record[edge] = _shown(ask, record[f"{edge}_us"])
        if path is not None:
            record["size_bytes"] = _size_bytes(path)
            if forecast:
                record |= await _forecast(ask, journal, path)
    tell_facts(ask, record)


@verb("marks", *OUTPUT)
async def marks(ask: Ask) -> None:
    """The named instants; each can be used as a time: mark:NAME.

    \b
    clasp-journal marks
    clasp-journal state --at mark:doors-open
    """
    async with ask.target.journal() as journal:
        found = await named_instants(journal)
    with ask.printer(MARK_COLUMNS) as printer:
        for mark in found:
            when = {"seq": mark.seq, "timestamp": mark.at_us, "time": ask.shown(mark.at_us)}
            printer.write(when | {"mark": mark.name, "message": mark.message, "author": mark.author})
    ask.finish(len(found), "there are no marks yet: clasp-journal mark NAME makes one")


def _size_bytes(path: str) -> int:
    return os.path.getsize(path)


def _shown(ask: Ask, at_us: int | None) -> str | None:
    return None if at_us is None else ask.shown(at_us)


async def _forecast(ask: Ask, journal: Journal, path: str) -> dict[str, Any]:
    """What is said of the future; nulls where there is too little of the past."""
    free_bytes = shutil.disk_usage(path).free
    growth = await growth_of(journal, _size_bytes(path))
    full_us = full_at_us(growth, free_bytes, time.time_ns() // 1_000)
    return {
        "entries_per_day": None if growth is None else round(growth.entries_per_day),
        "bytes_per_day": None if growth is None else round(growth.bytes_per_day),
        "free_bytes": free_bytes,
        "full_at": _shown(ask, full_us),
    }


async def _entries(journal: Journal, inquiry: Inquiry) -> int:
    """How many entries there are to count, where that is known."""
    is_all = not inquiry.patterns and inquiry.is_plain and inquiry.from_us is None and inquiry.to_us is None
    return await journal.len() if is_all else 0
