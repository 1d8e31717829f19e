"""What is written, and what writes it: the base of every output format.

A result is a *record*: a dict with stable keys and JSON values. Laws: in machine formats nothing is rounded,
shortened or coloured; a record is on its way when `flush` returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias

from clasp_journal.cli.output.cells import Column, Look, to_json
from clasp_journal.cli.output.screen import results

Record: TypeAlias = Mapping[str, Any]


class Printer:
    """Writes records to stdout; this one as JSON lines."""

    def __init__(self, columns: Sequence[Column], look: Look) -> None:
        self.count = 0
        """How many records were written."""
        self.columns = columns
        self.look = look
        self.out = results()

    def write(self, record: Record) -> None:
        """Write a record."""
        self.count += 1
        self.out.write(self.line(record))

    def line(self, record: Record) -> str:
        """The text of a record."""
        return to_json(record) + "\n"

    def flush(self) -> None:
        """Hand over what was written."""
        self.out.flush()

    def rule(self, text: str) -> None:
        """A line between records or below them, for people; only tables have it."""

    def finish(self) -> None:
        """Write what stands behind the last record."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, Exception):
            self.finish()
            self.flush()
