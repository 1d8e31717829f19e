"""The state at any instant that the journal still covers.

An instant is a place in the log: the last change at or before it. Entries are folded in the order of
their numbers up to there, so where a clock was set back, what came later in the log is later, whatever its
time says.
Laws: marks and the journal's other own notes, which may be dated back, move no instant; what cannot be told
any more is `HistoryIncomplete`, never a guess. It costs the tail behind the newest snapshot before the
instant, not the journal.
"""

from __future__ import annotations

from clasp_journal.entry import EntryKind
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.journal import Journal
from clasp_journal.restore import State
from clasp_journal.selection import Selection

CHANGES = frozenset((int(EntryKind.SET), int(EntryKind.PUBLISH), int(EntryKind.EXPIRE)))
"""The kinds that happen at their time; the journal's notes about itself may be dated otherwise."""


async def seq_at(journal: Journal, at_us: int) -> int:
    """The number of the last entry at or before an instant; 0 before the first of all."""
    latest = await journal.latest_seq()
    before = Selection(to_us=at_us, kinds=CHANGES)
    seq = await journal.nth_newest(before, 1, after_seq=0, upto_seq=latest)
    if await journal.page(before, seq - 1, min(seq, latest), 1):
        return seq
    if await journal.oldest_seq() == 1:
        return 0
    return await _seq_of_base(journal, at_us)


async def state_at(journal: Journal, at_us: int) -> State:
    """Every param as it was at an instant."""
    return await journal.state(await seq_at(journal, at_us))


async def _seq_of_base(journal: Journal, at_us: int) -> int:
    """The place of the base, if it was written before the instant, from when no entry is left."""
    oldest = await journal.oldest_seq()
    base = await journal.load_snapshot(oldest - 1)
    if base is not None and base.at_seq == oldest - 1 and 0 < base.taken <= at_us:
        return base.at_seq
    raise HistoryIncomplete(
        f"the entries from then on back are gone; the journal begins with entry {oldest}",
        operation="state",
    )
