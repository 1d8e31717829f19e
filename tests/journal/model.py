"""What a journal is, in the simplest words: a list. Backends are compared with it."""

from clasp_journal.entry import JournalEntry
from clasp_journal.forgetting import SETTLING, blank_of, hides_change, is_by
from clasp_journal.restore import State, fold
from clasp_journal.selection import Selection
from clasp_journal.snapshot_thinning import NEWEST_KEPT


class Model:
    """Every entry ever appended, what is left of each, how many of the oldest are gone, and the snapshots."""

    def __init__(self) -> None:
        self.ever: list[JournalEntry] = []
        self.left: list[JournalEntry] = []
        self.gone = 0
        self.snapshots: set[int] = set()
        self.lasting: set[int] = set()

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
            self.left.append(self.ever[-1])
        return self.latest

    def query(
        self, selection: Selection, after_seq: int, limit: int | None, newest: bool
    ) -> list[JournalEntry]:
        """The matching entries, or the oldest or newest few of them."""
        found = [e for e in self.left[self.gone :] if e.seq > after_seq and selection.matches(e)]
        if limit is None:
            return found
        if newest:
            return found[max(0, len(found) - limit) :]
        return found[:limit]

    def state(self, at_seq: int) -> State:
        """The truth, whether or not a journal can still tell it."""
        return fold(None, self.ever[:at_seq])

    def can_tell(self, at_seq: int) -> bool:
        """Whether entries and snapshots still amount to that state."""
        base = max((at for at in self.snapshots if at <= at_seq), default=0)
        if base < at_seq and base < self.gone:
            return False
        return not any(map(hides_change, self.left[base:at_seq]))

    def snapshot(self, at_seq: int) -> None:
        """From here on states can be told, if they could not before."""
        self._keep(self.snapshots | {at_seq})

    def _keep(self, snapshots: set[int]) -> None:
        """A model does not live for ten minutes: only the base, the newest few and lasting ones stay."""
        ordered = sorted(snapshots)
        self.lasting &= snapshots
        self.snapshots = {*ordered[:1], *ordered[-NEWEST_KEPT:], *self.lasting}

    def can_compact(self, before_seq: int) -> bool:
        """Whether the state at the cut can be told, or at least one behind it is carried."""
        is_told = before_seq <= self.oldest or self.can_tell(before_seq - 1)
        return is_told or any(at >= before_seq for at in self.lasting)

    def compact(self, before_seq: int, *, has_base: bool) -> int:
        """Forget what is below the cut, with a base or without."""
        removed = max(0, before_seq - self.oldest)
        if removed:
            self.gone += removed
            base = before_seq - 1
            self._keep({at for at in self.snapshots if at >= base} | ({base} if has_base else set()))
        return removed

    def doomed(self, author: str) -> list[JournalEntry]:
        """What forgetting an author would remove."""
        return [entry for entry in self.left[self.gone :] if is_by(entry, author)]

    def forget(self, author: str, act: JournalEntry) -> None:
        """Leave blanks where the author's entries were; the act is behind them."""
        doomed = self.doomed(author)
        changes = [entry.seq for entry in doomed if entry.kind in SETTLING]
        at_seq = self.latest
        if changes:
            is_told = self.can_tell(at_seq)
            kept = {at for at in self.snapshots if not changes[0] <= at < at_seq}
            if is_told:
                self.lasting.add(at_seq)
                kept.add(at_seq)
            self._keep(kept)
        for entry in doomed:
            self.left[entry.seq - 1] = blank_of(entry)
        self.append([act])
