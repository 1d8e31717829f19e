"""The state at any instant that the journal still covers.

An instant is a place in the log: the last change at or before it. Entries are folded in the order of
their numbers up to there, so where a clock was set back, what came later in the log is later, whatever its
time says.
Laws: marks and notes of gaps, which may be dated back, move no instant; what cannot be told
any more is `HistoryIncomplete`, never a guess. It costs the tail behind the newest snapshot before the
instant, not the journal.
"""

from __future__ import annotations

from collections.abc import Iterable

from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind, ParamSnapshot
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.forgetting import SETTLING, hides_change
from clasp_journal.journal import Journal, Results, Span
from clasp_journal.restore import State
from clasp_journal.selection import FORGOTTEN, Selection

CHANGES = frozenset(int(kind) for kind in EntryKind if kind not in (EntryKind.MARK, EntryKind.GAP))
"""The kinds that happen at their time, and what stands for them; marks and gaps may be dated otherwise."""


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


async def first_from(journal: Journal, at_us: int) -> int:
    """The first number behind all entries from before an instant; 0 if those are gone already."""
    try:
        return await seq_at(journal, at_us - 1) + 1
    except HistoryIncomplete:
        return 0


async def state_at(journal: Journal, at_us: int) -> State:
    """Every param as it was at an instant."""
    return await journal.state(await seq_at(journal, at_us))


async def params_at(
    journal: Journal, seq: int | None, patterns: Iterable[Pattern] = ()
) -> list[ParamSnapshot]:
    """The params right after an entry (None: the latest) that one of the patterns matches, by address."""
    asked = list(patterns)
    live = (await journal.state(seq)).live
    addresses = (a for a in live if not asked or any(pattern.matches(a) for pattern in asked))
    return [live[address] for address in sorted(addresses)]


async def param_at(journal: Journal, seq: int, address: str) -> ParamSnapshot | None:
    """One param right after an entry; None if there was none. One look, where its last change remains."""
    there = Selection(Pattern.parse(address), kinds=SETTLING)
    last = await journal.nth_newest(there, 1, after_seq=0, upto_seq=seq)
    found = await journal.page(there, last - 1, min(last, seq), 1)
    if await _is_hidden(journal, found[0].seq if found else 0, seq):
        return (await journal.state(seq)).live.get(address)
    if found and found[0].kind == EntryKind.EXPIRE:
        return None
    if found and found[0].revision is not None:
        state = State()
        state.apply(found[0])
        return state.live[address]
    if not found and await journal.oldest_seq() == 1:
        return None
    return (await journal.state(seq)).live.get(address)


async def _is_hidden(journal: Journal, after_seq: int, upto_seq: int) -> bool:
    """Whether a change between two places was forgotten."""
    if after_seq >= upto_seq:
        return False
    async for page in Results(journal, FORGOTTEN, span=Span(after_seq, upto_seq)).pages():
        if any(hides_change(entry) for entry in page):
            return True
    return False


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
