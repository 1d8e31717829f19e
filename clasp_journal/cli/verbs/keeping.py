"""Copies of the file, and less of it: backup, restore, compact."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from clasp_journal.cli.asking import located, seq_of, time_option
from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.facts import entries, read_file, tell_facts
from clasp_journal.cli.grammar.spans import parse_span
from clasp_journal.cli.grammar.times import Instant
from clasp_journal.cli.stderr import Progress
from clasp_journal.cli.verb import OUTPUT, YES, Ask, verb
from clasp_journal.journal import Journal
from clasp_journal.travel import first_from

if TYPE_CHECKING:
    from clasp_journal.sqlite.upkeep.copying import Copied

COMPACT_TIMEOUT_S = 3_600.0
_SEQ_DIGITS_MAX = 12
"""More digits are a time."""


@verb("backup", click.argument("file", metavar="FILE"), *OUTPUT)
async def backup(ask: Ask, file: str) -> None:
    """Copy the journal into a fresh file, also beside a live router, which is not held up.

    The copy holds what was committed when it began, and appears when it is whole. A router that is started
    on it begins a new epoch.

    \b
    clasp-journal backup /mnt/stick/evening.db
    clasp-journal backup "backup-$(date +%F).db" --db /var/lib/clasp/show.db
    """
    async with read_file(ask, "backup") as journal:
        with Progress("copying", await journal.len()) as progress:
            copied = await journal.backup(file, on_progress=_far(progress))
    _tell_copy(ask, file, copied)


@verb(
    "restore",
    time_option("--at", required=True, help="the instant"),
    click.option("--to", "to", required=True, metavar="FILE", help="a file that is not there yet"),
    *OUTPUT,
)
async def restore(ask: Ask, at: str, to: str) -> None:
    """Write the journal as it was at an instant into a fresh file: its entries up to then, and its state.

    The file is a journal of its own, in an epoch of its own; a router can be started on it.

    \b
    clasp-journal restore --at 'yesterday 21:03' --to before-the-accident.db
    clasp-journal restore --at seq:81200 --to half.db --db show.db
    """
    async with read_file(ask, "restore") as journal:
        seq = await seq_of(ask, journal, at)
        with Progress("copying", seq) as progress:
            copied = await journal.restore(to, seq, on_progress=_far(progress))
    _tell_copy(ask, to, copied)


def _far(progress: Progress) -> Callable[[int, int], None]:
    return lambda done, total: progress.advance(max(0, done - progress.done))


def _tell_copy(ask: Ask, file: str, copied: Copied) -> None:
    facts: dict[str, Any] = {"file": file, "entries": copied.latest_seq - copied.oldest_seq + 1}
    tell_facts(ask, facts | copied._asdict())


@verb(
    "compact",
    time_option("--before", metavar="TIME|SEQ", help="remove what is older"),
    click.option("--keep", metavar="SPAN", help="remove what is older than this, like 30d"),
    YES,
    *OUTPUT,
)
async def compact(ask: Ask, before: str | None, keep: str | None, yes: bool) -> None:
    """Remove the oldest entries. The state at any instant that remains can still be told.

    Without --yes it says what would go, and exits with 7.

    \b
    clasp-journal compact --keep 30d
    clasp-journal compact --before 81200 --yes
    clasp-journal compact --before 'yesterday 18:00' --yes --url ws://127.0.0.1:7330
    """
    if (before is None) == (keep is None):
        raise Ending(Exit.USAGE, "what is to go? give one of --before and --keep, like --keep 30d")
    async with ask.target.journal() as journal:
        before_seq = await _cut(ask, journal, before, keep)
        oldest, latest = await journal.oldest_seq(), await journal.latest_seq()
    before_seq = min(before_seq, latest + 1)
    doomed = max(0, before_seq - oldest)
    if doomed and yes:
        await _remove(ask, before_seq, doomed)
    span = {"from_seq": oldest, "to_seq": before_seq - 1} if doomed else {}
    count = {"removed" if yes or not doomed else "would_remove": doomed}
    tell_facts(ask, count | span | {"remaining": latest - oldest + 1 - doomed})
    if doomed and not yes:
        raise Ending(Exit.REFUSED, f"{entries(doomed)} would go; nothing was removed: --yes removes them")


async def _cut(ask: Ask, journal: Journal, before: str | None, keep: str | None) -> int:
    """The number below which entries go."""
    if keep is not None:
        return await first_from(journal, ask.now_us - parse_span(keep))
    assert before is not None
    if before.isascii() and before.isdecimal() and len(before) <= _SEQ_DIGITS_MAX:
        return int(before)
    moment = await located(journal, ask.time(before))
    return await first_from(journal, moment.us) if isinstance(moment, Instant) else moment.seq


async def _remove(ask: Ask, before_seq: int, doomed: int) -> None:
    told = ask.target._replace(quiet=True)
    if told.is_live:
        async with told.client() as client:
            await client.journal_do("compact", {"before_seq": before_seq}, timeout_s=COMPACT_TIMEOUT_S)
        return
    async with told.writable() as file:
        with Progress("removing", doomed) as progress:
            await file.compact(before_seq, on_progress=progress.advance)
