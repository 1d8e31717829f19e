"""Whether all is well: verify, upgrade, doctor."""

from __future__ import annotations

import click

from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.facts import tell_facts
from clasp_journal.cli.output.cells import Column
from clasp_journal.cli.stderr import Progress, say
from clasp_journal.cli.targets import must_be_there
from clasp_journal.cli.verb import OUTPUT, YES, Ask, verb

FINDING_COLUMNS = (
    Column("check", "CHECK", style="bold"),
    Column("verdict", "VERDICT"),
    Column("finding", "FINDING"),
)


@verb(
    "verify",
    click.option("--full", is_flag=True, help="read every entry, and every page of the file"),
    *OUTPUT,
)
async def verify(ask: Ask, full: bool) -> None:
    """Whether the file is what was written: numbers, checksums, snapshots, indexes. Exit code 5 if not.

    Without --full every snapshot is read, the entries since the newest but one, and that no number is missing
    is counted.

    \b
    clasp-journal verify
    clasp-journal verify --full --db show.db
    """
    path = _file(ask, "verify")
    ask.target.tell(path)
    from clasp_journal.sqlite.upkeep.verification import verify as verify_file

    with Progress("reading") as progress:
        found = await verify_file(
            path, full=full, on_progress=lambda done, total: progress.advance(done - progress.done)
        )
    looked = {"entries": found.entries, "from_seq": found.from_seq, "snapshots": found.snapshots}
    looked |= {"forgotten": found.forgotten, "thinned": found.thinned}
    damage = {"first_bad_seq": found.first_bad_seq, "problems": found.problems}
    tell_facts(ask, {"intact": found.is_intact, **looked, **damage})
    if not found.is_intact:
        where = "" if found.first_bad_seq is None else f"; the first damaged entry is {found.first_bad_seq}"
        raise Ending(Exit.DAMAGED, f"the journal is damaged: {found.problems[0]}{where}")


@verb("upgrade", YES, *OUTPUT)
async def upgrade(ask: Ask, yes: bool) -> None:
    """Bring the layout of the file up to this version of the program. A router does so when it starts.

    \b
    clasp-journal upgrade
    clasp-journal upgrade --db old-show.db --yes
    """
    path = _file(ask, "upgrade")
    from clasp_journal.sqlite.upgrading import layout_of

    found = await layout_of(path)
    if found.is_old and yes:
        async with ask.target.writable():
            pass
    after = found.known if yes else found.written
    tell_facts(ask, {"file": path, "layout": after, "was": found.written, "newest": found.known})
    if not found.is_old:
        say("nothing to do")
    elif not yes:
        raise Ending(Exit.REFUSED, "the layout is old; nothing was changed: --yes upgrades it")


def _file(ask: Ask, doing: str) -> str:
    """The file that the verb is about; otherwise an `Ending`."""
    path = ask.target.path
    if path is None:
        raise Ending(Exit.USAGE, f"{doing} works on a file: name it with --db FILE")
    must_be_there(path)
    return path


@verb("doctor", *OUTPUT)
async def doctor(ask: Ask) -> None:
    """Whether this machine is good for a journal: SQLite, file system, disk, lock, clock.

    \b
    clasp-journal doctor --db /var/lib/clasp/show.db
    clasp-journal doctor --url ws://127.0.0.1:7330
    """
    from clasp_journal.sqlite.examination import Finding, examine

    if ask.target.path is not None:
        found = await examine(ask.target.path)
    else:
        async with ask.target.client() as client:
            reading = await client.sync()
            stats = await client.journal_do("stats")
        apart_us, way_us = abs(reading.offset_us), reading.round_trip_us
        verdict = "ok" if apart_us < 1_000_000 else "warn"
        found = [
            Finding("router", "ok", f"{client.router_name} answers in {way_us / 1000:.1f} ms"),
            Finding("clock", verdict, f"its clock and ours are {apart_us / 1000:.1f} ms apart"),
            Finding("journal", "ok", f"{stats.get('backend')!s}, {stats.get('entries')!s} entries"),
        ]
    with ask.printer(FINDING_COLUMNS) as printer:
        for finding in found:
            printer.write(finding._asdict())
    bad = [finding for finding in found if finding.verdict == "bad"]
    if bad:
        raise Ending(Exit.UNREACHABLE, f"{bad[0].check}: {bad[0].finding}")
