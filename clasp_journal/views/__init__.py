"""Views: state as a function of the log.

    from clasp_journal.views import Authors, catch_up

    authors = journal.stored(Authors())     # its rows are tables of the journal's file
    await journal.append(entries)
    await catch_up(journal, authors)        # they tell the new entries as well

A view of your own is a class with `reset` and `apply`; as a `TableView` it can be kept in the file, too.
Law: whether it was told the entries as they came, or all of them again, its rows are the same to the byte.
"""

from __future__ import annotations

from clasp_journal.views.activity import Addresses, Authors, Kinds
from clasp_journal.views.buckets import Buckets
from clasp_journal.views.driving import catch_up, current, replay
from clasp_journal.views.params import Params
from clasp_journal.views.tables import CellType, Column, Row, Table
from clasp_journal.views.view import Reached, TableView, View

__all__ = [
    "SHIPPED",
    "Addresses",
    "Authors",
    "Buckets",
    "CellType",
    "Column",
    "Kinds",
    "Params",
    "Reached",
    "Row",
    "Table",
    "TableView",
    "View",
    "catch_up",
    "current",
    "replay",
]

SHIPPED: dict[str, type[TableView]] = {
    view.name: view for view in (Params, Authors, Addresses, Buckets, Kinds)
}
"""By name."""
