"""What is missing from a range that somebody asked for: compacted, forgotten, thinned, or never recorded.

Law: no answer is silently shorter than the truth. A range without a beginning begins where the journal does,
and who names neither a range nor an author asks for what was left.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from clasp_journal import value as values
from clasp_journal.analysis.inquiry import Inquiry
from clasp_journal.analysis.thinnings import thinned_within
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.forgetting import is_blank, told_by
from clasp_journal.journal import ALL, Journal, Results, Span
from clasp_journal.selection import FORGOTTEN, NO_ADDRESS, Selection

_GAPS = Selection(NO_ADDRESS, kinds=frozenset((int(EntryKind.GAP),)))


class Gap(NamedTuple):
    """A time when journaling had stopped."""

    from_us: int
    to_us: int
    missing_entries: int | None
    """How many entries are missing, where that is known."""
    seq: int


async def gaps(journal: Journal, span: Span = ALL) -> list[Gap]:
    """The gaps that are recorded in a part of the log."""
    return [_gap(entry) async for entry in Results(journal, _GAPS, span=span)]


async def first_missing(journal: Journal, inquiry: Inquiry) -> int | None:
    """The first number that remains, if the range of an inquiry begins before it and it is not 1."""
    oldest_seq = await journal.oldest_seq()
    is_open = inquiry.from_us is None and not inquiry.span.after_seq and not inquiry.has_start
    if oldest_seq == 1 or is_open:
        return None
    if inquiry.span.after_seq + 1 >= oldest_seq:
        return None
    if inquiry.from_us is not None:
        gone_upto_us = await journal.gone_upto_us()
        if gone_upto_us is not None and gone_upto_us < inquiry.from_us:
            return None
    return oldest_seq


async def missing(journal: Journal, inquiry: Inquiry) -> list[str]:
    """Sentences about what is missing within the range of an inquiry; none if it is whole."""
    told = []
    first = await first_missing(journal, inquiry)
    if first is not None:
        told.append(f"entries before {first} are gone")
    if await _was_forgotten(journal, inquiry):
        told.append("entries were forgotten")
    told += await thinned_within(journal, inquiry)
    for gap in await gaps(journal, inquiry.span):
        begins_late = inquiry.to_us is not None and gap.from_us > inquiry.to_us
        ends_early = inquiry.from_us is not None and gap.to_us < inquiry.from_us
        if not (begins_late or ends_early):
            lost = "entries" if gap.missing_entries is None else f"{gap.missing_entries} entries"
            told.append(f"journaling had stopped before entry {gap.seq}, {lost} are missing")
    return told


async def _was_forgotten(journal: Journal, inquiry: Inquiry) -> bool:
    """Whether an author that is asked for was forgotten, or anybody within a range that somebody named."""
    is_open = inquiry.from_us is None and inquiry.to_us is None and inquiry.span == ALL
    if is_open and not inquiry.has_start and inquiry.author is None:
        return False
    within = replace(FORGOTTEN, from_us=inquiry.from_us, to_us=inquiry.to_us)
    blanks = [entry.seq async for entry in Results(journal, within, span=inquiry.span) if is_blank(entry)]
    if not blanks or inquiry.author is None:
        return bool(blanks)
    acts = [told async for entry in Results(journal, FORGOTTEN) if (told := told_by(entry))]
    mine = [told for told in acts if told.author == inquiry.author]
    return any(told.first_seq <= blanks[-1] and told.last_seq >= blanks[0] for told in mine)


def _gap(entry: JournalEntry) -> Gap:
    details = values.decode(entry.details) if entry.details is not None else {}
    told = details if isinstance(details, dict) else {}
    began, count = told.get("from"), told.get("count")
    return Gap(
        began if isinstance(began, int) else entry.timestamp,
        entry.timestamp,
        count if isinstance(count, int) else None,
        entry.seq,
    )
