"""A table on a terminal, in its width and colours (`NO_COLOR` is honoured).

Records are shown as they come, in batches; a column never gets narrower, so batches line up.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clasp_journal.cli.output.cells import Column, Look, width_of
from clasp_journal.cli.output.printer import Printer, Record

_VALUE_STYLES = {'"': "green", "t": "magenta", "f": "magenta", "n": "magenta", "{": "yellow", "[": "yellow"}
_NUMBER_STYLE = "cyan"
GAP = 2
"""Spaces between columns."""
CELL_MIN = 6
"""No column is cut to less."""
WIDTH_MIN = 40
"""No table is drawn for less."""


class RichTable(Printer):
    """Writes records as rows."""

    def __init__(self, columns: Sequence[Column], look: Look) -> None:
        super().__init__([column for column in columns if column.head], look)
        self._console = open_console()
        self._waiting: list[list[str]] = []
        self._widths = [len(column.head) for column in self.columns]
        self._headed = False

    def write(self, record: Record) -> None:
        self.count += 1
        self._waiting.append([column.cell(record, self.look) for column in self.columns])

    def flush(self) -> None:
        if self._waiting:
            table = self._table()
            # Where even the least is too wide, the terminal breaks the lines: half a time is worth nothing.
            self._console.print(table, width=max(self._console.width, table.width or 0), crop=False)
            self._waiting.clear()
            self._headed = True
        sys.stdout.flush()

    def rule(self, text: str) -> None:
        self.flush()
        self._console.print(Text(f"── {text}", style="yellow"), no_wrap=True, overflow="ellipsis")

    def _table(self) -> Table:
        for at in range(len(self.columns)):
            self._widths[at] = max(self._widths[at], *(width_of(row[at]) for row in self._waiting))
        fitted = fit(self.columns, self._widths, self._console.width)
        table = Table(box=None, pad_edge=False, show_header=not self._headed, header_style="bold")
        table.width = _total(fitted)
        for at, width in fitted.items():
            column = self.columns[at]
            justify: Literal["left", "right"] = "right" if column.is_right else "left"
            table.add_column(column.head, justify=justify, no_wrap=True, overflow="ellipsis", width=width)
        for row in self._waiting:
            table.add_row(*(Text(row[at], style=_style(self.columns[at], row[at])) for at in fitted))
        return table


def open_console() -> Console:
    """The terminal; one whose owner wants no colours gets no escape sequences at all.

    One that says that it is hardly wider than nothing, or nothing wide, has to break lines: cut to its width
    they would say nothing.
    """
    plain = bool(os.environ.get("NO_COLOR"))
    console = Console(file=sys.stdout, highlight=False, color_system=None if plain else "auto")
    if console.width < WIDTH_MIN:
        console.width = WIDTH_MIN
    return console


def fit(columns: Sequence[Column], widths: Sequence[int], room: int) -> dict[int, int]:
    """The columns, by index, that a terminal has room for, and their widths.

    First the minor ones go, then the widest of those that may be cut gets narrower.
    """
    fitted = dict(enumerate(widths))
    for at, column in enumerate(columns):
        if column.is_minor and _total(fitted) > room:
            del fitted[at]
    while (excess := _total(fitted) - room) > 0:
        elastic = sorted(width for at, width in fitted.items() if columns[at].is_elastic)
        if not elastic or elastic[-1] <= CELL_MIN:
            break
        widest = max((at for at in fitted if columns[at].is_elastic), key=lambda at: fitted[at])
        next_widest = elastic[-2] if len(elastic) > 1 else CELL_MIN
        floor = max(CELL_MIN, min(next_widest, fitted[widest] - 1), fitted[widest] - excess)
        fitted[widest] = floor
    return fitted


def _total(fitted: dict[int, int]) -> int:
    return sum(fitted.values()) + GAP * (len(fitted) - 1)


def value_style(text: str) -> str:
    """The style of a value, which is written as JSON."""
    return _VALUE_STYLES.get(text[:1], _NUMBER_STYLE)


def _style(column: Column, cell: str) -> str:
    if column.kind == "value":
        return value_style(cell)
    return column.style
