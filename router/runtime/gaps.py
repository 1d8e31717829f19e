"""Where journaling had stopped, and what was forgotten: a reader has to be told that there was more.

Law: both are said by entries; what is remembered of them here is read from the journal, each once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.forgetting import Forgotten, is_blank, told_by
from clasp_journal.journal import PAGE_ENTRIES, Journal
from clasp_journal.selection import FORGOTTEN, NO_ADDRESS, Selection

_HOLES = Selection(NO_ADDRESS, kinds=frozenset((int(EntryKind.GAP), int(EntryKind.FORGET))))
_LOOKED_AT = 100
"""Blanks and acts among which one is looked for that is a blank."""


class _Gap(NamedTuple):
    seq: int
    from_us: int
    to_us: int


class Gaps:
    """The gaps of one journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: list[_Gap] = []
        self._forgotten: list[Forgotten] = []
        self._read_upto = 0

    async def touch(self, after_seq: int, upto_seq: int, from_us: int | None, to_us: int | None) -> bool:
        """Whether something is missing between these numbers that happened between these times."""
        # An act of forgetting comes behind what it removed.
        await self._read_on()
        is_gap = any(
            after_seq < gap.seq <= upto_seq
            and (from_us is None or gap.to_us >= from_us)
            and (to_us is None or gap.from_us <= to_us)
            for gap in self._known
        )
        if is_gap or not any(
            told.first_seq <= upto_seq and told.last_seq > after_seq for told in self._forgotten
        ):
            return is_gap
        asked = replace(FORGOTTEN, from_us=from_us, to_us=to_us)
        return any(map(is_blank, await self._journal.page(asked, after_seq, upto_seq, _LOOKED_AT)))

    async def _read_on(self) -> None:
        latest = await self._journal.latest_seq()
        at = self._read_upto
        while at < latest:
            page = await self._journal.page(_HOLES, at, latest, PAGE_ENTRIES)
            self._known += [_gap_of(entry) for entry in page if entry.kind == EntryKind.GAP]
            self._forgotten += [told for entry in page if (told := told_by(entry))]
            at = page[-1].seq if len(page) == PAGE_ENTRIES else latest
        self._read_upto = max(self._read_upto, latest)


def _gap_of(entry: JournalEntry) -> _Gap:
    told = entry._replace(encoded=entry.details).value
    began = told.get("from") if isinstance(told, dict) else None
    return _Gap(entry.seq, began if isinstance(began, int) else entry.timestamp, entry.timestamp)
