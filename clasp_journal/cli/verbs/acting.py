"""Bringing the past to a router: undo, replay."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from clasp_journal.acting.replaying import Pace, parse_renaming
from clasp_journal.acting.undoing import Undo, plan_undo
from clasp_journal.address import Pattern
from clasp_journal.analysis.inquiry import entries
from clasp_journal.cli.asking import (
    EXCLUDED,
    SELECTION,
    complete_addresses,
    inquiry_of,
    seq_of,
    tell_missing,
    tell_thinned,
    time_option,
)
from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.facts import tell_facts
from clasp_journal.cli.grammar.spans import parse_span
from clasp_journal.cli.output.cells import Column
from clasp_journal.cli.stderr import Progress, say
from clasp_journal.cli.targets import choose_target
from clasp_journal.cli.verb import OUTPUT, YES, Ask, verb
from clasp_journal.entry import ParamSnapshot
from clasp_journal.errors import BadInput
from clasp_journal.jsonl import json_of

if TYPE_CHECKING:
    from router.client import Client

UNDO_COLUMNS = (
    Column("address", "ADDRESS", style="bold"),
    Column("action", "ACTION", style="dim"),
    Column("now", "NOW", "json", style="red"),
    Column("then", "THEN", "json", style="green"),
    Column("revision", "REV", "number", "dim"),
)


@verb(
    "undo",
    click.argument(
        "patterns", nargs=-1, required=True, metavar="PATTERN...", shell_complete=complete_addresses
    ),
    time_option("--to", "to", required=True, help="the instant to go back to"),
    EXCLUDED,
    click.option(
        "--expire-new", is_flag=True, help="let params that were not there then expire, a second later"
    ),
    YES,
    *OUTPUT,
)
async def undo(ask: Ask, patterns: tuple[str, ...], to: str, yes: bool, **asked: Any) -> None:
    """Bring a subtree back to what it was: show the SETs, and with --yes have the router make them.

    They are SETs like anybody's: subscribers get them, and the journal keeps them, so that an undo can be
    undone. Each expects the revision that it replaces; what changed meanwhile is refused. The protocol knows
    no way to remove a param: one that was not there then is listed as `stays`, unless --expire-new is given.

    \b
    clasp-journal undo '/lights/**' --to '5 min ago' --url ws://127.0.0.1:7330
    clasp-journal undo '/lights/**' -x '/lights/house/**' --to mark:doors-open --yes
    """
    if not ask.target.is_live:
        reason = "undo sends SETs through a router, so that everybody gets them"
        raise Ending(Exit.USAGE, f"{reason}: name it with --url ws://HOST:PORT")
    wanted, excluded = (list(map(Pattern.parse, texts)) for texts in (patterns, asked["exclude"]))

    def is_wanted(address: str) -> bool:
        return any(p.matches(address) for p in wanted) and not any(p.matches(address) for p in excluded)

    async with ask.target.client() as client:
        from router.client.journal import RemoteJournal

        journal = await RemoteJournal.open(client)
        seq = await seq_of(ask, journal, to)
        await tell_thinned(journal, seq, wanted)
        then = await journal.state(seq)
        plan = plan_undo(then, await journal.state(), is_wanted, expire_new=asked["expire_new"])
        _show(ask, plan)
        if plan.steps and yes:
            await _send(client, plan)
    if plan.steps and not yes:
        raise Ending(Exit.REFUSED, f"{_counted(plan.steps)} to send; nothing was sent: --yes sends them")
    say(f"{_counted(plan.steps)} sent" if plan.steps else "nothing to bring back")
    ask.finish(len(plan.steps))


def _show(ask: Ask, plan: Undo) -> None:
    with ask.printer(UNDO_COLUMNS) as printer:
        for step in plan.steps:
            record: dict[str, Any] = {"address": step.address, "action": "set" if step.then else "expire"}
            printer.write(record | _values(step.now, step.then) | {"revision": step.revision})
        for param in plan.left:
            record = {"address": param.address, "action": "stays"}
            printer.write(record | _values(param, None) | {"revision": param.revision})


def _values(now: ParamSnapshot | None, then: ParamSnapshot | None) -> dict[str, Any]:
    """What is there now and what was then; a key is missing where nothing is."""
    return {key: json_of(param.value) for key, param in (("now", now), ("then", then)) if param is not None}


async def _send(client: Client, plan: Undo) -> None:
    from router.client import UndoStopped
    from router.client import undo as send_undo

    try:
        with Progress("undoing", len(plan.steps)) as progress:
            await send_undo(client, plan, on_sent=progress.advance)
    except UndoStopped as stopped:
        hint = "what is there now can be asked for again" if stopped.refusal.code == 400 else "see the error"
        raise Ending(Exit.FORBIDDEN, f"{stopped}; {hint}") from stopped


def _counted(steps: Sequence[object]) -> str:
    return f"{len(steps):,} SET{'' if len(steps) == 1 else 's'}"


@verb(
    "replay",
    *SELECTION,
    click.option("--to", "to", required=True, metavar="URL", help="the router that is to get it"),
    click.option("--speed", default="1", metavar="N", help="1, 4, 0.5, or max; default 1"),
    click.option("--max-gap", metavar="SPAN", help="wait no longer than this, like 5s"),
    click.option("--map", "maps", multiple=True, metavar="A=B", help="/stage=/rehearsal: below another root"),
    click.option("--yes", is_flag=True, help="also into a router that already has params"),
    *OUTPUT,
)
async def replay(ask: Ask, to: str, maps: tuple[str, ...], **asked: Any) -> None:
    """Play entries again, with the gaps they had, into any CLASP router.

    SETs and PUBLISHes are sent as they were recorded; expiries are left to that router's own clock. Only a
    router without params is played into unasked.

    \b
    clasp-journal replay -S 21:00 -U 21:05 --to ws://127.0.0.1:7331
    clasp-journal replay '/lights/**' --to ws://127.0.0.1:7331 --speed 4 --max-gap 5s
    clasp-journal replay --to ws://127.0.0.1:7330 --map /stage=/rehearsal --speed max --yes
    """
    renamings = [parse_renaming(text) for text in maps]
    pace = _pace(asked["speed"], asked["max_gap"])
    target = choose_target(None, to, {}, quiet=True, tls=ask.target.tls)
    refused: list[Exception] = []
    async with ask.target.journal() as journal:
        inquiry = await inquiry_of(ask, journal, asked)
        async with target.client(on_error=refused.append) as client:
            from router.client import replay_into

            if not asked["yes"] and (present := len(await client.snapshot())):
                reason = f"{to} has {present:,} params already; nothing was sent"
                raise Ending(Exit.REFUSED, f"{reason}: --yes plays into it all the same")
            with Progress("replaying") as progress:
                sent = await replay_into(
                    client,
                    entries(journal, inquiry),
                    pace=pace,
                    renamings=renamings,
                    on_sent=progress.advance,
                )
        tell_facts(ask, {"sent": sent, "refused": len(refused), "to": to})
        if refused:
            raise Ending(
                Exit.FORBIDDEN, f"{to} refused {len(refused):,} of {sent:,}; the first: {refused[0]}"
            )
        await tell_missing(journal, inquiry)
    ask.finish(sent)


def _pace(speed: str, max_gap: str | None) -> Pace:
    max_gap_us = None if max_gap is None else parse_span(max_gap)
    if speed == "max":
        return Pace(None, max_gap_us)
    try:
        factor = float(speed)
    except ValueError:
        factor = math.nan
    if not (math.isfinite(factor) and factor > 0):
        raise BadInput(f"--speed {speed!r} is no speed; examples: 1, 4, 0.5, max")
    return Pace(factor, max_gap_us)
