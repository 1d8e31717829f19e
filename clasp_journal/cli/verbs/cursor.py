"""`since`: what came after a number, for scripts that remember how far they got.

Law: the cursor moves only behind what has been handed over; its file is replaced whole, so a crash leaves the
old place or the new one. A cursor into another life of the journal is refused.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

import click

from clasp_journal.analysis.inquiry import Inquiry, pages
from clasp_journal.cli.asking import tell_missing
from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.output.records import ENTRY_COLUMNS, entry_record
from clasp_journal.cli.verb import OUTPUT, Ask, verb
from clasp_journal.journal import Span

_DIGITS_MAX = 19


class Cursor(NamedTuple):
    """A place in one life of a journal."""

    seq: int
    epoch: str

    @classmethod
    def read(cls, path: str) -> Cursor | None:
        """What the file says; None if there is none yet."""
        try:
            with open(path, encoding="utf-8") as file:
                told = json.load(file)
            return cls(int(told["seq"]), str(told["epoch"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Ending(Exit.USAGE, f"{path} is no cursor file: {error}") from None

    def write(self, path: str) -> None:
        """Replace the file."""
        fresh = f"{path}.{os.getpid()}.new"
        try:
            with open(fresh, "w", encoding="utf-8") as file:
                json.dump(self._asdict(), file)
                file.write("\n")
            os.replace(fresh, path)
        except OSError as error:
            raise Ending(Exit.UNREACHABLE, f"cannot write {path}: {error.strerror}") from None


def _number(ctx: click.Context, param: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX):
        raise click.BadParameter(f"{text!r} is no number of an entry; an example: 81200", ctx, param)
    return int(text)


@verb(
    "since",
    click.argument("seq", callback=_number, required=False),
    click.option("--cursor-file", metavar="FILE", help="go on where this file says, and note how far it got"),
    *OUTPUT,
)
async def since(ask: Ask, seq: int | None, cursor_file: str | None) -> None:
    """The entries after a number, oldest first.

    \b
    clasp-journal since 81200
    clasp-journal since --cursor-file ~/.cache/show.cursor -o jsonl
    """
    cursor = Cursor.read(cursor_file) if cursor_file else None
    if cursor is None and seq is None and cursor_file is None:
        raise Ending(Exit.USAGE, "since which entry? give its number, or --cursor-file FILE")
    async with ask.target.journal() as journal:
        latest = await journal.latest_seq()
        if cursor is not None and cursor.epoch != journal.epoch:
            reason = f"{cursor_file} is from another life of this journal; remove it to begin anew"
            raise Ending(Exit.INCOMPLETE, reason)
        after = cursor.seq if cursor is not None else seq or 0
        named = seq is not None or cursor is not None
        inquiry = Inquiry(span=Span(after, latest), has_start=named)
        with ask.printer(ENTRY_COLUMNS) as printer:
            async for page in pages(journal, inquiry):
                for entry in page:
                    printer.write(entry_record(entry, ask.shown))
                printer.flush()
                if cursor_file and page:
                    Cursor(page[-1].seq, journal.epoch).write(cursor_file)
        await tell_missing(journal, inquiry)
    ask.finish(printer.count, "nothing came after that")
