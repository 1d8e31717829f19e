"""Entries to and from files of other programs: export, import."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import IO, Any

import click

from clasp_journal.acting.importing import Numbering, import_entries
from clasp_journal.acting.transfer import FORMATS, Form, export_entries
from clasp_journal.analysis.inquiry import Inquiry, pages
from clasp_journal.cli.asking import SELECTION, expected_count, inquiry_of, tell_missing
from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.facts import entries, tell_facts
from clasp_journal.cli.output.screen import results
from clasp_journal.cli.stderr import Progress, say
from clasp_journal.cli.targets import must_be_there
from clasp_journal.cli.verb import OUTPUT, Ask, verb
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.journal import Journal


@verb(
    "export",
    *SELECTION,
    click.option("-o", "--output", "form", type=click.Choice(FORMATS), default="jsonl", help="default jsonl"),
    click.option("-O", "--to", "to", metavar="FILE", help="a file that is not there yet; default: stdout"),
    click.option("--digests", is_flag=True, help="each entry with its digest, which `import` checks"),
)
async def export(ask: Ask, to: str | None, **asked: Any) -> None:
    """Write entries, whole and exact, as JSON or CSV: what `import` reads makes the same entries.

    \b
    clasp-journal export -O evening.jsonl
    clasp-journal export --author desk --digests -o json -O desk.json
    clasp-journal export '/lights/**' -S 21:00 -U 22:00 -o csv -O lights.csv
    clasp-journal export | zstd > evening.jsonl.zst
    """
    form = Form(asked.pop("form"), asked.pop("digests"), ask.shown)
    async with ask.target.journal() as journal:
        inquiry = await inquiry_of(ask, journal, asked)
        to_stdout = to is None or to == "-"
        expected = await expected_count(journal, inquiry)
        progress = Progress("exporting", expected, beside_results=to_stdout)
        if to is None or to_stdout:
            count = await _export(journal, inquiry, out := results(), form, progress)
            out.flush()
        else:
            from clasp_journal.sqlite.fresh import fresh_file

            with fresh_file(to) as unfinished, _text_file(unfinished) as file:
                count = await _export(journal, inquiry, file, form, progress)
            say(f"{entries(count)} in {to}")
        await tell_missing(journal, inquiry)


async def _export(journal: Journal, inquiry: Inquiry, file: IO[str], form: Form, progress: Progress) -> int:
    with progress:
        return await export_entries(pages(journal, inquiry), file, form, on_progress=progress.advance)


def _text_file(path: str) -> IO[str]:
    return open(path, "x", encoding="utf-8", newline="")


@verb(
    "import",
    click.argument("file", metavar="FILE"),
    click.option("--yes", is_flag=True, help="also into a journal that has entries already"),
    click.option(
        "--keep-seqs/--renumber", help="the numbers of the file, if they are free and the next; or new ones"
    ),
    *OUTPUT,
)
async def import_(ask: Ask, file: str, yes: bool, keep_seqs: bool) -> None:
    """Append the entries of an export, JSON lines, JSON or CSV: all of them, or, if one is wrong, none.

    The journal numbers them anew, behind what it has, in its own epoch; all else is as it was exported. With
    --keep-seqs they keep their numbers, or are refused if one is taken or missing. What comes last in a
    journal is its present state: so entries go into a journal that has some only with --yes.

    \b
    clasp-journal import evening.jsonl --db evening.db
    clasp-journal import second-half.jsonl --keep-seqs --yes
    """
    if ask.target.path is None:
        raise Ending(Exit.USAGE, "import writes a file, with no router running on it: name it with --db FILE")
    await asyncio.to_thread(_must_be_readable_twice, file)
    async with ask.target.fresh_or_writable() as journal:
        present = await journal.len()
        if present and not yes:
            reason = f"{ask.target.path} has {entries(present)} already; nothing was imported"
            raise Ending(Exit.REFUSED, f"{reason}: --yes appends to them")
        with Progress("importing") as progress:
            numbering = Numbering.KEEP if keep_seqs else Numbering.RENUMBER
            imported = await import_entries(journal, file, numbering=numbering, on_progress=progress.advance)
        with suppress(HistoryIncomplete):
            # Where the first entries are not there, or were forgotten, there is no state to be kept.
            await journal.snapshot_by_fold()
    numbers = imported._asdict() if imported.entries else dict.fromkeys(imported._fields)
    tell_facts(ask, {"imported": imported.entries, **numbers})


def _must_be_readable_twice(path: str) -> None:
    if path != "-":
        must_be_there(path)
    if not os.path.isfile(path):
        reason = "this is no file: import looks twice, so it reads no pipe and no directory"
        raise Ending(Exit.UNREACHABLE, f"{path}: {reason}")
