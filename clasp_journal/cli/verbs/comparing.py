"""What became different between two instants: diff."""

from __future__ import annotations

from typing import Any

import click

from clasp_journal.address import Pattern
from clasp_journal.analysis.thinnings import thinned_at
from clasp_journal.cli.asking import EXCLUDED, complete_addresses, complete_times, seq_of, tell_incomplete
from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.output.cells import Column
from clasp_journal.cli.verb import OUTPUT, Ask, verb
from clasp_journal.jsonl import json_of
from clasp_journal.restore import Change
from clasp_journal.restore import diff as changes_between

DIFF_COLUMNS = (
    Column("address", "ADDRESS", style="bold"),
    Column("change", "CHANGE", style="dim"),
    Column("before", "BEFORE", "json", style="red"),
    Column("after", "AFTER", "json", style="green"),
    Column("timestamp", "TIME", "time", "cyan"),
    Column("time"),
    Column("author", "AUTHOR", style="blue"),
)


def _rest(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    complete = complete_addresses if incomplete.startswith("/") else complete_times
    return complete(ctx, param, incomplete)


@verb(
    "diff",
    click.argument("begin", metavar="TIME", shell_complete=complete_times),
    click.argument("rest", nargs=-1, metavar="[TIME|now] [PATTERN]...", shell_complete=_rest),
    EXCLUDED,
    click.option("--exit-code", is_flag=True, help="exit with 1 when something differs"),
    *OUTPUT,
)
async def diff(
    ask: Ask, begin: str, rest: tuple[str, ...], exclude: tuple[str, ...], exit_code: bool
) -> None:
    """What changed between two instants: params that are new, gone, or have another value.

    \b
    clasp-journal diff 21:00
    clasp-journal diff 21:00 21:05 '/lights/**'
    clasp-journal diff mark:doors-open now -o json
    clasp-journal diff '1 hour ago' --exit-code && echo all as it was
    """
    end, *patterns = rest if rest and not rest[0].startswith("/") else ("now", *rest)
    wanted, excluded = list(map(Pattern.parse, patterns)), list(map(Pattern.parse, exclude))
    async with ask.target.journal() as journal:
        seqs = [await seq_of(ask, journal, time) for time in (begin, end)]
        before, after = [await journal.state(seq) for seq in seqs]
        thinned = [words for seq in seqs for words in await thinned_at(journal, seq, wanted)]
    found = [
        change
        for change in changes_between(before, after)
        if not wanted or any(pattern.matches(change.address) for pattern in wanted)
        if not any(pattern.matches(change.address) for pattern in excluded)
    ]
    with ask.printer(DIFF_COLUMNS) as printer:
        for change in found:
            printer.write(_record(ask, change))
    tell_incomplete(thinned)
    if found and exit_code:
        raise Ending(Exit.NOTHING)
    ask.finish(len(found), "nothing differs")


def _record(ask: Ask, change: Change) -> dict[str, Any]:
    """A change; `timestamp` and `author` are those of the value it led to, where there is one."""
    before, after = change.before, change.after
    record: dict[str, Any] = {
        "address": change.address,
        "change": "new" if before is None else "gone" if after is None else "changed",
    }
    if before is not None:
        record["before"] = json_of(before.value)
    if after is not None:
        written = {"timestamp": after.timestamp, "time": ask.shown(after.timestamp), "author": after.writer}
        record |= {"after": json_of(after.value)} | written
    return record
