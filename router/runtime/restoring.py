"""The state a journal remembers, and its way between two processes.

Laws: it is the newest intact snapshot and the entries after it, folded; where entries before the oldest
are gone for good, what is left is folded, and said so. Pages of state are read by the same interpreter that
wrote them, which is why they may be in its own quick format.
"""

from __future__ import annotations

import logging
import marshal
from collections.abc import Iterator

from clasp_journal.entry import ParamSnapshot
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.journal import Journal, Results, Span
from clasp_journal.restore import State, fold
from clasp_journal.selection import Selection

PAGE_PARAMS = 5_000
_PLAIN = 2
"""The format of marshal that does not look for objects it has written before: twice as quick."""

log = logging.getLogger(__name__)


async def restore(journal: Journal) -> State:
    """The state as of the latest entry."""
    try:
        return await journal.state()
    except HistoryIncomplete as gone:
        log.warning("the state is restored from what is left: %s", gone)
    base = await journal.load_snapshot()
    state = fold(base, ())
    span = Span(base.at_seq if base else 0, await journal.latest_seq())
    async for entry in Results(journal, Selection(), span=span):
        state.apply(entry)
    return state


def encode_params(params: list[ParamSnapshot]) -> Iterator[bytes]:
    """Params in pages of bytes."""
    for at in range(0, len(params), PAGE_PARAMS):
        yield marshal.dumps([tuple(param) for param in params[at : at + PAGE_PARAMS]], _PLAIN)


def decode_params(page: bytes) -> list[ParamSnapshot]:
    """What is in a page."""
    return [ParamSnapshot._make(param) for param in marshal.loads(page)]
