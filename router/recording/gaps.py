"""Where journaling had stopped, what was forgotten or thinned: a reader has to be told that there was more.

Law: all of it is said by entries; what is remembered of them here is read from the journal, each once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.forgetting import Forgotten, is_blank, told_by
from clasp_journal.journal import PAGE_ENTRIES, Journal
from clasp_journal.selection import FORGOTTEN, NO_ADDRESS, THINNINGS, Selection
from clasp_journal.thinned import told_by as thinned_by
from clasp_journal.thinned import was_thinned

_HOLES = Selection(
    NO_ADDRESS, kinds=frozenset(map(int, (EntryKind.GAP, EntryKind.FORGET, EntryKind.REMOVED)))
)
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
        self._thinned_from = self._thinned_upto = 0
        """Between these numbers rules let entries go, if the second is not 0."""
        self._read_upto = 0

    async def touch(self, selection: Selection, after_seq: int, upto_seq: int) -> bool:
        """Whether something is missing between these numbers that may have been asked for."""
        # An act comes behind what it removed.
        await self._read_on()
        from_us, to_us = selection.from_us, selection.to_us
        blanks = replace(FORGOTTEN, from_us=from_us, to_us=to_us)
        return (
            any(
                after_seq < gap.seq <= upto_seq
                and (from_us is None or gap.to_us >= from_us)
                and (to_us is None or gap.from_us <= to_us)
                for gap in self._known
            )
            or await self._was_forgotten(blanks, after_seq, upto_seq)
            or await self._was_thinned(selection, after_seq, upto_seq)
        )

    async def _was_forgotten(self, blanks: Selection, after_seq: int, upto_seq: int) -> bool:
        if not any(told.first_seq <= upto_seq and told.last_seq > after_seq for told in self._forgotten):
            return False
        return any(map(is_blank, await self._journal.page(blanks, after_seq, upto_seq, _LOOKED_AT)))

    async def _was_thinned(self, selection: Selection, after_seq: int, upto_seq: int) -> bool:
        after, upto = max(after_seq, self._thinned_from - 1), min(upto_seq, self._thinned_upto)
        if after >= upto:
            return False
        blanks = Selection(selection.pattern, selection.from_us, selection.to_us, kinds=THINNINGS.kinds)
        return any(map(was_thinned, await self._journal.page(blanks, after, upto, _LOOKED_AT)))

    async def _read_on(self) -> None:
        latest = await self._journal.latest_seq()
        at = self._read_upto
        while at < latest:
            page = await self._journal.page(_HOLES, at, latest, PAGE_ENTRIES)
            self._known += [_gap_of(entry) for entry in page if entry.kind == EntryKind.GAP]
            self._forgotten += [told for entry in page if (told := told_by(entry))]
            for act in filter(None, map(thinned_by, page)):
                self._thinned_from = min(self._thinned_from or act.first_seq, act.first_seq)
                self._thinned_upto = max(self._thinned_upto, act.last_seq)
            at = page[-1].seq if len(page) == PAGE_ENTRIES else latest
        self._read_upto = max(self._read_upto, latest)


def _gap_of(entry: JournalEntry) -> _Gap:
    told = entry._replace(encoded=entry.details).value
    began = told.get("from") if isinstance(told, dict) else None
    return _Gap(entry.seq, began if isinstance(began, int) else entry.timestamp, entry.timestamp)
