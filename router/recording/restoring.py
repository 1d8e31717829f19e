"""The state a journal remembers, and its way between two processes.

Laws: it is the newest intact snapshot and the entries after it, folded; where entries before the oldest
are gone for good, what is left is folded, and said so. It is told in parts, and is complete with the last:
of an address that was told twice, the last counts. Pages of state are read by the same interpreter that
wrote them, which is why they may be in its own quick format.
"""

from __future__ import annotations

import logging
import marshal
from collections.abc import Callable, Iterator
from typing import NamedTuple

from clasp_journal.entry import ParamSnapshot
from clasp_journal.journal import Journal
from clasp_journal.restore import State, fold

PAGE_PARAMS = 5_000
_PLAIN = 2
"""The format of marshal that does not look for objects it has written before: twice as quick."""

log = logging.getLogger(__name__)


class Restored(NamedTuple):
    """A state, and what it took to get there."""

    state: State
    at_seq: int
    """It is the state after this entry, the latest."""
    tail_entries: int
    """Entries folded on top of the snapshot."""
    is_whole: bool
    """Whether nothing that it depends on was gone or forgotten."""


def _nobody(params: list[ParamSnapshot]) -> None:
    pass


async def restore(journal: Journal, tell: Callable[[list[ParamSnapshot]], None] = _nobody) -> Restored:
    """The state as of the latest entry. `tell` is called with what the snapshot holds, before the entries
    after it are folded, and then with what they have changed."""
    at_seq = await journal.latest_seq()
    base = await journal.load_snapshot(at_seq)
    base_seq = base.at_seq if base else 0
    oldest = await journal.oldest_seq()
    is_cut = base_seq < at_seq and base_seq + 1 < oldest
    if is_cut:
        log.warning(
            "the state is restored from what is left: entries %d to %d are gone", base_seq + 1, oldest - 1
        )
    state = fold(base, ())
    params = state.params()
    tell(params)
    known = {param.address: param for param in params}
    await journal.advance(state, max(base_seq, oldest - 1), at_seq)
    if state.forgotten_seq:
        log.warning("the state is restored from what is left: entry %d was forgotten", state.forgotten_seq)
    tell([param for param in state.params() if known.get(param.address) is not param])
    return Restored(state, at_seq, at_seq - base_seq, not is_cut and not state.forgotten_seq)


def encode_params(params: list[ParamSnapshot]) -> Iterator[bytes]:
    """Params as pages of bytes, for the way between two processes."""
    for at in range(0, len(params), PAGE_PARAMS):
        yield marshal.dumps([tuple(param) for param in params[at : at + PAGE_PARAMS]], _PLAIN)


def decode_params(page: bytes) -> list[ParamSnapshot]:
    """The params in a page."""
    make = tuple.__new__
    return [make(ParamSnapshot, param) for param in marshal.loads(page)]
