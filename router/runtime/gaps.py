"""Where journaling had stopped: what happened in between is in no entry, and a reader has to be told.

Law: gaps are entries; what is remembered of them here is read from the journal, each once.
"""

from __future__ import annotations

from typing import NamedTuple

from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.journal import PAGE_ENTRIES, Journal
from clasp_journal.selection import NO_ADDRESS, Selection

_GAPS = Selection(NO_ADDRESS, kinds=frozenset((int(EntryKind.GAP),)))


class _Gap(NamedTuple):
    seq: int
    from_us: int
    to_us: int


class Gaps:
    """The gaps of one journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: list[_Gap] = []
        self._read_upto = 0

    async def touch(self, after_seq: int, upto_seq: int, from_us: int | None, to_us: int | None) -> bool:
        """Whether something is missing between these numbers that happened between these times."""
        if self._read_upto < upto_seq:
            await self._read_on()
        return any(
            after_seq < gap.seq <= upto_seq
            and (from_us is None or gap.to_us >= from_us)
            and (to_us is None or gap.from_us <= to_us)
            for gap in self._known
        )

    async def _read_on(self) -> None:
        latest = await self._journal.latest_seq()
        at = self._read_upto
        while at < latest:
            page = await self._journal.page(_GAPS, at, latest, PAGE_ENTRIES)
            self._known += map(_gap_of, page)
            at = page[-1].seq if len(page) == PAGE_ENTRIES else latest
        self._read_upto = max(self._read_upto, latest)


def _gap_of(entry: JournalEntry) -> _Gap:
    told = entry._replace(encoded=entry.details).value
    began = told.get("from") if isinstance(told, dict) else None
    return _Gap(entry.seq, began if isinstance(began, int) else entry.timestamp, entry.timestamp)
