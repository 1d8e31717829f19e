"""The options that say which entries, and how they become an `Inquiry` or a place in the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import click

from clasp_journal.address import Pattern, parse_address
from clasp_journal.analysis.coverage import missing
from clasp_journal.analysis.inquiry import Inquiry, Test
from clasp_journal.analysis.marks import find_mark
from clasp_journal.analysis.thinnings import thinned_at
from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.grammar.times import Instant, Mark, Moment, Place
from clasp_journal.cli.verb import Ask, Option
from clasp_journal.entry import EntryKind, SignalType
from clasp_journal.journal import Journal, Span
from clasp_journal.travel import seq_at


def complete_addresses(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What Tab offers where an address or a pattern is expected."""
    from clasp_journal.cli.completion import complete_address

    return complete_address(ctx.params, incomplete)


def complete_times(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What Tab offers where a time is expected."""
    from clasp_journal.cli.completion import complete_time

    return complete_time(ctx.params, incomplete)


def time_option(*names: str, metavar: str = "TIME", **more: Any) -> Option:
    """An option that takes a time."""
    return click.option(*names, metavar=metavar, shell_complete=complete_times, **more)


PATTERNS: Option = click.argument(
    "patterns", nargs=-1, metavar="[PATTERN]...", shell_complete=complete_addresses
)
ADDRESS: Option = click.argument("address", shell_complete=complete_addresses)
WITHIN: tuple[Option, ...] = (
    time_option("-S", "--since", help="from this time on, like 21:03 or '5 min ago'"),
    time_option("-U", "--until", help="up to this time"),
)
EXCLUDED: Option = click.option(
    "-x",
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    shell_complete=complete_addresses,
    help="but not these",
)
NARROWING: tuple[Option, ...] = (
    EXCLUDED,
    click.option(
        "--type", "types", multiple=True, metavar="TYPE", help="param, event, stream, gesture, timeline"
    ),
    click.option("--op", "ops", multiple=True, metavar="OP", help="set, publish, expire, mark, gap, …"),
    click.option("--author", metavar="WHO", help="a subject, session id or client's name"),
    click.option("--where", multiple=True, metavar="TEST", help="like 'value > 0.9'; all of them hold"),
    click.option("--changed", is_flag=True, help="only what differs from the entry before at its address"),
)
SELECTION: tuple[Option, ...] = (PATTERNS, *WITHIN, *NARROWING)

Named = TypeVar("Named", SignalType, EntryKind)


async def inquiry_of(ask: Ask, journal: Journal, asked: dict[str, Any]) -> Inquiry:
    """The inquiry that the options of `SELECTION` describe; those that a verb has not narrow nothing."""
    from_us, after_seq = await lower_bound(ask, journal, asked.get("since"))
    to_us, upto_seq = await upper_bound(ask, journal, asked.get("until"))
    if from_us is not None and to_us is not None and from_us > to_us:
        reading = f"--until is {ask.shown(to_us)}, which is before --since, {ask.shown(from_us)}"
        raise Ending(Exit.USAGE, f"{reading}: say the day, too, like 'yesterday 21:03'")
    types, ops = asked.get("types"), asked.get("ops")
    return Inquiry(
        patterns=tuple(map(Pattern.parse, asked.get("patterns", ()))),
        excluded=tuple(map(Pattern.parse, asked.get("exclude", ()))),
        from_us=from_us,
        to_us=to_us,
        span=Span(after_seq, upto_seq),
        has_start=asked.get("since") is not None,
        types=frozenset(_named(SignalType, name, "--type") for name in types) if types else None,
        kinds=frozenset(int(_named(EntryKind, name, "--op")) for name in ops) if ops else None,
        author=asked.get("author"),
        tests=_tests(asked.get("where", ())),
        changed=asked.get("changed", False),
    )


def _tests(texts: tuple[str, ...]) -> tuple[Test, ...]:
    if not texts:
        return ()
    from clasp_journal.cli.grammar.comparisons import parse_comparison

    return tuple(map(parse_comparison, texts))


async def lower_bound(ask: Ask, journal: Journal, text: str | None) -> tuple[int | None, int]:
    """The first time and the number before the first entry that a text allows."""
    moment = None if text is None else await located(journal, ask.time(text))
    if moment is None:
        return None, 0
    return (moment.us, 0) if isinstance(moment, Instant) else (None, max(0, moment.seq - 1))


async def upper_bound(ask: Ask, journal: Journal, text: str | None) -> tuple[int | None, int | None]:
    """The last time and the last number that a text allows."""
    moment = None if text is None else await located(journal, ask.time(text))
    if moment is None:
        return None, None
    return (moment.us, None) if isinstance(moment, Instant) else (None, moment.seq)


async def seq_of(ask: Ask, journal: Journal, text: str) -> int:
    """The place in the log that a time means; one beyond its end is refused."""
    if text == "now":
        return await journal.latest_seq()
    moment = await located(journal, ask.time(text))
    if isinstance(moment, Instant):
        return await seq_at(journal, moment.us)
    latest = await journal.latest_seq()
    if moment.seq > latest:
        raise Ending(Exit.USAGE, f"{text}: the journal ends with entry {latest}")
    return moment.seq


async def instant_of(ask: Ask, journal: Journal, text: str) -> int:
    """The time that a text means, in microseconds; for a number, that of its entry."""
    moment = await located(journal, ask.time(text))
    if isinstance(moment, Instant):
        return moment.us
    found = await journal.since(moment.seq - 1, limit=1) if moment.seq else []
    if not found or found[0].seq != moment.seq:
        raise Ending(Exit.INCOMPLETE, f"{text}: there is no such entry")
    return found[0].timestamp


async def expected_count(journal: Journal, inquiry: Inquiry) -> int:
    """How many entries there will be; 0 where only looking tells."""
    return await journal.len() if inquiry == Inquiry() else 0


async def tell_missing(journal: Journal, inquiry: Inquiry, *, satisfied: bool = False) -> None:
    """End with 6 if the range is not whole. Whoever got as many as were asked for lacks nothing."""
    tell_incomplete([] if satisfied else await missing(journal, inquiry))


async def tell_thinned(journal: Journal, seq: int, patterns: Sequence[Pattern]) -> None:
    """End with 6 if a rule let entries go that told the state after an entry."""
    tell_incomplete(await thinned_at(journal, seq, patterns))


def tell_incomplete(told: Iterable[str]) -> None:
    """End with 6 if there are sentences about what is missing; each is told once."""
    if sentences := list(dict.fromkeys(told)):
        raise Ending(Exit.INCOMPLETE, "incomplete: " + "; ".join(sentences))


async def located(journal: Journal, moment: Moment) -> Instant | Place:
    """The instant or the place that is meant: a mark is looked up."""
    if isinstance(moment, Mark):
        return Instant((await find_mark(journal, moment.name)).at_us)
    return moment


def literal(address: str) -> Pattern:
    """The pattern that matches one address and no other; a text with wildcards is refused."""
    pattern = Pattern.parse(parse_address(address))
    if not pattern.is_literal:
        raise Ending(Exit.USAGE, f"{address} is a pattern; this needs one address")
    return pattern


def _named(names: type[Named], name: str, option: str) -> Named:
    try:
        return names[name.upper()]
    except KeyError:
        known = ", ".join(each.name.lower() for each in names)
        raise Ending(Exit.USAGE, f"{option} {name!r}: there are {known}") from None
