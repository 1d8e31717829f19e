"""Naming an instant, and keeping a state: mark, snapshot."""

from __future__ import annotations

import click

from clasp_journal.acting.marking import mark as append_mark
from clasp_journal.acting.marking import mark_entry
from clasp_journal.cli.asking import complete_times, instant_of, seq_of, time_option
from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.facts import tell_facts
from clasp_journal.cli.output.cells import Column
from clasp_journal.cli.output.records import PARAM_COLUMNS, param_record
from clasp_journal.cli.verb import OUTPUT, Ask, verb
from clasp_journal.value import Value

SNAPSHOT_COLUMNS = (
    Column("seq", "SEQ", "id"),
    Column("timestamp", "TAKEN", "time", "cyan"),
    Column("time"),
    Column("params", "PARAMS", "number"),
)


@verb(
    "mark",
    click.argument("name"),
    click.option("-m", "--message", metavar="TEXT", help="what there is to say about it"),
    time_option("--at", help="another instant than now"),
    *OUTPUT,
)
async def mark(ask: Ask, name: str, message: str | None, at: str | None) -> None:
    """Name an instant, now or another one; the name can then be used as a time.

    Of several marks with one name the last one counts. Marks are entries of the journal that no subscriber
    sees.

    \b
    clasp-journal mark doors-open --url ws://127.0.0.1:7330
    clasp-journal mark power-cut -m 'half of the rig' --at 21:03:17 --db show.db
    clasp-journal diff mark:doors-open
    """
    now = mark_entry(name, message).timestamp
    at_us, target = None, ask.target
    if at is not None:
        async with target.journal() as journal:
            at_us = await instant_of(ask, journal, at)
        target = target._replace(quiet=True)
    if target.is_live:
        arguments: dict[str, Value] = {"mark": name, "message": message, "at_us": at_us}
        async with target.client() as client:
            done = await client.journal_do("mark", arguments)
        seq, stamp = done.get("seq"), done.get("timestamp", now)
    else:
        stamp = now if at_us is None else at_us
        async with target.writable() as file:
            seq = await append_mark(file, name, message, at_us=stamp, author="clasp-journal")
    when = {"timestamp": stamp, "time": ask.shown(stamp) if isinstance(stamp, int) else None}
    tell_facts(ask, {"mark": name, "seq": seq, **when})


@verb(
    "snapshot",
    click.argument("action", type=click.Choice(["create", "list", "show"])),
    click.argument("at", required=False, metavar="[TIME]", shell_complete=complete_times),
    *OUTPUT,
)
async def snapshot(ask: Ask, action: str, at: str | None) -> None:
    """The states that the journal keeps whole, so that any instant costs only what follows one.

    `create` writes one of the present state, `list` names those there are, `show` prints the params of the
    newest one, or of the one that an instant is told from.

    \b
    clasp-journal snapshot create --url ws://127.0.0.1:7330
    clasp-journal snapshot list
    clasp-journal snapshot show 'yesterday 21:03'
    """
    if at is not None and action != "show":
        raise Ending(Exit.USAGE, f"snapshot {action} takes no time; snapshot show does")
    if action == "create":
        await _create(ask)
    elif action == "list":
        await _list(ask)
    else:
        await _show(ask, at)


async def _create(ask: Ask) -> None:
    seq: object
    if ask.target.is_live:
        async with ask.target.client() as client:
            seq = (await client.journal_do("snapshot")).get("seq")
    else:
        async with ask.target.writable() as file:
            seq = await file.snapshot_by_fold()
    tell_facts(ask, {"seq": seq})


async def _list(ask: Ask) -> None:
    async with ask.target.journal() as journal:
        found = await journal.snapshots()
    with ask.printer(SNAPSHOT_COLUMNS) as printer:
        for kept in found:
            when = {"timestamp": kept.taken, "time": ask.shown(kept.taken)}
            printer.write({"seq": kept.at_seq, **when, "params": kept.params})
    ask.finish(len(found), "there are no snapshots yet")


async def _show(ask: Ask, at: str | None) -> None:
    async with ask.target.journal() as journal:
        upto_seq = await journal.latest_seq() if at is None else await seq_of(ask, journal, at)
        kept = [one.at_seq for one in await journal.snapshots() if one.at_seq <= upto_seq]
        found = await journal.load_snapshot(kept[-1]) if kept else None
    params = [] if found is None else [param for param in found.params if not param.is_tombstone]
    with ask.printer(PARAM_COLUMNS) as printer:
        for param in sorted(params):
            printer.write(param_record(param, ask.shown))
    ask.finish(len(params), "there are no params in it")
