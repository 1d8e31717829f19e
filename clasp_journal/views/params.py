"""The present params: the fold that snapshots and restoring are made of, as rows.

Law: the rows are those of `restore.State`, whichever way it came about; nothing here decides what a state is.
"""

from __future__ import annotations

from clasp_journal.entry import EntryKind, JournalEntry, ParamSnapshot
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.restore import State
from clasp_journal.views.tables import Cells, CellType, Column, Table
from clasp_journal.views.view import TableView


class Params(TableView):
    """Every param that is there now."""

    name = "params"
    about = "every param as it is now"
    carries_params = True

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.table = Table(
            "params",
            (Column("address", CellType.TEXT),),
            (
                Column("value", CellType.VALUE),
                Column("revision", CellType.INTEGER),
                Column("ttl", CellType.INTEGER),
                Column("writer", CellType.TEXT),
                Column("timestamp", CellType.INTEGER),
            ),
        )
        self.tables = (self.table,)

    def reset(self) -> None:
        """Begin anew, without params."""
        super().reset()
        self.state = State()

    def begin(self, state: State) -> None:
        """Begin with the params of a snapshot, or of an earlier end of the log."""
        self.reset()
        self.state = state
        for param in state.live.values():
            self.table.put((param.address,), _cells(param))

    def apply(self, entry: JournalEntry) -> None:
        """Ask the fold what an entry does to its address, and write that."""
        self.state.apply(entry)
        if self.state.forgotten_seq:
            raise HistoryIncomplete(f"entry {self.state.forgotten_seq} was forgotten", operation="replay")
        if entry.kind != EntryKind.SET and entry.kind != EntryKind.EXPIRE:
            return
        param = self.state.live.get(entry.address)
        if param is None:
            self.table.drop((entry.address,))
        else:
            self.table.put((entry.address,), _cells(param))


def _cells(param: ParamSnapshot) -> Cells:
    return param.encoded, param.revision, param.ttl, param.writer, param.timestamp
