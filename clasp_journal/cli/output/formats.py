"""How results leave: a table on a terminal, JSON lines in a pipe, and what else was asked for.

Law: every verb writes records, so every format works for every verb.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from clasp_journal.cli.grammar.zones import Zone
from clasp_journal.cli.output.cells import Column, Look, raw_bytes, text_of, to_json, width_of
from clasp_journal.cli.output.printer import Printer, Record

FORMATS = ("table", "jsonl", "json", "csv", "tsv", "raw")


class Style(NamedTuple):
    """What was asked for: a format, or a line template."""

    output: str | None = None
    template: str | None = None

    @property
    def chosen(self) -> str:
        """The format; the default depends on who reads."""
        if self.template is not None:
            return "template"
        return self.output or ("table" if sys.stdout.isatty() else "jsonl")


class _Json(Printer):
    """One JSON array."""

    def line(self, record: Record) -> str:
        opening = "[\n" if self.count == 1 else ",\n"
        return opening + to_json(record)

    def finish(self) -> None:
        self.out.write("\n]\n" if self.count else "[]\n")


class _Csv(Printer):
    """Comma-separated, quoted where need be; the first line names the columns."""

    def __init__(self, columns: Sequence[Column], look: Look) -> None:
        super().__init__(columns, look)
        import csv

        self._writer = csv.writer(self.out, lineterminator="\n")
        self._writer.writerow([column.key for column in columns])

    def write(self, record: Record) -> None:
        self.count += 1
        self._writer.writerow([text_of(record.get(column.key)) for column in self.columns])


class _Tsv(Printer):
    """Tab-separated; tabs, line ends and backslashes within a cell are escaped."""

    _ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

    def __init__(self, columns: Sequence[Column], look: Look) -> None:
        super().__init__(columns, look)
        self.out.write("\t".join(column.key for column in columns) + "\n")

    def line(self, record: Record) -> str:
        cells = (text_of(record.get(column.key)) for column in self.columns)
        return "\t".join(cell.translate(self._ESCAPES) for cell in cells) + "\n"


class _Raw(Printer):
    """The values alone: text and bytes as they are (save for orders to a terminal), the rest as JSON."""

    def write(self, record: Record) -> None:
        self.count += 1
        shown = record.get("value") if "value" in record or "address" in record else list(record.values())
        if sys.stdout.isatty():
            self.out.write(raw_bytes(shown).decode(errors="backslashreplace") + "\n")
        else:
            sys.stdout.buffer.write(raw_bytes(shown) + b"\n")

    def flush(self) -> None:
        self.out.flush()
        sys.stdout.buffer.flush()


class _Lines(Printer):
    """A line per record, after a template."""

    def __init__(self, columns: Sequence[Column], look: Look, template: str) -> None:
        from clasp_journal.cli.output.templates import Template

        super().__init__(columns, look)
        self._template = Template(template)

    def line(self, record: Record) -> str:
        return self._template.fill(record) + "\n"


class _PlainTable(Printer):
    """A table where no terminal is: every cell whole, nothing but spaces between them."""

    def __init__(self, columns: Sequence[Column], look: Look) -> None:
        super().__init__([column for column in columns if column.head], look)
        self._waiting = [[column.head for column in self.columns]]
        self._widths = [0] * len(self.columns)

    def write(self, record: Record) -> None:
        self.count += 1
        self._waiting.append([column.cell(record, self.look) for column in self.columns])

    def flush(self) -> None:
        if not self.count:
            return
        for row in self._waiting:
            self._widths = [max(width, width_of(cell)) for width, cell in zip(self._widths, row, strict=True)]
        for row in self._waiting:
            cells = zip(self.columns, row, self._widths, strict=True)
            sys.stdout.write(
                "  ".join(column.pad(cell, width) for column, cell, width in cells).rstrip() + "\n"
            )
        self._waiting.clear()
        sys.stdout.flush()

    def rule(self, text: str) -> None:
        self.flush()
        sys.stdout.write(f"-- {text}\n")


_PRINTERS: dict[str, Callable[[Sequence[Column], Look], Printer]] = {
    "jsonl": Printer,
    "json": _Json,
    "csv": _Csv,
    "tsv": _Tsv,
    "raw": _Raw,
}


def open_printer(style: Style, columns: Sequence[Column], *, now_us: int, zone: Zone) -> Printer:
    """The printer of a style."""
    look = Look(now_us, zone)
    if style.template is not None:
        return _Lines(columns, look, style.template)
    if style.chosen != "table":
        return _PRINTERS[style.chosen](columns, look)
    if not sys.stdout.isatty():
        return _PlainTable(columns, look)
    from clasp_journal.cli.output.rich_table import RichTable

    return RichTable(columns, look)
