"""What every verb has: a target, a clock, a way to show results, and an end.

    @verb("marks", *OUTPUT)
    async def marks(ask: Ask) -> None:
        '''The named instants.

        \\b
        clasp-journal marks -o json
        '''
        async with ask.target.journal() as journal, ask.printer(MARK_COLUMNS) as printer:
            for mark in await list_marks(journal):
                printer.write(...)

The options of the verb arrive as keywords; those of `GENERAL` and `OUTPUT` are taken by `Ask`. A verb that
ends otherwise than well raises `Ending`.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import click

from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.grammar.times import Moment, format_time, parse_time
from clasp_journal.cli.grammar.zones import LOCAL_ZONE, UTC_ZONE, Zone
from clasp_journal.cli.interrupts import let_work_be_interrupted
from clasp_journal.cli.output.cells import Column
from clasp_journal.cli.output.formats import FORMATS, Style, open_printer
from clasp_journal.cli.output.printer import Printer
from clasp_journal.cli.securing import TlsFiles
from clasp_journal.cli.stderr import say
from clasp_journal.cli.targets import Target, choose_target
from clasp_journal.command_line import Strict

Body: TypeAlias = Callable[..., Awaitable[None]]
Option: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

KEY: Option = click.option(
    "--key", "tls_key", metavar="FILE", help="its key, if it is not in the same file (or $CLASP_KEY)"
)
GENERAL: tuple[Option, ...] = (
    click.option("--db", metavar="FILE", help="the journal in this file"),
    click.option(
        "--url", metavar="URL", help="the live router at ws://HOST:PORT; $CLASP_TOKEN for one with tokens"
    ),
    click.option("--ca", metavar="FILE", help="trust this authority, in PEM, for wss:// (or $CLASP_CA)"),
    click.option(
        "--cert", metavar="FILE", help="show this certificate, in PEM, to the router (or $CLASP_CERT)"
    ),
    KEY,
    click.option("--utc", is_flag=True, help="times in UTC, not in the zone of this machine"),
    click.option("--tz", metavar="ZONE", help="times in this zone, like Europe/Vienna"),
    click.option("-q", "--quiet", is_flag=True, help="do not say which journal it is"),
)
OUTPUT: tuple[Option, ...] = (
    click.option("-o", "--output", type=click.Choice(FORMATS), help="table on a terminal, else jsonl"),
    click.option("--format", "template", metavar="TEXT", help="one line each, like '%t %a %v %w %s'"),
    click.option("--exit-empty", is_flag=True, help="exit with 1 when nothing matched"),
)
YES: Option = click.option("--yes", is_flag=True, help="do it; without, only show what would be done")


class Ask:
    """One call of the tool."""

    def __init__(self, given: dict[str, Any]) -> None:
        """Take the general options out of what was given."""
        tls = TlsFiles(given.pop("ca"), given.pop("cert"), given.pop("tls_key", None))
        self.target: Target = choose_target(
            given.pop("db"), given.pop("url"), os.environ, quiet=given.pop("quiet"), tls=tls
        )
        self.zone = _zone(utc=given.pop("utc"), name=given.pop("tz"))
        self.now_us = time.time_ns() // 1_000
        self._style = Style(given.pop("output", None), given.pop("template", None))
        self._exit_empty: bool = given.pop("exit_empty", False)

    @property
    def is_table(self) -> bool:
        """Whether a person reads it, so that rich things are welcome."""
        return self._style.chosen == "table"

    def time(self, text: str) -> Moment:
        """What a text means as a time, now and here."""
        return parse_time(text, self.now_us, self.zone)

    def shown(self, at_us: int) -> str:
        """An instant as it stands in results."""
        return format_time(at_us, self.zone)

    def printer(self, columns: Sequence[Column]) -> Printer:
        """Where results go; `columns` is what a table shows of them."""
        return open_printer(self._style, columns, now_us=self.now_us, zone=self.zone)

    def finish(self, count: int, nothing: str = "") -> None:
        """If there were no results, tell a person so, and end with 1 if that was asked for."""
        if count:
            return
        if nothing and self.is_table and sys.stdout.isatty() and not self.target.quiet:
            say(nothing)
        if self._exit_empty:
            raise Ending(Exit.NOTHING)


def verb(name: str, *options: Option, general: Sequence[Option] = GENERAL) -> Callable[[Body], click.Command]:
    """Make a command of a coroutine; `options` are its own, before those that all verbs have."""

    def decorate(body: Body) -> click.Command:
        @functools.wraps(body)
        def run(**given: Any) -> None:
            let_work_be_interrupted()
            try:
                asyncio.run(_awaited(body(Ask(given), **given)))
            except BrokenPipeError:
                # Whoever read the results has enough.
                raise Ending(Exit.OK) from None
            except KeyboardInterrupt:
                raise Ending(Exit.INTERRUPTED) from None

        command: Callable[..., Any] = run
        for option in reversed((*options, *general)):
            command = option(command)
        settings = {"help_option_names": ["-h", "--help"]}
        return click.command(name, cls=Strict, context_settings=settings)(command)

    return decorate


async def _awaited(body: Awaitable[None]) -> None:
    await body


def _zone(*, utc: bool, name: str | None) -> Zone:
    if utc and name is not None:
        raise Ending(Exit.USAGE, "--utc and --tz name two zones: give one of them")
    if name is not None:
        return Zone.named(name)
    return UTC_ZONE if utc else LOCAL_ZONE
