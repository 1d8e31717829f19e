"""The verbs that show what was true at an instant: state, get."""

from __future__ import annotations

from typing import Any

import click

from clasp_journal.address import Pattern
from clasp_journal.cli.asking import ADDRESS, EXCLUDED, PATTERNS, literal, seq_of, tell_thinned, time_option
from clasp_journal.cli.output.records import PARAM_COLUMNS, param_record
from clasp_journal.cli.stderr import say
from clasp_journal.cli.verb import OUTPUT, Ask, verb
from clasp_journal.travel import param_at, params_at

AT = time_option("--at", default="now", help="as it was then, like 21:03; default now")


@verb(
    "state",
    PATTERNS,
    AT,
    EXCLUDED,
    click.option("--tree", is_flag=True, help="as a tree of addresses"),
    *OUTPUT,
)
async def state(ask: Ask, patterns: tuple[str, ...], at: str, tree: bool, **asked: Any) -> None:
    """Every param as it was at an instant.

    \b
    clasp-journal state
    clasp-journal state '/lights/**' --at 'yesterday 21:03' --tree
    clasp-journal state --at mark:doors-open -o json > doors-open.json
    """
    wanted = [Pattern.parse(text) for text in patterns]
    excluded = [Pattern.parse(text) for text in asked["exclude"]]
    async with ask.target.journal() as journal:
        seq = await seq_of(ask, journal, at)
        params = await params_at(journal, seq, wanted)
        params = [param for param in params if not any(each.matches(param.address) for each in excluded)]
        if tree:
            from clasp_journal.cli.output.tree import print_tree

            print_tree(params)
        else:
            with ask.printer(PARAM_COLUMNS) as printer:
                for param in params:
                    printer.write(param_record(param, ask.shown))
        if at != "now":
            await tell_thinned(journal, seq, wanted)
    ask.finish(len(params), "nothing matched")


@verb("get", ADDRESS, AT, *OUTPUT)
async def get(ask: Ask, address: str, at: str) -> None:
    """The value of one param, now or then.

    \b
    clasp-journal get /lights/room1/brightness
    clasp-journal get /lights/room1/brightness --at '5 min ago' -o raw
    """
    pattern = literal(address)
    async with ask.target.journal() as journal:
        seq = await seq_of(ask, journal, at)
        param = await param_at(journal, seq, address)
        with ask.printer(PARAM_COLUMNS) as printer:
            if param is not None:
                printer.write(param_record(param, ask.shown))
        if at != "now":
            await tell_thinned(journal, seq, [pattern])
    if param is None:
        say(f"{address} has no value" if at == "now" else f"{address} had no value then")
    ask.finish(printer.count)
