"""What a journal is, in the simplest words: a list. Backends are compared with it."""

from clasp_journal.entry import JournalEntry
from clasp_journal.restore import State, fold
from clasp_journal.selection import Selection
from clasp_journal.thinning import NEWEST_KEPT

NOWHERE = 1 << 62
"""Larger than any number of an entry."""


class Model:
    """Every entry ever appended, how many of the oldest are gone, and from where on states can be told."""

    def __init__(self) -> None:
        self.ever: list[JournalEntry] = []
        self.gone = 0
        self.told_from = 0
        self.snapshots: set[int] = set()

    @property
    def latest(self) -> int:
        """The highest number ever given out."""
        return len(self.ever)

    @property
    def oldest(self) -> int:
        """The first number that is still there, or the next one."""
        return self.gone + 1

    def append(self, entries: list[JournalEntry]) -> int:
        """Number and keep."""
        for entry in entries:
            self.ever.append(entry._replace(seq=self.latest + 1))
        return self.latest

    def query(
        self, selection: Selection, after_seq: int, limit: int | None, newest: bool
    ) -> list[JournalEntry]:
        """The matching entries, or the oldest or newest few of them."""
        found = [e for e in self.ever[self.gone :] if e.seq > after_seq and selection.matches(e)]
        if limit is None:
            return found
        if newest:
            return found[max(0, len(found) - limit) :]
        return found[:limit]

    def state(self, at_seq: int) -> State:
        """The truth, whether or not a journal can still tell it."""
        return fold(None, self.ever[:at_seq])

    def snapshot(self, at_seq: int) -> None:
        """From here on states can be told, if they could not before."""
        self._keep(self.snapshots | {at_seq})
        self.told_from = min(self.told_from, at_seq)

    def _keep(self, snapshots: set[int]) -> None:
        """A model does not live for ten minutes: of its snapshots only the base and the newest few stay."""
        ordered = sorted(snapshots)
        self.snapshots = {*ordered[:1], *ordered[-NEWEST_KEPT:]}

    def can_compact(self, before_seq: int) -> bool:
        """Whether the state at the cut, which is to become the base, can be told."""
        return before_seq <= self.oldest or before_seq - 1 >= self.told_from

    def compact(self, before_seq: int, force: bool) -> int:
        """Forget what is below the cut, with a base or without."""
        removed = max(0, before_seq - self.oldest)
        if removed:
            self.gone += removed
            base = before_seq - 1
            self._keep({at for at in self.snapshots if at >= base} | (set() if force else {base}))
            self.told_from = min(self.snapshots, default=NOWHERE)
        return removed
