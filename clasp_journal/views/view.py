"""What a view is: something that is reset, and then told every entry in order.

Law: its state is a function of the entries it was told, in that order, and of nothing else: no clock, no
chance, no memory of where it was cut. So telling it entries as they come, and telling all of them again,
end in the same state to the bit. It takes entries of every kind, also of kinds that it does not know.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, Protocol

from clasp_journal.entry import JournalEntry
from clasp_journal.restore import State
from clasp_journal.views.tables import Table


class View(Protocol):
    """All that `replay` needs."""

    def reset(self) -> None:
        """Begin anew, as if no entry had been told."""

    def apply(self, entry: JournalEntry) -> None:
        """Take one more entry into account."""


class Reached(NamedTuple):
    """Which entries a view has seen: those from one number to another, in one life of a journal."""

    epoch: str
    from_seq: int
    """Later than 1 where entries before it were gone already; for who carries the params that is no loss."""
    seq: int

    def can_go_on(self, epoch: str, oldest_seq: int, latest_seq: int) -> bool:
        """Whether all that the view has not seen is still there, and all that it has seen is still true."""
        return self.epoch == epoch and oldest_seq - 1 <= self.seq <= latest_seq


class TableView(ABC):
    """A view whose state is rows, so that it can be kept, and that knows how far it has got.

    A class of your own says `name`, makes its `tables` (named like the view, or like it with `_` and more),
    and has `apply`; the number of `version` has to change with the meaning of the rows.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    about: ClassVar[str] = ""
    """A sentence for people."""
    carries_params: ClassVar[bool] = False
    """Whether it begins with the params as they were at a place in the log, rather than with nothing."""

    tables: tuple[Table, ...] = ()

    def __init__(self) -> None:
        self.reached: Reached | None = None
        """What it has seen, where somebody keeps count: see `catch_up`."""

    def reset(self) -> None:
        """Begin anew, as if no entry had been told."""
        self.reached = None
        for table in self.tables:
            table.clear()

    @abstractmethod
    def apply(self, entry: JournalEntry) -> None:
        """Take one more entry into account."""

    def begin(self, state: State) -> None:
        """Begin, instead of with nothing, with these params; only asked of who `carries_params`."""
        raise NotImplementedError(f"{self.name} carries no params")
