"""Entries to and from files of other programs: export, import."""

from __future__ import annotations

import os
import sys
from typing import IO, Any

import click

from clasp_journal.acting.transfer import FORMATS, export_entries, import_entries
from clasp_journal.analysis.inquiry import Inquiry, pages
from clasp_journal.cli.asking import SELECTION, expected_count, inquiry_of, tell_missing
from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.facts import tell_facts
from clasp_journal.cli.stderr import Progress, say
from clasp_journal.cli.verbs import OUTPUT, Ask, verb
from clasp_journal.journal import Journal


@verb(
    "export",
    *SELECTION,
    click.option("-o", "--output", "form", type=click.Choice(FORMATS), default="jsonl", help="default jsonl"),
    click.option("-O", "--to", "to", metavar="FILE", help="a file that is not there yet; default: stdout"),
)
async def export(ask: Ask, form: str, to: str | None, **asked: Any) -> None:
    """Write entries, whole and exact, as JSON lines or CSV: what `import` reads makes the same entries.

    \b
    clasp-journal export -O evening.jsonl
    clasp-journal export '/lights/**' -S 21:00 -U 22:00 -o csv -O lights.csv
    clasp-journal export | zstd > evening.jsonl.zst
    """
    async with ask.target.journal() as journal:
        inquiry = await inquiry_of(ask, journal, asked)
        if to is None or to == "-":
            count = await _export(ask, journal, inquiry, sys.stdout, form)
            sys.stdout.flush()
        else:
            from clasp_journal.sqlite.fresh import fresh_file

            with fresh_file(to) as unfinished, _text_file(unfinished) as file:
                count = await _export(ask, journal, inquiry, file, form)
            say(f"{count:,} entries in {to}")
        await tell_missing(journal, inquiry)


async def _export(ask: Ask, journal: Journal, inquiry: Inquiry, file: IO[str], form: str) -> int:
    expected, beside_results = await expected_count(journal, inquiry), file is sys.stdout
    with Progress("exporting", expected, beside_results=beside_results) as progress:
        return await export_entries(
            pages(journal, inquiry), file, form, format_time=ask.shown, on_progress=progress.advance
        )


def _text_file(path: str) -> IO[str]:
    return open(path, "x", encoding="utf-8", newline="")


@verb(
    "import",
    click.argument("file", metavar="FILE"),
    click.option("--yes", is_flag=True, help="also into a journal that has entries already"),
    *OUTPUT,
)
async def import_(ask: Ask, file: str, yes: bool) -> None:
    """Append the entries of an export, JSON lines or CSV: all of them, or, if one is wrong, none.

    The journal numbers them anew, behind what it has, in its own epoch; all else is as it was exported. What
    comes last in a journal is its present state: so entries go into a journal that has some only with --yes.

    \b
    clasp-journal import evening.jsonl --db evening.db
    """
    if ask.target.path is None:
        raise Ending(Exit.USAGE, "import writes a file, with no router running on it: name it with --db FILE")
    if not _is_file(file):
        raise Ending(Exit.UNREACHABLE, f"there is no file {file}")
    async with ask.target.fresh_or_writable() as journal:
        present = await journal.len()
        if present and not yes:
            reason = f"{ask.target.path} has {present:,} entries already; nothing was imported"
            raise Ending(Exit.REFUSED, f"{reason}: --yes appends to them")
        with Progress("importing") as progress:
            imported = await import_entries(journal, file, on_progress=progress.advance)
        await journal.snapshot_by_fold()
    tell_facts(ask, {"imported": imported.entries, **imported._asdict()})


def _is_file(path: str) -> bool:
    return os.path.exists(path)
