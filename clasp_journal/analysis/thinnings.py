"""What rules have thinned: who asks for it sees what stayed, and is told that there was more.

Laws: acts say by which rule, blanks of which addresses; so only who asks for an address of which something
went is told. That a state may not be what it was is told within an act only: it can differ nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from clasp_journal.address import Pattern
from clasp_journal.analysis.inquiry import Inquiry
from clasp_journal.entry import EntryKind
from clasp_journal.journal import ALL, Journal, Results, Span
from clasp_journal.selection import EVERYTHING, THINNINGS, Selection
from clasp_journal.thinned import Thinned, told_by, was_thinned

_WITHOUT_BLANKS = frozenset(int(kind) for kind in EntryKind if kind != EntryKind.REMOVED)


async def without_blanks(journal: Journal, inquiry: Inquiry) -> Inquiry:
    """The same inquiry, without the blanks of what is asked for, should a rule have thinned it.

    Who names kinds or types, or asks for every address, asks for no fewer.
    """
    is_narrow = inquiry.kinds is not None or inquiry.types is not None
    if (
        is_narrow
        or EVERYTHING in (inquiry.patterns or (EVERYTHING,))
        or not await _acts(journal, inquiry.span.after_seq)
    ):
        return inquiry
    return replace(inquiry, kinds=_WITHOUT_BLANKS)


async def thinned_at(journal: Journal, seq: int, patterns: Sequence[Pattern] = ()) -> list[str]:
    """Sentences about why the state after an entry may not be what it was; none if it is."""
    acts = [act for act in await _acts(journal, seq) if act.first_seq <= seq]
    asked = patterns or (EVERYTHING,)
    return [_words(act) for act in _together(acts) if any(map(act.may_meet, asked))]


async def thinned_within(journal: Journal, inquiry: Inquiry) -> list[str]:
    """Sentences about what went within a range that somebody named; none if nothing did."""
    is_open = inquiry.from_us is None and inquiry.to_us is None and inquiry.span == ALL
    if is_open and not inquiry.has_start:
        return []
    acts = _together(await _acts(journal, inquiry.span.after_seq))
    return [_words(act) for act in acts if await _has_blanks(journal, inquiry, act)]


async def _acts(journal: Journal, after_seq: int) -> list[Thinned]:
    """The acts of which something may concern the log behind a number; they stand behind it themselves."""
    told = [told_by(entry) async for entry in Results(journal, THINNINGS, span=Span(after_seq))]
    return [act for act in told if act is not None and act.last_seq >= max(after_seq, 1)]


def _together(acts: Iterable[Thinned]) -> list[Thinned]:
    """Each rule once, from the first number of its acts to the last."""
    found: dict[tuple[object, ...], Thinned] = {}
    for act in acts:
        key = act.pattern, act.rule, act.excepted
        known = found.get(key, act)
        first, last = min(known.first_seq, act.first_seq), max(known.last_seq, act.last_seq)
        found[key] = act._replace(first_seq=first, last_seq=last)
    return list(found.values())


async def _has_blanks(journal: Journal, inquiry: Inquiry, act: Thinned) -> bool:
    """Whether something that is asked for went by a rule."""
    after, upto = inquiry.span
    within = Span(max(after, act.first_seq - 1), act.last_seq if upto is None else min(upto, act.last_seq))
    for pattern in inquiry.patterns or (EVERYTHING,):
        if not act.may_meet(pattern):
            continue
        blanks = Selection(pattern, inquiry.from_us, inquiry.to_us, kinds=THINNINGS.kinds)
        async for entry in Results(journal, blanks, span=within):
            is_wanted = not any(each.matches(entry.address) for each in inquiry.excluded)
            if was_thinned(entry) and act.holds_for(entry.address) and is_wanted:
                return True
    return False


def _words(act: Thinned) -> str:
    numbers = f"between {act.first_seq} and {act.last_seq}"
    return f"entries of {act.pattern.text} {numbers} were thinned: {act.rule}"
