"""Views of a journal: which of them the file keeps, built anew, shown as they are now."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from clasp_journal.address import Pattern
from clasp_journal.cli.asking import PATTERNS
from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.output.cells import Column
from clasp_journal.cli.output.records import (
    PARAM_COLUMNS,
    SPAN_COLUMNS,
    WHO_COLUMNS,
    param_record,
    span_record,
)
from clasp_journal.cli.stderr import Progress, say
from clasp_journal.cli.verb import OUTPUT, YES, Ask, verb
from clasp_journal.entry import ParamSnapshot
from clasp_journal.jsonl import json_of
from clasp_journal.views import SHIPPED, TableView, current, replay
from clasp_journal.views.tables import Key

if TYPE_CHECKING:
    from clasp_journal.journal import Journal
    from clasp_journal.sqlite import SqliteJournal
    from clasp_journal.sqlite.view_tables import Kept

Told = Callable[..., dict[str, Any]]

LIST_COLUMNS = (
    Column("view", "VIEW", style="bold"),
    Column("about", "ABOUT"),
    Column("kept", "KEPT"),
    Column("from_seq", "FROM", "id"),
    Column("seq", "UP TO", "id"),
    Column("behind", "BEHIND", "number"),
)
_ADDRESS_COLUMNS = (
    Column("address", "ADDRESS", style="bold"),
    Column("count", "COUNT", "number"),
    Column("sets", "SETS", "number", is_minor=True),
    Column("publishes", "PUBLISHES", "number", is_minor=True),
    Column("bytes", "BYTES", "number"),
    Column("rate", "PEAK/S", "number"),
    Column("mean_rate", "MEAN/S", "number"),
    *SPAN_COLUMNS,
)
_BUCKET_COLUMNS = (
    Column("address", "ADDRESS", style="bold"),
    Column("timestamp", "MINUTE", "time", "cyan"),
    Column("time"),
    Column("count", "COUNT", "number"),
    Column("min", "MIN"),
    Column("max", "MAX"),
    Column("mean", "MEAN"),
)
_KIND_COLUMNS = (
    Column("kind", "KIND", "id"),
    Column("op", "OP", style="bold"),
    Column("entries", "ENTRIES", "number"),
    *SPAN_COLUMNS,
)


@verb(
    "view",
    click.argument("action", type=click.Choice(["list", "rebuild", "show"])),
    click.argument("name", required=False, type=click.Choice(list(SHIPPED)), metavar="[NAME]"),
    PATTERNS,
    YES,
    *OUTPUT,
)
async def view(ask: Ask, action: str, name: str | None, patterns: tuple[str, ...], yes: bool) -> None:
    """Sums over the whole journal: params, authors, addresses, buckets (numbers by the minute), kinds.

    `show` gives one of them as it is now, also beside a live router: from what the file keeps of it and the
    entries since, without writing. `rebuild` lets the file keep one or all of them, as tables that any SQLite
    tool can read; what it kept goes. That asks for --yes where it counts entries which are gone by now.
    `list` says which are kept, and how far behind they are.

    \b
    clasp-journal view rebuild --db show.db
    clasp-journal view show buckets /lights/room1/brightness -o csv
    clasp-journal view show addresses '/lights/**' --url ws://127.0.0.1:7330
    """
    if action != "show" and patterns:
        raise Ending(Exit.USAGE, f"view {action} takes no patterns; view show does")
    if action == "list":
        await _list(ask, name)
    elif action == "rebuild":
        await _rebuild(ask, [name] if name else list(SHIPPED), yes=yes)
    elif name is None:
        raise Ending(Exit.USAGE, f"which view? there are {', '.join(SHIPPED)}")
    else:
        await _show(ask, name, [Pattern.parse(text) for text in patterns])


async def _list(ask: Ask, name: str | None) -> None:
    async with ask.target.journal() as journal:
        kept = await _kept_in(journal)
        oldest, latest = await journal.oldest_seq(), await journal.latest_seq()
        epoch = journal.epoch
    names = [name] if name else [*SHIPPED, *(other for other in kept if other not in SHIPPED)]
    with ask.printer(LIST_COLUMNS) as printer:
        for each in names:
            shipped, found = SHIPPED.get(each), kept.get(each)
            record: dict[str, Any] = {"view": each, "about": shipped.about if shipped else None, "kept": "no"}
            record |= {"from_seq": None, "seq": None, "behind": None}
            if found is not None:
                goes_on = found.reached.can_go_on(epoch, oldest, latest)
                is_ours = shipped is None or shipped.version == found.version
                record["kept"] = "yes" if goes_on and is_ours else "stale"
                record |= {"from_seq": found.reached.from_seq, "seq": found.reached.seq}
                record["behind"] = latest - found.reached.seq
            printer.write(record)
    ask.finish(len(names))


async def _kept_in(journal: Journal) -> Mapping[str, Kept]:
    """What a file keeps; of a live router that is not known."""
    from clasp_journal.sqlite import SqliteJournal

    return await journal.kept_views() if isinstance(journal, SqliteJournal) else {}


async def _rebuild(ask: Ask, names: list[str], *, yes: bool) -> None:
    async with ask.target.writable() as file:
        if not yes:
            await _refuse_to_lose(file, names)
        with ask.printer(LIST_COLUMNS[:1] + LIST_COLUMNS[3:5]) as printer:
            for name in names:
                with Progress(f"building {name}", await file.len()) as progress:
                    stored = file.stored(SHIPPED[name]())
                    seq = await replay(file, stored, on_progress=progress.advance)
                reached = await stored.reached()
                printer.write({"view": name, "from_seq": reached and reached.from_seq, "seq": seq})
                printer.flush()


async def _refuse_to_lose(file: SqliteJournal, names: list[str]) -> None:
    """End before a view is built anew that counts entries which are gone."""
    oldest, kept = await file.oldest_seq(), await file.kept_views()
    for name in names:
        found = kept.get(name)
        if found is not None and found.reached.from_seq < oldest and not SHIPPED[name].carries_params:
            span = f"entries {found.reached.from_seq} to {oldest - 1}"
            hint = "nothing was changed: --yes builds it from what is left"
            raise Ending(Exit.REFUSED, f"{name} counts {span}, which are gone; {hint}")


class _Shape(NamedTuple):
    """How the rows of a view are shown."""

    columns: tuple[Column, ...]
    record: Told
    is_by_address: bool = True


async def _show(ask: Ask, name: str, patterns: list[Pattern]) -> None:
    shape = _SHAPES[name]
    if patterns and not shape.is_by_address:
        raise Ending(Exit.USAGE, f"{name} knows of no addresses, so it takes no patterns")

    def wants(key: Key) -> bool:
        return not patterns or any(pattern.matches(str(key[0])) for pattern in patterns)

    async with ask.target.journal() as journal:
        with Progress("looking at what is new") as progress:
            shown = await current(journal, SHIPPED[name](), wants, on_progress=progress.advance)
    _tell_beginning(ask, shown)
    count = 0
    with ask.printer(shape.columns) as printer:
        for row in shown.tables[0].rows():
            if wants(row.key):
                printer.write(shape.record(ask, *row.key, *row.cells))
                count += 1
    ask.finish(count, "nothing matched")


def _tell_beginning(ask: Ask, shown: TableView) -> None:
    if shown.reached is not None and shown.reached.from_seq > 1 and not ask.target.quiet:
        say(f"counted from entry {shown.reached.from_seq} on; the ones before are gone")


def _param(ask: Ask, address: str, *cells: Any) -> dict[str, Any]:
    encoded, revision, ttl, writer, at_us = cells
    return param_record(ParamSnapshot(address, encoded, revision, writer, at_us, ttl), ask.shown)


def _author(ask: Ask, author: str, names: str, *cells: int) -> dict[str, Any]:
    entries, sets, publishes, addresses, first_us, last_us = cells
    counts = {"entries": entries, "sets": sets, "publishes": publishes, "addresses": addresses}
    named = {"author": author, "names": json.loads(names)}
    return named | counts | span_record(first_us, last_us, ask.shown)


def _address(ask: Ask, address: str, *cells: int) -> dict[str, Any]:
    entries, sets, publishes, size_bytes, peak_per_s, _, _, first_us, last_us = cells
    spent_s = max(1.0, (last_us - first_us) / 1_000_000)
    rates = {"rate": peak_per_s, "mean_rate": round(entries / spent_s, 3)}
    counts = {"count": entries, "sets": sets, "publishes": publishes, "bytes": size_bytes}
    return {"address": address} | counts | rates | span_record(first_us, last_us, ask.shown)


def _bucket(ask: Ask, address: str, minute_us: int, *cells: Any) -> dict[str, Any]:
    count, least, greatest, _, mean = cells
    numbers = {"min": least, "max": greatest, "mean": json_of(mean)}
    when = {"timestamp": minute_us, "time": ask.shown(minute_us)}
    return {"address": address} | when | {"count": count} | numbers


def _kind(ask: Ask, kind: int, op: str | None, *cells: int) -> dict[str, Any]:
    entries, first_us, last_us = cells
    return {"kind": kind, "op": op, "entries": entries} | span_record(first_us, last_us, ask.shown)


_SHAPES = {
    "params": _Shape(PARAM_COLUMNS, _param),
    "authors": _Shape(WHO_COLUMNS, _author, is_by_address=False),
    "addresses": _Shape(_ADDRESS_COLUMNS, _address),
    "buckets": _Shape(_BUCKET_COLUMNS, _bucket),
    "kinds": _Shape(_KIND_COLUMNS, _kind, is_by_address=False),
}
